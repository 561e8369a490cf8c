"""Memory and time of `animatte cut` from 1 to 100 megapixels, each in a process of its own.

The reference, in the same run, is reading the photo and writing it as an RGBA PNG, nothing else:
what no cutting can do without. The last columns are what cutting adds, which should grow more with
the length of the subject's edge (the root of the pixels) than with the area. They count seconds of
all cores, which a busy machine lengthens less than those of the clock:
`python benchmarks/large.py photo.jpg --megapixels 1 4 16 64 100`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from PIL import Image
from rich.console import Console
from rich.table import Table

COPY = (
    "import sys, numpy as np\n"
    "from animatte.images import read_photo, write_image\n"
    "colour = read_photo(sys.argv[1]).colour\n"
    "write_image(sys.argv[2], colour, np.full(colour.shape[:2], 255, np.uint8))"
)


class Cost(NamedTuple):
    """What a process took: seconds by the clock, seconds of all cores, megabytes at the peak."""

    seconds: float
    core_seconds: float
    megabytes: float


def cost(arguments: list[str]) -> Cost:
    """Run a process and see."""
    start = perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    core_seconds = usage.ru_utime + usage.ru_stime
    return Cost(perf_counter() - start, core_seconds, usage.ru_maxrss / 1024)


def enlarged(photo: Path, megapixels: float, target: Path) -> None:
    """The photo at another size, as a file."""
    with Image.open(photo) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(target, quality=92)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 16, 64, 100])
    parser.add_argument("--suffix", default=".jpg", help=".jpg, .png or .tif")
    parser.add_argument("--options", default="", help="of animatte cut, in one string")
    arguments = parser.parse_args()
    table = Table("MP", "peak MB", "s", "core s", "read + write", "ratio", "added", "added / first")
    first = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for megapixels in arguments.megapixels:
            photo = folder / f"photo{arguments.suffix}"
            enlarged(arguments.photo, megapixels, photo)
            plain = cost([sys.executable, "-c", COPY, str(photo), str(folder / "copy.png")])
            cut = [sys.executable, "-m", "animatte", "cut", str(photo), "-o", f"{name}/out.png"]
            whole = cost([*cut, *arguments.options.split()])
            added = whole.core_seconds - plain.core_seconds
            first = first or added
            table.add_row(
                f"{megapixels:g}",
                f"{whole.megabytes:.0f}",
                f"{whole.seconds:.1f}",
                f"{whole.core_seconds:.1f}",
                f"{plain.core_seconds:.1f}",
                f"{whole.core_seconds / plain.core_seconds:.2f}",
                f"{added:.1f}",
                f"{added / first:.1f}",
            )
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
