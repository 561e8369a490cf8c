"""Scores of hard labels: a matte cut at 0.5, as segmentation is judged."""

from __future__ import annotations

import math

import numpy as np

from animatte.metrics.checks import Alpha, Region, validated_pair
from animatte.metrics.differences import intersection_over_union
from animatte.trimap import dilated

CUT = 0.5


def segmentation_scores(
    predicted: Alpha, true: Alpha, tolerance: float | None = None
) -> dict[str, float]:
    """Score two mattes cut at 0.5: more is inside.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        tolerance: see `boundary_f`.

    Returns:
        `iou` and `boundary_f`, each in [0, 1], 1 for equal labels.

    Raises:
        ValueError: if a size, type or value does not fit.
    """
    validated_pair(predicted, true)
    return {
        "iou": intersection_over_union(predicted, true),
        "boundary_f": boundary_f(predicted > CUT, true > CUT, tolerance),
    }


def boundary_f(predicted: Region, true: Region, tolerance: float | None = None) -> float:
    """F of the outlines (Perazzi et al. 2016, DAVIS): 2PR / (P + R), in [0, 1].

    P is the share of the predicted outline that lies near the true one, R the other way round.

    Args:
        predicted: (H, W) labels.
        true: (H, W) labels.
        tolerance: how near, in pixels; None for DAVIS' 0.8 % of the diagonal, rounded up.

    Returns:
        1 where neither has an outline, 0 where only one has.
    """
    if tolerance is None:
        tolerance = math.ceil(0.008 * math.hypot(*true.shape))
    outline, true_outline = _outline(predicted), _outline(true)
    if not outline.any() or not true_outline.any():
        return float(outline.any() == true_outline.any())
    precision = float(dilated(true_outline, tolerance)[outline].mean())
    recall = float(dilated(outline, tolerance)[true_outline].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(labels: Region) -> Region:
    """Pixels whose label is not that of their neighbour to the right, below, or between both."""
    padded = np.pad(labels, ((0, 1), (0, 1)), mode="edge")
    right, below, between = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return np.asarray((labels != right) | (labels != below) | (labels != between), np.bool_)
