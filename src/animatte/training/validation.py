"""Scores of a network in training, on pictures it does not learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from accelerate import Accelerator
from accelerate.utils import broadcast

from animatte.data.folders import Pair, labelled
from animatte.engine import WHOLE_OUTPUTS
from animatte.metrics import picture_scores
from animatte.models.registry import MattingNetwork
from animatte.seeing import full_size_alpha
from animatte.strategies import views, whole
from animatte.torch_engine import TorchNetwork
from animatte.training.devices import gathered
from animatte.training.recipe import ValidationSection

OVERALL = "all folders"


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
    network: MattingNetwork,
    pairs: Mapping[str, Sequence[Pair]],
    view: int,
    accelerator: Accelerator,
) -> dict[str, dict[str, float]]:
    """Return the mean of each score of `picture_scores`, by one look at the whole picture.

    The processes share the pictures. All score with the buffers of the first, which are saved.

    Args:
        network: in any mode; it is left in evaluation.
        pairs: pictures of each folder.
        view: longer side of what the network sees.
        accelerator: knows the processes.

    Returns:
        By folder, and over all its pictures as `OVERALL`.
    """
    for buffer in network.buffers():
        broadcast(buffer)
    seen = TorchNetwork(network, accelerator.device.type)
    strategy = whole(view) if seen.rosta in WHOLE_OUTPUTS else views(view, view, mirrored=None)
    everything = [(name, pair) for name, folder in pairs.items() for pair in folder]
    own = []
    for index in range(accelerator.process_index, len(everything), accelerator.num_processes):
        name, pair = everything[index]
        truth = pair.truth()
        predicted = full_size_alpha(seen, truth.image, strategy)
        own.append((index, name, picture_scores(predicted, truth.alpha, truth.known)))
    rows = sorted(gathered(own))  # by number, so that sums do not depend on the processes
    folders = {folder: [row for _, name, row in rows if name == folder] for folder in pairs}
    folders[OVERALL] = [row for _, _, row in rows]
    return {name: mean_of_each(scores) for name, scores in folders.items()}


def mean_of_each(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each value over rows of the same names."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def is_better(score: float, best: float | None, name: str) -> bool:
    """Whether a score is better than the best so far; all but IoU are errors."""
    if best is None:
        return True
    return score > best if name == "iou" else score < best
