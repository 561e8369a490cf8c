"""Scores of a network in training, on pictures it does not learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from animatte.data.folders import Pair, labelled
from animatte.engine import WHOLE_OUTPUTS
from animatte.metrics import picture_scores
from animatte.models.registry import MattingNetwork
from animatte.seeing import full_size_alpha
from animatte.strategies import views, whole
from animatte.torch_engine import TorchNetwork
from animatte.training.recipe import ValidationSection

WATCHED_SCORES = ("mad", "iou")


def validation_pairs(section: ValidationSection | None) -> dict[str, list[Pair]]:
    """Find the pictures of each folder that a recipe watches.

    Raises:
        ValueError: if a folder is missing.
    """
    if section is None:
        return {}
    return {
        str(folder): labelled(section.root / folder)[: section.pictures]
        for folder in section.folders
    }


def validation_scores(
    network: MattingNetwork, pairs: Mapping[str, Sequence[Pair]], view: int
) -> dict[str, dict[str, float]]:
    """Return mean MAD and IoU of each folder, by one look at the whole picture.

    Args:
        network: in any mode; it is left in evaluation.
        pairs: pictures of each folder.
        view: longer side of what the network sees.
    """
    seen = TorchNetwork(network, next(network.parameters()).device.type)
    strategy = whole(view) if seen.rosta in WHOLE_OUTPUTS else views(view, view, mirrored=None)
    scores: dict[str, dict[str, float]] = {}
    for name, folder in pairs.items():
        rows = []
        for pair in folder:
            truth = pair.truth()
            predicted = full_size_alpha(seen, truth.image, strategy)
            rows.append(picture_scores(predicted, truth.alpha, truth.known))
        scores[name] = {
            metric: round(float(np.mean([row[metric] for row in rows])), 5)
            for metric in WATCHED_SCORES
        }
    return scores
