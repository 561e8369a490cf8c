"""How fast a film is cut, against the bare speed of the model in the same run.

The model alone takes frames that are already in memory, and nothing is done with its mattes;
`animatte video` decodes, steadies, estimates colours and encodes besides. Both take turns, as a
busy machine hits whoever is at work.

Run: `python -m benchmarks.video --frames 24`, from the root of the repository.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from benchmarks.moving_picture import write_moving_picture

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


def cut(predictor: Predictor, film: Path, output: Path, stabilise: str) -> None:
    name = next(name for name, (_, suffix) in CASES.items() if suffix == output.suffix)
    kind = "cutout" if CASES[name][0] == "cutout" else "matte"
    options = VideoOptions(FORMATS[name], kind=kind, stabilise=stabilise)  # type: ignore[arg-type]
    cut_video(predictor, opened(str(film)), output, options, identity={}, resume=False)


def times_of(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of all processors."""
    start, used = perf_counter(), process_time()
    work()
    return perf_counter() - start, process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=Path("examples/chelsea.png"))
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--stabilise", default="flow")
    options = parser.parse_args()
    predictor = animatte.load()
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        picture = np.asarray(read_photo(options.picture).colour, np.uint8)
        size = (options.height, options.width)
        write_moving_picture(picture, film, size, options.frames)
        window = Window(Fraction(0))
        photos = [frame.photo for frame in opened(str(film)).frames(window)]
        bare(predictor, photos[:2])  # sessions start with their first picture
        outputs = {name: Path(folder) / f"{name}{suffix}" for name, (_, suffix) in CASES.items()}
        times: dict[str, list[tuple[float, float]]] = {}
        for _ in range(options.repeats):
            times.setdefault("bare", []).append(times_of(lambda: bare(predictor, photos)))
            for name, output in outputs.items():
                work = lambda output=output: cut(predictor, film, output, options.stabilise)  # noqa: E731
                times.setdefault(name, []).append(times_of(work))
        # The least of each: what others on the machine took away is in none of them.
        least = {
            name: [min(column) for column in zip(*rows, strict=True)]
            for name, rows in times.items()
        }
        model, model_used = least.pop("bare")
        count = len(photos)
        print(f"{options.width} x {options.height}, {count} frames, {predictor.name}")
        print(
            f"model alone     {count / model:6.2f} frames/s, "
            f"{model_used / count:.2f} s of cores each"
        )
        for name, (whole, used) in least.items():
            print(
                f"{name:<7}{CASES[name][0]:<8} {count / whole:6.2f} frames/s, "
                f"{used / count:.2f} s of cores each: {100 * (1 - model / whole):.1f} % slower by "
                f"the clock, {100 * (1 - model_used / used):.1f} % by the cores' time"
            )


if __name__ == "__main__":
    main()
