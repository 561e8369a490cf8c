"""Load test of the server: many clients at once, some hostile; prints latencies and memory.

python benchmarks/serve.py [--clients 64] [--seconds 60] [--most-megabytes 3000]

Starts `animatte serve` itself. Three of four clients send photos of 0.1 to 12 megapixels, wait as
long as Retry-After says and a little by chance, and come again; the fourth sends bombs, truncated
files, noise or half a body. When the time is over nobody sends any more, and what was accepted is
waited for. The reference: the same photos cut one after another in this process, before and after.
Ends with 1 if an accepted request got no picture, or the server took more memory.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, perf_counter, process_time

import cv2
import httpx
import numpy as np
from PIL import Image

import animatte
from animatte.cutting import CutOptions, cut_picture, encoded_picture
from animatte.outputs import FORMATS

PHOTO = Path(__file__).parent.parent / "examples" / "chelsea.png"
MEGAPIXELS = (0.1, 0.1, 0.5, 0.5, 2.0, 2.0, 12.0)
WEBP = CutOptions(output_format=FORMATS["webp"])


@dataclass
class Tally:
    """What became of the requests.

    Attributes:
        seconds: of every photo that was cut, from sending to the last byte.
        visits: the same, with all the times it was told to come again.
        kinds: how often each photo was cut, by its index.
        statuses: how often each answer came; 0 for a connection that ended.
        lost: accepted photos without a whole picture.
    """

    seconds: list[float] = field(default_factory=list)
    visits: list[float] = field(default_factory=list)
    kinds: Counter[int] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0


@dataclass
class Cost:
    """What cutting photos costs in this process, by their index.

    Attributes:
        seconds: by the clock.
        cpu: of all threads.
    """

    seconds: list[float]
    cpu: list[float]


def photos(most: float) -> list[bytes]:
    """The example photo as JPEG at the sizes above, up to some megapixels."""
    with Image.open(PHOTO) as image:
        pixels = np.asarray(image.convert("RGB"))
    encoded = []
    for size in (each for each in MEGAPIXELS if each <= most):
        scale = (size * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
        larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        stream = io.BytesIO()
        Image.fromarray(larger).save(stream, "JPEG", quality=90)
        encoded.append(stream.getvalue())
    return encoded


def hostile_bodies() -> list[bytes]:
    """A decompression bomb, a photo too large by its header, a truncated one, and noise."""
    bomb, large = io.BytesIO(), io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    Image.new("L", (9_000, 9_000)).save(large, "PNG")
    noise = np.random.default_rng(0).bytes(200_000)
    truncated = photos(MEGAPIXELS[0])[0][:4000]
    return [bomb.getvalue(), large.getvalue(), truncated, b"\xff\xd8\xff" + noise]


def in_process(bodies: Sequence[bytes]) -> Cost:
    """Cut each photo once, one after another."""
    predictor, cost = animatte.load(), Cost([], [])
    encoded_picture(cut_picture(predictor, bodies[0], WEBP), WEBP)  # sessions start
    for body in bodies:
        start, cpu = perf_counter(), process_time()
        encoded_picture(cut_picture(predictor, body, WEBP), WEBP)
        cost.seconds.append(perf_counter() - start)
        cost.cpu.append(process_time() - cpu)
    return cost


def is_whole(picture: bytes) -> bool:
    """Whether a WebP file has the length that its header says."""
    length = int.from_bytes(picture[4:8], "little") + 8
    return picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" and len(picture) == length


async def customer(
    client: httpx.AsyncClient, bodies: list[bytes], first: int, end: float, tally: Tally
) -> None:
    """Send photos until the time is over, one at least; come again when the server is full."""
    chance = random.Random(first)
    kind, arrived = first % len(bodies), perf_counter()
    while not tally.statuses or monotonic() < end:
        start = perf_counter()
        try:
            answer = await client.post(
                "/v1/cutout?format=webp",
                content=bodies[kind],
                headers={"Content-Type": "image/jpeg"},
            )
        except httpx.TransportError:
            tally.statuses[0] += 1
            tally.lost += 1
            continue
        tally.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            pause = float(answer.headers["Retry-After"]) * chance.uniform(1, 1.5)
            await asyncio.sleep(min(pause, max(0.0, end - monotonic())))
            continue
        if answer.status_code == 200 and is_whole(answer.content):
            tally.seconds.append(perf_counter() - start)
            tally.visits.append(perf_counter() - arrived)
            tally.kinds[kind] += 1
        else:
            tally.lost += 1
        kind, arrived = (kind + 1) % len(bodies), perf_counter()


async def stranger(
    client: httpx.AsyncClient, bodies: list[bytes], end: float, tally: Tally
) -> None:
    """Send what no photo is, and now and then a body that never ends."""

    async def half() -> AsyncIterator[bytes]:
        yield bodies[2]
        await asyncio.sleep(3)
        yield b""

    number = 0
    while monotonic() < end:
        number += 1
        content = half() if number % 5 == 0 else bodies[number % len(bodies)]
        try:
            answer = await client.post(
                "/v1/cutout", content=content, headers={"Content-Type": "image/png"}
            )
            tally.statuses[answer.status_code] += 1
        except httpx.TransportError:
            tally.statuses[0] += 1
        await asyncio.sleep(0.2)


async def load(
    address: str, bodies: list[bytes], num_clients: int, seconds: float
) -> tuple[Tally, Tally]:
    """Return what customers and strangers met."""
    good, bad = Tally(), Tally()
    hostile = hostile_bodies()
    end = monotonic() + seconds
    limits = httpx.Limits(max_connections=num_clients)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        await asyncio.gather(
            *(
                stranger(client, hostile, end, bad)
                if index % 4 == 3
                else customer(client, bodies, index, end, good)
                for index in range(num_clients)
            )
        )
    return good, bad


def megabytes(process: subprocess.Popen[str], key: str) -> float:
    """Memory of the server, from Linux' status file: VmRSS now, VmHWM at most."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{key}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1e3


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """What the server's threads have used, from Linux' stat file."""
    fields = (
        Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    )
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentiles(seconds: Sequence[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in np.percentile(seconds or [np.nan], [50, 90, 99]))


def tell(good: Tally, bad: Tally, costs: Sequence[Cost], took: float, cpu: float) -> None:
    """Print what came of it, against the same photos one after another in this process."""
    sent, refused = good.statuses.total(), good.statuses[503]
    print(
        f"photos sent {sent}: refused {refused} (503), accepted {sent - refused}, "
        f"answered {len(good.seconds)}, lost {good.lost}"
    )
    print(f"p50, p90, p99 of the answered: {percentiles(good.seconds)} s")
    print(f"with all the waiting before they were accepted: {percentiles(good.visits)} s")
    print(f"answers to strangers: {dict(sorted(bad.statuses.items()))}")
    alone, alone_cpu = (
        sum(
            count * float(np.mean([each[kind] for each in times]))
            for kind, count in good.kinds.items()
        )
        for times in ([cost.seconds for cost in costs], [cost.cpu for cost in costs])
    )
    if not good.seconds:
        return
    print(
        f"{len(good.seconds)} photos in {took:.1f} s; one after another in a process "
        f"{alone:.1f} s; ratio {took / alone:.2f}"
    )
    ratio = cpu / alone_cpu
    print(f"processor {cpu:.1f} s; one after another {alone_cpu:.1f} s; ratio {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--most-megapixels", type=float, default=12.0)
    parser.add_argument("--most-megabytes", type=float, default=3000.0)
    arguments = parser.parse_args()
    bodies = photos(arguments.most_megapixels)
    costs = [in_process(bodies)]
    command = [sys.executable, "-m", "animatte", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        start, before = perf_counter(), megabytes(process, "VmRSS")
        good, bad = asyncio.run(load(address, bodies, arguments.clients, arguments.seconds))
        took, cpu, most = perf_counter() - start, cpu_seconds(process), megabytes(process, "VmHWM")
        process.terminate()
    costs.append(in_process(bodies))
    tell(good, bad, costs, took, cpu)
    print(f"memory {before:.0f} MB at first, {most:.0f} MB at most")
    if good.lost or not good.seconds or most > arguments.most_megabytes:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
