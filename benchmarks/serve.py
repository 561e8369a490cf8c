"""Load test of the server: many clients at once, some hostile; prints latencies and memory.

python benchmarks/serve.py [--clients 64] [--seconds 60]

Starts `animatte serve` itself. Three of four clients send photos of 0.1 to 12 megapixels and come
again when told to; the fourth sends bombs, truncated files, noise or half a body. The reference is
one client alone, on the same machine in the same run. Ends with 1 if an accepted request got no
picture.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, perf_counter

import cv2
import httpx
import numpy as np
from PIL import Image

PHOTO = Path(__file__).parent.parent / "examples" / "chelsea.png"
MEGAPIXELS = (0.1, 0.1, 0.5, 0.5, 2, 2, 12)


@dataclass
class Tally:
    """What became of the requests.

    Attributes:
        seconds: of every photo cut.
        statuses: how often each answer came; 0 for a connection that ended.
        lost: accepted photos without a whole picture.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0


def photos() -> list[bytes]:
    """The example photo as JPEG at the sizes above."""
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB"))
    encoded = []
    for size in MEGAPIXELS:
        scale = (size * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
        larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        stream = io.BytesIO()
        Image.fromarray(larger).save(stream, "JPEG", quality=90)
        encoded.append(stream.getvalue())
    return encoded


def hostile_bodies() -> list[bytes]:
    """A decompression bomb, a truncated photo, noise, and a photo too large by its header."""
    bomb, large = io.BytesIO(), io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    Image.new("L", (9_000, 9_000)).save(large, "PNG")
    noise = np.random.default_rng(0).bytes(200_000)
    return [bomb.getvalue(), large.getvalue(), photos()[0][:4000], b"\xff\xd8\xff" + noise]


async def customer(
    client: httpx.AsyncClient, bodies: list[bytes], end: float, tally: Tally
) -> None:
    """Send photo after photo, coming again when the server is full, until the time is over."""
    number = 0
    while monotonic() < end:
        body = bodies[number % len(bodies)]
        start = perf_counter()
        answer = await client.post(
            "/v1/cutout?format=webp", content=body, headers={"Content-Type": "image/jpeg"}
        )
        tally.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
            continue
        number += 1
        tally.seconds.append(perf_counter() - start)
        whole = answer.status_code == 200 and answer.content[8:12] == b"WEBP"
        tally.lost += not whole


async def stranger(
    client: httpx.AsyncClient, bodies: list[bytes], end: float, tally: Tally
) -> None:
    """Send what no photo is, and now and then a body that never ends."""

    async def half() -> object:
        yield bodies[2]
        await asyncio.sleep(3)
        yield b""

    number = 0
    while monotonic() < end:
        number += 1
        content = half() if number % 5 == 0 else bodies[number % len(bodies)]
        try:
            answer = await client.post(
                "/v1/cutout",
                content=content,  # type: ignore[arg-type]  # an asynchronous stream
                headers={"Content-Type": "image/png"},
            )
            tally.statuses[answer.status_code] += 1
        except httpx.TransportError:
            tally.statuses[0] += 1
        await asyncio.sleep(0.2)


async def load(address: str, num_clients: int, seconds: float) -> tuple[Tally, Tally]:
    """Return what customers and strangers met."""
    end = monotonic() + seconds
    good, bad = Tally(), Tally()
    bodies, hostile = photos(), hostile_bodies()
    limits = httpx.Limits(max_connections=num_clients)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        tasks = []
        for index in range(num_clients):
            mine = bodies[index % len(bodies) :] + bodies[: index % len(bodies)]
            is_stranger = num_clients > 1 and index % 4 == 3
            tasks.append(
                stranger(client, hostile, end, bad)
                if is_stranger
                else customer(client, mine, end, good)
            )
        await asyncio.gather(*tasks)
    return good, bad


def megabytes(process: subprocess.Popen[str], key: str) -> float:
    """Memory of the server, from Linux' status file: VmRSS now, VmHWM at most."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{key}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1e3


def told(name: str, tally: Tally, seconds: float) -> float:
    """Print a line of latencies; return photos a second."""
    rate = len(tally.seconds) / seconds
    spread = np.percentile(tally.seconds, [50, 90, 99]) if tally.seconds else np.full(3, np.nan)
    shown = ", ".join(f"{each:.2f}" for each in spread)
    print(f"{name}: {len(tally.seconds)} photos, {rate:.2f} a second; p50, p90, p99 {shown} s")
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "animatte", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        alone, _ = asyncio.run(load(address, 1, arguments.seconds / 4))
        before = megabytes(process, "VmRSS")
        good, bad = asyncio.run(load(address, arguments.clients, arguments.seconds))
        most = megabytes(process, "VmHWM")
        process.terminate()
    reference = told("one client alone", alone, arguments.seconds / 4)
    rate = told(f"{arguments.clients} clients", good, arguments.seconds)
    print(f"rate against one client alone: {rate / max(reference, 1e-9):.2f}")
    print(f"answers to customers {dict(good.statuses)}, to strangers {dict(bad.statuses)}")
    print(f"memory {before:.0f} MB after the lone client, {most:.0f} MB at most")
    print(f"lost among the accepted: {good.lost}")
    if good.lost:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
