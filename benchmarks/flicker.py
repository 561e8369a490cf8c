"""How much mattes flicker, steadied in each way, on films whose true masks are known.

dtSSD is `animatte.metrics.dtssd`: how much alpha changes where the true one does not. IoU guards
against the way out that changes nothing at all. The ratio is to each frame on its own.

Run: `python benchmarks/flicker.py FOLDER...`, each with `frame/` and `mask/`, pictures in order.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import animatte
from animatte.images import read_alpha
from animatte.metrics import dtssd, intersection_over_union, mean_absolute_difference
from animatte.predictor import Predictor
from animatte.video.frames import Window
from animatte.video.sequences import SequenceClip, pictures_of
from animatte.video.stabilisation import STABILISERS, MattedFrame, reduced_view

Alphas = NDArray[np.float32]


def matted(predictor: Predictor, folder: Path) -> Iterator[MattedFrame]:
    for frame in SequenceClip(str(folder), Fraction(25)).frames(Window()):
        alpha = predictor.matte(frame.photo).alpha
        yield MattedFrame(frame, alpha, reduced_view(frame.photo.image))


def scores(alphas: Alphas, true: Alphas) -> tuple[float, float, float]:
    """DtSSD, MAD·10³ and mean IoU."""
    pairs = list(zip(alphas, true, strict=True))
    iou = np.mean([intersection_over_union(found, mask) for found, mask in pairs])
    mad = np.mean([mean_absolute_difference(found, mask) for found, mask in pairs])
    return dtssd(alphas, true), 1000 * float(mad), float(iou)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, help="of each film; all if not given")
    options = parser.parse_args()
    predictor = animatte.load()
    print("dtSSD / MAD·10³ / IoU")
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in STABILISERS}
    for folder in options.folders:
        frames = list(matted(predictor, folder / "frame"))[: options.frames]
        masks = pictures_of(str(folder / "mask"))[: len(frames)]
        true = np.stack([(read_alpha(path) > 0.5).astype(np.float32) for path in masks])
        for name, stabilised in STABILISERS.items():
            alphas = np.stack([item.alpha for item in stabilised(iter(frames), None)])
            rows[name].append(scores(alphas, true))
        line = ", ".join(f"{name} " + told(row[-1]) for name, row in rows.items())
        print(f"{folder.name}: {line}", flush=True)
    means = {name: np.mean(row, axis=0) for name, row in rows.items()}
    for name, mean in means.items():
        ratio = mean[0] / means["none"][0]
        print(f"mean, {name}: {told(mean)}, dtSSD {ratio:.3f} of each frame on its own")


def told(row: NDArray[np.floating] | tuple[float, ...]) -> str:
    flicker, mad, iou = row
    return f"{flicker:.2f} / {mad:.1f} / {iou:.3f}"


if __name__ == "__main__":
    main()
