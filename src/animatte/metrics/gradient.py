"""Grad: where the edges of a matte are too soft, too hard, or elsewhere (Rhemann et al. 2009)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha
from animatte.metrics.protocols import GradRule
from animatte.metrics.windows import bounding_window

_BORDERS = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}
Doubles = NDArray[np.float64]


def gradient_error(predicted: Alpha, true: Alpha, rule: GradRule) -> Doubles:
    """Squared difference of the gradients' magnitudes at each pixel; Grad is its sum / divisor.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        rule: filter, border and stretching of a protocol.

    Returns:
        (H, W), at least 0, not yet divided.
    """
    one, other = _prepared(predicted, rule), _prepared(true, rule)
    error = np.zeros(one.shape)
    differing = one != other
    if differing.any():
        # Beyond the filter's reach of what differs the gradients are the same.
        seen = bounding_window(differing, 2 * rule.radius)
        felt = bounding_window(differing, rule.radius)
        inner = tuple(
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in zip(felt, seen, strict=True)
        )
        difference = _magnitude(one[seen], rule)[inner] - _magnitude(other[seen], rule)[inner]
        np.square(difference, out=error[felt])
    return error


def gradient_magnitude(alpha: Alpha, rule: GradRule) -> Doubles:
    """Length of the gradient of a Gaussian-smoothed alpha.

    Args:
        alpha: (H, W) in [0, 1].
        rule: filter, border and stretching of a protocol.

    Returns:
        (H, W), at least 0.
    """
    return _magnitude(_prepared(alpha, rule), rule)


def derivative_filter(rule: GradRule) -> tuple[Doubles, Doubles]:
    """Return the Gaussian and its derivative, whose outer product is the filter; each (2r + 1,)."""
    offsets = np.arange(-rule.radius, rule.radius + 1, dtype=np.float64)
    smooth = np.exp(-(offsets**2) / (2 * rule.sigma**2))
    smooth /= smooth.sum()
    slope = offsets / rule.sigma**2 * smooth
    if rule.unit_norm:
        smooth, slope = smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)
    return smooth, slope


def _prepared(alpha: NDArray[Any], rule: GradRule) -> Doubles:
    doubles = alpha.astype(np.float64, copy=False)
    low, high = doubles.min(), doubles.max()
    if not rule.stretched or low == high or (low, high) == (0, 1):
        return doubles
    return np.asarray((doubles - low) / (high - low), np.float64)


def _magnitude(image: Doubles, rule: GradRule) -> Doubles:
    smooth, slope = derivative_filter(rule)
    border = _BORDERS[rule.border]
    across = cv2.sepFilter2D(image, cv2.CV_64F, slope, smooth, borderType=border)
    down = cv2.sepFilter2D(image, cv2.CV_64F, smooth, slope, borderType=border)
    return np.asarray(cv2.magnitude(across, down), np.float64)
