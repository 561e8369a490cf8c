"""SAD, MSE and MAD: differences pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, Region, validate_same_size


def sum_of_absolute_differences(predicted: Alpha, true: Alpha) -> float:
    """SAD: Σ|d| / 1000 over the whole image (H, W), alpha in [0, 1]."""
    return float(np.abs(difference(predicted, true)).sum() / 1000)


def mean_squared_error(predicted: Alpha, true: Alpha) -> float:
    """MSE: mean of d² over the whole image (H, W), alpha in [0, 1]."""
    return float(np.square(difference(predicted, true)).mean())


def mean_absolute_difference(predicted: Alpha, true: Alpha) -> float:
    """MAD: mean of |d| over the whole image (H, W), alpha in [0, 1]."""
    return float(np.abs(difference(predicted, true)).mean())


def intersection_over_union(predicted: Alpha, true: Alpha, known: Region | None = None) -> float:
    """IoU of the two mattes cut at 0.5, in [0, 1]; 1 where both are empty.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        known: (H, W) pixels that count; None for all.
    """
    difference(predicted, true)  # refuses sizes that differ
    counted = np.ones(true.shape, bool) if known is None else known
    inside, true_inside = (predicted > 0.5) & counted, (true > 0.5) & counted
    union = int((inside | true_inside).sum())
    return float((inside & true_inside).sum() / union) if union else 1.0


def picture_scores(predicted: Alpha, true: Alpha, known: Region) -> dict[str, float]:
    """Return `sad`, `mse`, `mad` and `iou` of one picture, over the pixels whose alpha is known.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        known: (H, W) pixels that count. The means are over these; others are in no sum.
    """
    iou = intersection_over_union(predicted, true, known)
    predicted, true = predicted[known][:, None], true[known][:, None]
    return {
        "sad": sum_of_absolute_differences(predicted, true),
        "mse": mean_squared_error(predicted, true),
        "mad": mean_absolute_difference(predicted, true),
        "iou": iou,
    }


def difference(predicted: Alpha, true: Alpha) -> NDArray[np.float64]:
    """Return predicted − true in double precision, (H, W).

    Raises:
        ValueError: if the sizes differ.
    """
    validate_same_size(predicted.shape, true.shape, "(H, W)")
    doubled: NDArray[Any] = predicted.astype(np.float64)
    return doubled - true
