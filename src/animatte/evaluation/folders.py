"""How good a model is on folders of pictures whose alpha, or trimap, is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from animatte.data.folders import labelled
from animatte.metrics import picture_scores
from animatte.predictor import Predictor


@dataclass(frozen=True)
class FolderScores:
    """Scores of every picture of a folder.

    Attributes:
        folder: where the pictures are.
        pictures: for each picture's name, its scores by metric (`animatte.metrics`).
    """

    folder: Path
    pictures: Mapping[str, Mapping[str, float]]

    def column(self, metric: str) -> list[float]:
        """One metric of all pictures."""
        return [scores[metric] for scores in self.pictures.values()]

    def mean(self, metric: str) -> float:
        """Mean of a metric over the pictures."""
        return mean(self.column(metric))

    def median(self, metric: str) -> float:
        """Median of a metric over the pictures."""
        return median(self.column(metric))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON: means, medians, and each picture's scores."""
        metrics = next(iter(self.pictures.values()))
        return {
            "folder": str(self.folder),
            "mean": {metric: self.mean(metric) for metric in metrics},
            "median": {metric: self.median(metric) for metric in metrics},
            "pictures": self.pictures,
        }


def evaluated(predictor: Predictor, folders: Sequence[Path]) -> Iterator[FolderScores]:
    """Yield each folder's scores: `image/` beside `alpha/`, or beside `trimap/`.

    Of a trimap the unknown pixels are left out.

    Args:
        predictor: the model.
        folders: checked before the first is begun.

    Raises:
        ValueError: if a folder is missing or a picture has no partner.
    """
    for folder, pairs in [(folder, labelled(folder)) for folder in folders]:
        pictures = {}
        for pair in pairs:
            truth = pair.truth()
            predicted = predictor.alpha(truth.image)
            pictures[pair.name] = picture_scores(predicted, truth.alpha, truth.known)
        yield FolderScores(folder, pictures)
