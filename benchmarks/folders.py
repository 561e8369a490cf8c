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
from animatte.batch import Result, cut_photos
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
        for result in cut_photos(predictor, photos, targets, CutOptions(), jobs=jobs):
            check(result)
        seconds = perf_counter() - start
    return len(photos) / seconds


def check(result: Result) -> None:
    """A benchmark of what fails would be worth nothing."""
    if not isinstance(result, CutReport):
        raise SystemExit(f"not cut: {result}")


def growth(count: int, jobs: int, model: str | None) -> list[tuple[int, float]]:
    """How much memory is in use after how many small pictures of many sizes, seen small, too."""
    generator = np.random.default_rng(0)
    predictor = animatte.load(model, strategy="hybrid", threads=1)
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
        used = []
        for done, result in enumerate(results, 1):
            check(result)
            if done in steps:
                used.append((done, resident()))
        return used


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
    parser.add_argument("photos", nargs="*", help="photos or folders of them")
    parser.add_argument("--count", type=int, default=24, help="at most so many photos")
    parser.add_argument("--jobs", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--model")
    parser.add_argument("--memory-pictures", type=int, default=0, help="0 for no such run")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    if arguments.photos:
        photos = listing(arguments.photos).photos[: arguments.count]
        rates = [(jobs, rate(photos, jobs, arguments.model)) for jobs in (1, *arguments.jobs)]
        console.print(table(f"{len(photos)} photos", ("jobs", "pictures/s"), rates))
    console.print(table("the bare focus", ("batch", "pictures/s"), batched(arguments.model)))
    if arguments.memory_pictures:
        steps = growth(arguments.memory_pictures, arguments.jobs[0], arguments.model)
        console.print(table("memory", ("pictures", "MB"), steps))


def table(title: str, names: tuple[str, str], rows: Sequence[tuple[int, float]]) -> Table:
    """Numbers, and their ratio to the first."""
    result = Table(*names, "ratio", title=title)
    for label, value in rows:
        result.add_row(str(label), f"{value:.2f}", f"{value / rows[0][1]:.2f}")
    return result


if __name__ == "__main__":
    main()
