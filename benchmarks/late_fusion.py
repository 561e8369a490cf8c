"""The late fusion paper's own ablation: each branch alone, the fusion, and its guided filter.

MAD, MSE and IoU over the whole picture and over the transition dilated by 25 pixels, as
the paper's table has them, on folders with `image/` and `alpha/`. A ratio compares each row with
the foreground branch alone, in the same run:
`python benchmarks/late_fusion.py lfm-s.onnx validation/duts_animals validation/alphamatting`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from animatte.data.folders import Pair, labelled
from animatte.engine import Network, load_network
from animatte.metrics import picture_scores
from animatte.refinement import guided_enlargement
from animatte.refining import named_refinement
from animatte.scales import LongerSide, resized
from animatte.trimap import transition_area, trimap_from_alpha

Array = NDArray[np.float32]
Area = NDArray[np.bool_]

BAND = 51  # an ellipse that reaches 25 pixels
METRICS = ("mad", "mse", "iou")


def predictions(network: Network, image: Array, view: int) -> Iterator[tuple[str, Array]]:
    """Yield each row of the table with its alpha at the picture's size."""
    height, width = image.shape[:2]
    size = LongerSide(view).size((height, width), network.stride)
    seen = resized(image, size)
    foreground, background = network.branches(seen)
    fused = np.clip(network.alpha(seen), 0, 1)
    rows = {"foreground branch": foreground, "background branch": 1 - background, "fused": fused}
    for name, alpha in rows.items():
        yield name, _at_size(alpha, seen, image)
    yield "fused, refined", named_refinement("guided")(_at_size(fused, seen, image), image)


def _at_size(alpha: Array, seen: Array, image: Array) -> Array:
    """Every row is brought to the picture's size in one way."""
    if alpha.shape[0] < image.shape[0] and alpha.shape[1] < image.shape[1]:
        return guided_enlargement(alpha, seen, image)
    return np.asarray(np.clip(resized(alpha, image.shape[:2]), 0, 1), np.float32)


def areas(alpha: Array, known: Area) -> dict[str, Area]:
    """The whole picture, and the band around its transition."""
    band = transition_area(trimap_from_alpha(alpha, BAND))
    return {"whole": known, "band": known & band}


def picture_rows(
    network: Network, pair: Pair, view: int
) -> dict[tuple[str, str], Mapping[str, float]]:
    """Scores of one picture by row and area."""
    truth = pair.truth()
    inside = {name: area for name, area in areas(truth.alpha, truth.known).items() if area.any()}
    return {
        (row, name): picture_scores(alpha, truth.alpha, area)
        for row, alpha in predictions(network, truth.image, view)
        for name, area in inside.items()
    }


def table(folder: Path, scores: list[dict[tuple[str, str], Mapping[str, float]]]) -> Table:
    result = Table(
        "row", "area", "MAD·10³", "MSE·10³", "IoU", "MAD / foreground branch", title=folder.name
    )
    for row, area in scores[0]:
        means = _means(scores, row, area)
        reference = _means(scores, "foreground branch", area)
        result.add_row(
            row,
            area,
            f"{means['mad'] * 1e3:.2f}",
            f"{means['mse'] * 1e3:.2f}",
            f"{means['iou']:.4f}",
            f"{means['mad'] / reference['mad']:.3f}",
        )
    return result


def _means(
    scores: list[dict[tuple[str, str], Mapping[str, float]]], row: str, area: str
) -> dict[str, float]:
    pictures = [picture[row, area] for picture in scores if (row, area) in picture]
    return {metric: float(np.mean([each[metric] for each in pictures])) for metric in METRICS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a late fusion network, .onnx or .safetensors")
    parser.add_argument("folders", type=Path, nargs="+", help="with image/ and alpha/")
    parser.add_argument("--view", type=int, default=416, help="longer side that it sees")
    parser.add_argument("--pictures", type=int, default=None, help="of each folder; default all")
    options = parser.parse_args()

    network = load_network(options.model)
    if network.rosta != "LFM":
        parser.error(f"{options.model} is no late fusion network but {network.rosta}")
    console = Console(highlight=False)
    for folder in options.folders:
        pairs = labelled(folder)[: options.pictures]
        scores = [picture_rows(network, pair, options.view) for pair in pairs]
        console.print(table(folder, scores))


if __name__ == "__main__":
    main()
