"""Samples a second on one core: crop first, against full-size composition and then the crop.

Both make RSSN examples of 320 pixels (crops of 640, 960 or 1280) from the same foregrounds and
backgrounds of 1080x1620 pixels. The plain one works in the order that GFM published: decode,
blur, composite, add noise, dilate and erode by 25 and by 50 pixels, all at full size, then crop.

python benchmarks/composition.py [--samples 40] [--seed 0]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.data.augmentation import ColourConfig, ViewConfig
from animatte.data.composition import TRACKS, Generator
from animatte.data.dataset import ExampleConfig, ExampleStream, Request
from animatte.data.folders import Pair
from animatte.data.pictures import Backgrounds, Source

SIZE = (1080, 1620)
CROPS = (640, 960, 1280)
VIEW = 320
PICTURES = 6

Array = NDArray[np.uint8]


class Files(NamedTuple):
    """A foreground's colours, its alpha and a background."""

    foreground: Path
    alpha: Path
    background: Path


def written_files(folder: Path, rng: Generator) -> list[Files]:
    """Write pictures as detailed as photos: JPEG of about 6 bits a pixel would be noise alone."""
    files = []
    for number in range(PICTURES):
        names = [folder / f"{part}{number}" for part in ("foreground", "alpha", "background")]
        paths = Files(
            *(
                name.with_suffix(suffix)
                for name, suffix in zip(names, (".jpg", ".png", ".jpg"), strict=True)
            )
        )
        for path in (paths.foreground, paths.background):
            cv2.imwrite(str(path), _photo(rng), [cv2.IMWRITE_JPEG_QUALITY, 90])
        cv2.imwrite(str(paths.alpha), _alpha(rng))
        files.append(paths)
    return files


def _photo(rng: Generator) -> Array:
    height, width = SIZE
    photo = np.zeros((*SIZE, 3), np.float32)
    for reduction, strength in ((60, 50), (12, 25), (3, 12), (1, 4)):
        coarse = rng.normal(0, strength, (height // reduction, width // reduction, 3))
        photo += cv2.resize(coarse.astype(np.float32), (width, height))
    return np.clip(photo + 128, 0, 255).astype(np.uint8)


def _alpha(rng: Generator) -> Array:
    alpha = np.zeros(SIZE, np.uint8)
    centre = np.array(SIZE[::-1]) // 2
    cv2.ellipse(alpha, centre.tolist(), (480, 330), 10, 0, 360, 255, -1)
    for angle in rng.uniform(0, 2 * np.pi, 900):
        root = centre + np.array([np.cos(angle) * 480, np.sin(angle) * 330])
        tip = root + rng.normal(0, 45, 2)
        ends = [np.rint(16 * each).astype(int).tolist() for each in (root, tip)]
        cv2.line(alpha, ends[0], ends[1], int(rng.integers(90, 255)), 2, cv2.LINE_AA, 4)
    return alpha


def plain_example(decoded: tuple[Array, Array, Array], rng: Generator) -> list[NDArray[np.float32]]:
    """Everything at full size, then the crop: image, alpha, trimap, dilation and erosion."""
    foreground, alpha, background = decoded
    background = np.asarray(cv2.resize(background, SIZE[::-1]), np.uint8)
    if rng.random() < 0.5:
        box = int(rng.choice((20, 30, 40, 50, 60)))
        background = np.asarray(cv2.blur(background, (box, box)), np.uint8)
    weight = alpha[:, :, None] / 255
    image = weight * foreground + (1 - weight) * background
    if rng.random() < 0.5:
        image = np.clip(image + rng.normal(0, 10, image.shape), 0, 255)
    near, deep = widened(alpha, 25)
    trimap = np.where(deep > 0, 255, np.where(near > 0, 128, 0)).astype(np.uint8)
    planes = (image.astype(np.uint8), alpha, trimap, *widened(alpha, 50))
    side = min(int(rng.choice(CROPS)), *SIZE)
    rows, columns = np.nonzero(trimap == 128)
    at = rng.integers(rows.size)
    centre = (rows[at], columns[at]) if rng.random() < 0.5 else rng.integers(0, SIZE)
    top, left = (
        int(np.clip(middle - side // 2, 0, end - side))
        for middle, end in zip(centre, SIZE, strict=True)
    )
    crops = [
        cv2.resize(each[top : top + side, left : left + side], (VIEW, VIEW)) for each in planes
    ]
    if rng.random() < 0.5:
        crops = [cv2.flip(each, 1) for each in crops]
    return [np.ascontiguousarray(each.T, np.float32) / np.float32(255) for each in crops]


def widened(alpha: Array, kernel_size: int) -> tuple[Array, Array]:
    """The foreground dilated, and the sure one eroded."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_size, kernel_size))
    possible = cv2.dilate((alpha > 0).astype(np.uint8), kernel)
    sure = cv2.erode((alpha == 255).astype(np.uint8), kernel)
    return np.asarray(possible, np.uint8), np.asarray(sure, np.uint8)


def read_files(files: Files) -> tuple[Array, Array, Array]:
    flags = (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR)
    foreground, alpha, background = (
        np.asarray(cv2.imread(str(path), flag), np.uint8)
        for path, flag in zip(files, flags, strict=True)
    )
    return foreground[..., ::-1], alpha, background[..., ::-1]


def stream_of(files: list[Files], seed: int, cache_bytes: int) -> ExampleStream:
    pairs = [Pair(each.foreground, each.alpha) for each in files]
    colours = {each.foreground.stem: each.foreground for each in files}
    backgrounds = Backgrounds([Pair(each.background, None) for each in files])
    config = ExampleConfig(
        view=ViewConfig(crops=CROPS, centred=0.5, aspect=1, tilt=0, turned=0),
        colour=ColourConfig(0, 0, 0, 0, 0, 0),
        composition=TRACKS["rssn"],
        empty=0,
        transition_kernel=25 // 3,  # in pixels of the view, which shrinks by 2, 3 or 4
        focus_kernel=50 // 3,
    )
    source = Source(pairs, 1, replaced=1, foregrounds=colours)
    return ExampleStream([source], backgrounds, config, seed, cache_bytes)


def seconds(make: Callable[[int], object], samples: int) -> float:
    """CPU seconds a sample: others at work on the machine do not count."""
    for number in range(PICTURES * 3):
        make(number)
    start = time.process_time()
    for number in range(samples):
        make(number)
    return (time.process_time() - start) / samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = written_files(Path(folder), np.random.default_rng(arguments.seed))
        decoded = [read_files(each) for each in files]
        rng = np.random.default_rng(arguments.seed)
        cached, uncached = (stream_of(files, arguments.seed, room) for room in (10**10, 0))

        def request(number: int) -> Request:
            return Request(number, VIEW, (1, 1))

        cases = {
            "with decoding": (
                lambda number: plain_example(read_files(files[number % PICTURES]), rng),
                lambda number: uncached[request(number)],
            ),
            "without decoding": (
                lambda number: plain_example(decoded[number % PICTURES], rng),
                lambda number: cached[request(number)],
            ),
        }
        for name, makers in cases.items():
            plain, ours = (seconds(make, arguments.samples) for make in makers)
            print(
                f"{name}: plain {1 / plain:.1f}/s, animatte {1 / ours:.1f}/s, "
                f"{plain / ours:.1f} times"
            )


if __name__ == "__main__":
    main()
