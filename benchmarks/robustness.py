"""How far a model's error grows with rotation and with small subjects, and what options mend.

python benchmarks/robustness.py FOLDER --backgrounds FOLDER [--models NAME-OR-FILE...] -o OUT

FOLDER holds `image/` and `alpha/` (or `trimap/`, then without subject sizes). For each model a
table is printed and plots are drawn: OUT/MODEL-rotation.png and OUT/MODEL-size.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite, estimated_foreground, fitted_background
from animatte.data.folders import Truth, labelled, pictures
from animatte.engine import Network, load_network
from animatte.images import read_photo
from animatte.looks import Looks, When
from animatte.metrics import picture_scores
from animatte.predictor import Predictor

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Array = NDArray[np.float32]
MODES: tuple[When, ...] = ("never", "auto", "always")
CANVAS = 1280  # longer side of pictures with pasted subjects


class Score(NamedTuple):
    """Means over the pictures: MAD·10³, IoU, processor seconds, share turned or zoomed."""

    mad: float
    iou: float
    seconds: float
    used: float


def rotated(truth: Truth, degrees: float) -> Truth:
    """Turn counter-clockwise; on a canvas of the same size, unless by a quarter."""
    if degrees % 90 == 0:
        quarters = round(degrees / 90)
        return Truth(
            np.ascontiguousarray(np.rot90(truth.image, quarters)),
            np.ascontiguousarray(np.rot90(truth.alpha, quarters)),
            np.ascontiguousarray(np.rot90(truth.known, quarters)),
        )
    height, width = truth.alpha.shape
    size = (width, height)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    image = cv2.warpAffine(truth.image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    alpha = cv2.warpAffine(truth.alpha, matrix, size)
    known = cv2.warpAffine(truth.known.astype(np.float32), matrix, size) > 0.99
    return Truth(np.asarray(image, np.float32), np.asarray(alpha, np.float32), np.asarray(known))


def pasted(truth: Truth, background: Array, divisor: float, random: np.random.Generator) -> Truth:
    """Put the subject on a background, its longer side CANVAS / divisor, at a random place."""
    rows, columns = (np.flatnonzero(truth.alpha.max(axis=axis) > 0.05) for axis in (1, 0))
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    alpha = truth.alpha[area]
    foreground = estimated_foreground(truth.image, truth.alpha)[area]
    scale = CANVAS / divisor / max(alpha.shape)
    size = tuple(max(1, round(side * scale)) for side in alpha.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    alpha, foreground = (
        np.clip(cv2.resize(part, size[::-1], interpolation=how), 0, 1, dtype=np.float32)
        for part in (alpha, foreground)
    )
    height = min(CANVAS, max(CANVAS * 3 // 4, size[0]))
    canvas = fitted_background(background, (height, CANVAS))
    top, left = (
        int(random.integers(0, side - part + 1))
        for side, part in zip((height, CANVAS), size, strict=True)
    )
    place = slice(top, top + size[0]), slice(left, left + size[1])
    image, whole = canvas.copy(), np.zeros((height, CANVAS), np.float32)
    image[place] = composite(foreground, canvas[place], alpha)
    whole[place] = alpha
    return Truth(image, whole, np.ones(whole.shape, bool))


def measured(predictor: Predictor, truths: Iterator[Truth]) -> Score:
    """Score one way of looking on pictures whose alpha is known."""
    rows = []
    for truth in truths:
        start = process_time()
        matte = predictor.matte(truth.image)
        seconds = process_time() - start
        scores = picture_scores(matte.alpha, truth.alpha, truth.known)
        used = float(matte.turned != 0 or bool(matte.zoomed))
        rows.append((1e3 * scores["mad"], scores["iou"], seconds, used))
    return Score(*(float(mean) for mean in np.mean(rows, axis=0)))


def against_rotation(
    network: Network, truths: Sequence[Truth], angles: Sequence[float]
) -> Mapping[When, list[Score]]:
    """Score `--straighten` at each angle."""
    return {
        mode: [
            measured(
                Predictor(network, looks=Looks(straighten=mode)),
                (rotated(truth, angle) for truth in truths),
            )
            for angle in angles
        ]
        for mode in MODES
    }


def against_size(
    network: Network,
    truths: Sequence[Truth],
    backgrounds: Sequence[Path],
    divisors: Sequence[float],
) -> Mapping[When, list[Score]]:
    """Score `--zoom` at each size; every mode and size sees the same pairs and places."""

    def scenes(divisor: float) -> Iterator[Truth]:
        random = np.random.default_rng(0)
        for number, truth in enumerate(truths):
            background = read_photo(backgrounds[number * 7 % len(backgrounds)]).image
            yield pasted(truth, background, divisor, random)

    return {
        mode: [
            measured(Predictor(network, looks=Looks(zoom=mode)), scenes(divisor))
            for divisor in divisors
        ]
        for mode in MODES
    }


def print_table(
    title: str, labels: Sequence[str], scores: Mapping[When, Sequence[Score]], option: str
) -> None:
    print(f"\n{title}")
    print("| | | " + " | ".join(labels) + " |")
    print("|---|---" + "|---" * len(labels) + "|")
    for mode, row in scores.items():
        pairs = list(zip(row, scores["never"], strict=True))
        cells: dict[str, list[str]] = {
            "MAD·10³": [f"{one.mad:.1f} (x {one.mad / off.mad:.2f})" for one, off in pairs],
            "IoU": [f"{one.iou:.3f}" for one, _ in pairs],
            "time": [f"x {one.seconds / off.seconds:.1f}" for one, off in pairs],
            "used": [f"{one.used:.0%}" for one, _ in pairs],
        }
        for name, values in cells.items():
            if mode != "never" or name in ("MAD·10³", "IoU"):
                print(f"| `{option} {mode}` | {name} | " + " | ".join(values) + " |")


def draw(
    path: Path, title: str, labels: Sequence[str], scores: Mapping[When, Sequence[Score]]
) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for mode, row in scores.items():
        left.plot(labels, [score.mad for score in row], marker="o", label=mode)
        right.plot(labels, [score.iou for score in row], marker="o", label=mode)
    left.set_ylabel("MAD·10³ (less is better)")
    right.set_ylabel("IoU (more is better)")
    left.set_ylim(bottom=0)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="image/ and alpha/ or trimap/")
    parser.add_argument("--backgrounds", type=Path, help="pictures without a subject")
    parser.add_argument("--models", nargs="+", default=[None], metavar="NAME|FILE")
    parser.add_argument("--angles", nargs="*", type=float, default=[0, 30, 60, 90, 120, 150, 180])
    parser.add_argument("--divisors", nargs="*", type=float, default=[1, 2, 4, 8])
    parser.add_argument("--count", type=int, default=20, help="pictures, evenly spaced")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("-o", "--output", type=Path, default=Path("robustness"))
    return parser.parse_args()


def main() -> None:
    options = parsed_arguments()
    pairs = labelled(options.folder)
    step = max(1, len(pairs) // options.count)
    truths = [pair.truth() for pair in pairs[step // 2 :: step][: options.count]]
    for model in options.models:
        network = load_network(model, options.device, options.threads)
        where = f"{network.name} on {len(truths)} of {options.folder.name}"
        if options.angles:
            rotation = against_rotation(network, truths, options.angles)
            labels = [f"{angle:g}°" for angle in options.angles]
            print_table(f"{where}, rotated by", labels, rotation, "--straighten")
            draw(
                options.output / f"{network.name}-rotation.png",
                f"{where}: rotation",
                labels,
                rotation,
            )
        if options.divisors and options.backgrounds and all(truth.known.all() for truth in truths):
            backgrounds = pictures(options.backgrounds)
            size = against_size(network, truths, backgrounds, options.divisors)
            labels = [f"1/{divisor:g}" for divisor in options.divisors]
            print_table(f"{where}, subject's longer side", labels, size, "--zoom")
            draw(options.output / f"{network.name}-size.png", f"{where}: size", labels, size)


if __name__ == "__main__":
    main()
