"""LFM's loss terms (Zhang et al. 2019, section 3.4), by the paper's letter or by its release.

They share a transition: T = 1 where alpha is fractional. What is a true foreground, and how
pixels add up, go with it:

========== ============== ================== ======================================
reading    T              foreground label   over pixels
========== ============== ================== ======================================
"release"  0.05 < α < 0.95  α > 0.05           mean (the default: sizes do not matter)
"paper"    0 < α < 1        α > 0              sum of each picture, mean of the batch
========== ============== ================== ======================================
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

ReadingName: TypeAlias = Literal["release", "paper"]
EPSILON = 1e-7


class Reading(NamedTuple):
    """How the paper's losses are read.

    Attributes:
        low: alpha up to it is background; above it, the label is 1.
        high: alpha from it on is foreground.
        summed: pixels are summed, not averaged.
    """

    low: float
    high: float
    summed: bool


READINGS: Final[dict[ReadingName, Reading]] = {
    "release": Reading(0.05, 0.95, summed=False),
    "paper": Reading(0.0, 1.0, summed=True),
}
DEFAULT_READING: ReadingName = "release"


def transition(alpha: Tensor, reading: ReadingName = DEFAULT_READING) -> Tensor:
    """T: 1.0 where alpha is fractional, 0.0 elsewhere; of the shape of `alpha`."""
    low, high, _ = READINGS[reading]
    return ((alpha > low) & (alpha < high)).to(alpha.dtype)


def branch_cross_entropy(
    predicted: Tensor, target: Tensor, reading: ReadingName = DEFAULT_READING
) -> Tensor:
    """CE = (1 − 0.5 T) · BCE(P, y), y = 1 where the target is above the reading's `low`.

    The transition counts half: there a branch may say either.

    Args:
        predicted: (B, 1, H, W) probability P of the branch.
        target: (B, 1, H, W) alpha for the foreground branch, 1 − alpha for the background branch.
        reading: a key of `READINGS`.
    """
    label = (target > READINGS[reading].low).to(predicted.dtype)
    entropy = functional.binary_cross_entropy(predicted, label, reduction="none")
    return _over_pixels((1 - 0.5 * transition(target, reading)) * entropy, reading)


def branch_difference(
    predicted: Tensor, target: Tensor, reading: ReadingName = DEFAULT_READING
) -> Tensor:
    """L_d = T · |P − t| + (1 − T) · (P − t)²; arguments as in `branch_cross_entropy`."""
    within = transition(target, reading)
    difference = predicted - target
    return _over_pixels(within * difference.abs() + (1 - within) * difference.square(), reading)


def gradient_difference(
    predicted: Tensor, target: Tensor, reading: ReadingName = DEFAULT_READING
) -> Tensor:
    """L_g = √((∂xP − ∂xt)² + ε) + √((∂yP − ∂yt)² + ε), each over the pixels.

    Forward differences, zero in the last row and column.

    Args:
        predicted: (B, 1, H, W).
        target: (B, 1, H, W).
        reading: a key of `READINGS`.
    """
    difference = predicted - target
    right = functional.pad(difference[..., :, 1:] - difference[..., :, :-1], (0, 1))
    down = functional.pad(difference[..., 1:, :] - difference[..., :-1, :], (0, 0, 0, 1))
    total = _over_pixels(_smooth_absolute(right), reading)
    return total + _over_pixels(_smooth_absolute(down), reading)


def fusion_difference(
    alpha: Tensor, true: Tensor, reading: ReadingName = DEFAULT_READING
) -> Tensor:
    """L_u = Σ w √((α − a)² + ε) / Σ w, w = T + 0.1 (1 − T); the paper's reading does not divide.

    The sums are those of a picture.

    Args:
        alpha: (B, 1, H, W) fused alpha.
        true: (B, 1, H, W) true alpha.
        reading: a key of `READINGS`.
    """
    within = transition(true, reading)
    weight = within + 0.1 * (1 - within)
    weighted = weight * _smooth_absolute(alpha - true)
    if READINGS[reading].summed:
        return _over_pixels(weighted, reading)
    return (weighted.flatten(1).sum(dim=1) / weight.flatten(1).sum(dim=1)).mean()


def fusion_sparsity(alpha: Tensor, reading: ReadingName = DEFAULT_READING) -> Tensor:
    """L_s = (α + 1e-5)^0.9 + (1 − α + 1e-5)^0.9: least where alpha is 0 or 1.

    Args:
        alpha: (B, 1, H, W) fused alpha in [0, 1].
        reading: a key of `READINGS`.
    """
    return _over_pixels((alpha + 1e-5) ** 0.9 + (1 - alpha + 1e-5) ** 0.9, reading)


def _smooth_absolute(difference: Tensor) -> Tensor:
    return torch.sqrt(difference.square() + EPSILON)


def _over_pixels(values: Tensor, reading: ReadingName) -> Tensor:
    if READINGS[reading].summed:
        return values.flatten(1).sum(dim=1).mean()
    return values.mean()
