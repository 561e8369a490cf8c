"""How fast a film is cut, against the bare speed of the model in the same run.

The model alone takes frames that are already in memory, and nothing is done with its mattes;
`animatte video` decodes, steadies, estimates colours and encodes besides. Both take turns, as a
busy machine hits whoever is at work.

Each film is cut to a third and to its end. What the second takes longer is what frames cost; the
rest is spent once a film, however long: it is opened, hashed, joined, and its first frame has
nobody to overlap with.

Run: `python -m benchmarks.video --frames 72`, from the root of the repository.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np
from benchmarks.moving_picture import RATE, write_moving_picture

import animatte
from animatte.images import Photo, read_photo
from animatte.predictor import Predictor
from animatte.video.formats import FORMATS
from animatte.video.frames import Window
from animatte.video.opening import opened
from animatte.video.options import VideoOptions
from animatte.video.running import cut_video

CASES = {"prores": ("cutout", ".mov"), "vp9": ("cutout", ".webm"), "h264": ("matte", ".mp4")}


def bare(predictor: Predictor, photos: list[Photo]) -> None:
    for photo in photos:
        predictor.matte(photo)


def cut(predictor: Predictor, film: Path, output: Path, end: Fraction, stabilise: str) -> None:
    name = output.stem
    options = VideoOptions(
        FORMATS[name],
        kind="cutout" if CASES[name][0] == "cutout" else "matte",
        stabilise=stabilise,
        window=Window(Fraction(0), end),
    )
    cut_video(predictor, opened(str(film)), output, options, identity={}, resume=False)


class Times(NamedTuple):
    """Seconds by the clock, and of all cores together."""

    clock: float
    cores: float


def times_of(work: Callable[[], None]) -> Times:
    start, used = perf_counter(), process_time()
    work()
    return Times(perf_counter() - start, process_time() - used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=Path("examples/chelsea.png"))
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--frames", type=int, default=72, help="at least 6")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stabilise", default="flow")
    options = parser.parse_args()
    predictor = animatte.load()
    counts = options.frames // 3, options.frames
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        picture = np.asarray(read_photo(options.picture).colour, np.uint8)
        size = (options.height, options.width)
        write_moving_picture(picture, film, size, options.frames)
        part = Window(Fraction(0), Fraction(counts[0], RATE))
        photos = [frame.photo for frame in opened(str(film)).frames(part)]
        bare(predictor, photos[:2])  # sessions start with their first picture
        times: dict[tuple[str, int], list[Times]] = {}
        for _ in range(options.repeats):
            for name, (_, suffix) in CASES.items():
                model = times_of(lambda: bare(predictor, photos))
                times.setdefault(("model", counts[0]), []).append(model)
                for count in counts:
                    output, end = Path(folder) / f"{name}{suffix}", Fraction(count, RATE)
                    work = partial(cut, predictor, film, output, end, options.stabilise)
                    times.setdefault((name, count), []).append(times_of(work))
    print(f"{options.width} x {options.height}, {options.frames} frames, {predictor.name}")
    tell(times, counts)


def tell(times: Mapping[tuple[str, int], list[Times]], counts: tuple[int, int]) -> None:
    """Print what a frame takes in each format, and what a film takes besides."""
    # The least of each: what others on the machine took away is in none of them.
    least = {
        key: Times(*(min(column) for column in zip(*rows, strict=True)))
        for key, rows in times.items()
    }
    few, many = counts
    model = Times(*(value / few for value in least["model", few]))
    print(f"model alone     {1 / model.clock:6.2f} frames/s, {model.cores:.3f} s of cores each")
    for name, (kind, _) in CASES.items():
        short, whole = least[name, few], least[name, many]
        frame = Times(
            *((long - brief) / (many - few) for long, brief in zip(whole, short, strict=True))
        )
        once = Times(*(brief - few * each for brief, each in zip(short, frame, strict=True)))
        lost = Times(*(100 * (1 - alone / each) for alone, each in zip(model, frame, strict=True)))
        print(
            f"{name:<7}{kind:<8} {1 / frame.clock:6.2f} frames/s, {frame.cores:.3f} s of cores "
            f"each: {lost.clock:.1f} % slower by the clock, {lost.cores:.1f} % by the cores' time; "
            f"once a film {once.clock:.2f} s, {once.cores:.2f} s of cores; all {many} frames "
            f"{100 * (1 - many * model.clock / whole.clock):.1f} % and "
            f"{100 * (1 - many * model.cores / whole.cores):.1f} %"
        )


if __name__ == "__main__":
    main()
