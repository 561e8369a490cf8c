"""Whole folders: pictures a second against one by one, and memory over thousands of them.

The reference, in the same run, is the same photos with `--jobs 1`, one after the other. Memory is
read after each result, so that growth would show:
`python benchmarks/folders.py photos/ --memory-pictures 2000`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

import animatte
from animatte.batch import cut_photos
from animatte.cutting import CutOptions, CutReport
from animatte.engine import load_network
from animatte.listing import listing


def resident() -> float:
    """Megabytes of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def rate(photos: Sequence[Path], jobs: int, model: str | None) -> float:
    """Pictures a second, without the time in which the model is loaded."""
    threads = None if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)
    predictor = animatte.load(model, threads=threads)
    predictor.alpha(photos[0])
    with tempfile.TemporaryDirectory() as name:
        targets = [Path(name) / f"{number}.png" for number in range(len(photos))]
        start = perf_counter()
        results = list(cut_photos(predictor, photos, targets, CutOptions(), jobs=jobs))
        seconds = perf_counter() - start
    failed = [result for result in results if not isinstance(result, CutReport)]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(photos)} failed: {failed[0]}")
    return len(photos) / seconds


def growth(count: int, jobs: int, model: str | None) -> list[tuple[int, float]]:
    """How much memory is in use after how many small pictures of many sizes."""
    generator = np.random.default_rng(0)
    predictor = animatte.load(model, threads=1)
    sizes = generator.integers(24, 160, (40, 2))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = []
        for number in range(count):
            pixels = generator.integers(0, 256, (*sizes[number % len(sizes)], 3), np.uint8)
            photos.append(folder / f"{number}.jpg")
            Image.fromarray(pixels).save(photos[-1])
        targets = [folder / f"{number}.png" for number in range(count)]
        results = cut_photos(predictor, photos, targets, CutOptions(), jobs=jobs)
        steps = {max(1, count * share // 10) for share in range(1, 11)}
        return [(done, resident()) for done, _ in enumerate(results, 1) if done in steps]


def batched(model: str | None, side: int = 448) -> list[tuple[int, float]]:
    """Pictures a second of the bare network's focus by pictures a batch."""
    network = load_network(model, "cpu", 1)
    image = np.random.default_rng(0).random((1, 3, side, side), np.float32)
    session = network._session(("focus",))  # type: ignore[attr-defined]  # the bare network
    rates = []
    for size in (1, 2, 4):
        batch = np.repeat(image, size, axis=0)
        session.run(["focus"], {"image": batch})
        start = perf_counter()
        rounds = 8 // size
        for _ in range(rounds):
            session.run(["focus"], {"image": batch})
        rates.append((size, size * rounds / (perf_counter() - start)))
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", help="photos or folders of them")
    parser.add_argument("--count", type=int, default=24, help="at most so many photos")
    parser.add_argument("--jobs", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--model")
    parser.add_argument("--memory-pictures", type=int, default=0, help="0 for no such run")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    photos = listing(arguments.photos).photos[: arguments.count]
    table = Table("jobs", "pictures/s", "ratio", title=f"{len(photos)} photos")
    one_by_one = rate(photos, 1, arguments.model)
    table.add_row("1", f"{one_by_one:.2f}", "1.00")
    for jobs in arguments.jobs:
        together = rate(photos, jobs, arguments.model)
        table.add_row(str(jobs), f"{together:.2f}", f"{together / one_by_one:.2f}")
    console.print(table)
    table = Table("batch", "pictures/s", "ratio", title="the bare focus, one thread")
    rates = batched(arguments.model)
    for size, pictures in rates:
        table.add_row(str(size), f"{pictures:.2f}", f"{pictures / rates[0][1]:.2f}")
    console.print(table)
    if arguments.memory_pictures:
        table = Table("pictures", "MB", "ratio", title="memory")
        steps = growth(arguments.memory_pictures, arguments.jobs[0], arguments.model)
        for done, megabytes in steps:
            table.add_row(str(done), f"{megabytes:.0f}", f"{megabytes / steps[0][1]:.3f}")
        console.print(table)


if __name__ == "__main__":
    main()
