"""Mutated images through the reader and through the server's handler: no crash, no hang.

python benchmarks/fuzz.py [--images 10000] [--seed 0] [--seconds 20]

Ends with 1 and names the seed of the first image that raised anything but an ImageError, gave a
5xx, or took longer than the limit.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
from collections import Counter
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from animatte.images import ImageError, encoded_image, read_photo
from animatte.predictor import Predictor
from animatte.serve.app import create_app
from animatte.serve.limits import Limits

_MAX_PIXELS = 1_000_000
_STRANGE = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"IDAT", b"\xff\xd9", b"Exif")


class BlankNetwork:
    """Finds nothing at once, so that all time goes into reading and writing."""

    name, rosta, stride, device = "blank", "TT", 32, "cpu"

    def __init__(self) -> None:
        self.card: dict[str, Any] = {}

    def glance(self, image: Any) -> Any:
        """Return background everywhere."""
        classes = np.zeros((3, *image.shape[:2]), np.float32)
        classes[0] = 1
        return classes

    def focus(self, image: Any) -> Any:
        """Return nothing anywhere."""
        return np.zeros(image.shape[:2], np.float32)

    def glance_and_focus(self, image: Any) -> Any:
        """Return both."""
        return self.glance(image), self.focus(image)


def sound_files() -> dict[str, bytes]:
    """Return a small file of each kind that can be read."""
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 65536, (24, 20, 3), dtype=np.uint16)
    image = Image.fromarray((deep >> 8).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "png16": encoded_image(".png", deep, bit_depth=16),
        "tiff16": encoded_image(".tif", deep, bit_depth=16),
    }
    known = Image.registered_extensions().values()
    for kind in {"JPEG", "PNG", "WEBP", "TIFF", "AVIF"} & set(known):
        files[kind] = _saved(image, kind, exif=exif)
    files["BMP"] = _saved(image, "BMP")
    files["GIF"] = _saved(image.convert("P"), "GIF", transparency=0)
    files["palette"] = _saved(image.convert("P"), "PNG", transparency=0)
    files["rgba"] = _saved(image.convert("RGBA"), "PNG")
    files["cmyk"] = _saved(image.convert("CMYK"), "JPEG")
    return files


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def mutated(files: Mapping[str, bytes], seed: int) -> tuple[str, bytes]:
    """Return the kind and the bytes of a damaged file: flipped, cut, doubled or foreign bytes."""
    rng = np.random.default_rng(seed)
    kind = sorted(files)[rng.integers(len(files))]
    data = bytearray(files[kind])
    for _ in range(1 + rng.geometric(0.4)):
        # Headers decide more than pixels: half of all damage is done there.
        end = min(200, len(data)) if rng.random() < 0.5 else len(data)
        at = int(rng.integers(max(1, end)))
        action = rng.integers(6)
        if action == 0:
            data[at : at + 1] = bytes([rng.integers(256)])
        elif action == 1:
            data[at : at + 1] = bytes([data[at] ^ (1 << rng.integers(8))]) if data else b""
        elif action == 2:
            strange = _STRANGE[rng.integers(len(_STRANGE))]
            data[at : at + len(strange)] = strange
        elif action == 3:
            del data[at : at + int(rng.integers(1, 40))]
        elif action == 4:
            data[at:at] = data[at : at + int(rng.integers(1, 60))]
        else:
            del data[max(1, at) :]
    return kind, bytes(data)


def fault(client: TestClient, data: bytes, seconds: float) -> tuple[str, str | None]:
    """Return what became of a file, and what is wrong with that, if anything."""
    start = perf_counter()
    try:
        read_photo(data, _MAX_PIXELS)
        became = "read"
    except ImageError as error:
        if len(str(error).splitlines()) != 1:
            return "refused", f"more than a line: {error}"
        became = "refused"
    except Exception as error:  # whatever it is: that is what is looked for
        return "raised", f"reader: {error!r}"
    answer = client.post("/v1/cutout", content=data, headers={"Content-Type": "image/png"})
    expected = (200,) if became == "read" else (413, 422)
    if answer.status_code not in expected:
        return became, f"server: {answer.status_code} {answer.text[:200]}"
    took = perf_counter() - start
    return became, f"{took:.1f} s" if took > seconds else None


def fuzzed_client() -> TestClient:
    """Return a client of a server that finds nothing, whose exceptions come through."""
    network: Any = BlankNetwork()
    return TestClient(create_app(Predictor(network), Limits(pixels=_MAX_PIXELS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    files, became = sound_files(), Counter[str]()
    with fuzzed_client() as client:
        for seed in range(arguments.seed, arguments.seed + arguments.images):
            # A hang inside a decoder cannot be caught: the process says where, and ends.
            faulthandler.dump_traceback_later(10 * arguments.seconds, exit=True)
            kind, data = mutated(files, seed)
            what, wrong = fault(client, data, arguments.seconds)
            if wrong is not None:
                raise SystemExit(f"seed {seed}, {kind}: {wrong}")
            became[what] += 1
    faulthandler.cancel_dump_traceback_later()
    print(
        f"{arguments.images} images: {became['read']} read, {became['refused']} refused, no fault"
    )


if __name__ == "__main__":
    main()
