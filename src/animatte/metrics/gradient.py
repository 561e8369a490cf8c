"""Grad: where the edges of a matte are too soft, too hard, or elsewhere (Rhemann et al. 2009)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha
from animatte.metrics.protocols import GradRule

_BORDERS = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}


def gradient_error(predicted: Alpha, true: Alpha, rule: GradRule) -> NDArray[np.float64]:
    """Squared difference of the gradients' magnitudes at each pixel; Grad is its sum / divisor.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        rule: filter, border and stretching of a protocol.

    Returns:
        (H, W), at least 0, not yet divided.
    """
    difference = gradient_magnitude(predicted, rule) - gradient_magnitude(true, rule)
    return np.square(difference, out=difference)


def gradient_magnitude(alpha: Alpha, rule: GradRule) -> NDArray[np.float64]:
    """Length of the gradient of a Gaussian-smoothed alpha.

    Args:
        alpha: (H, W) in [0, 1].
        rule: filter, border and stretching of a protocol.

    Returns:
        (H, W), at least 0.
    """
    smooth, slope = derivative_filter(rule)
    image = _stretched(alpha.astype(np.float64)) if rule.stretched else alpha.astype(np.float64)
    border = _BORDERS[rule.border]
    across = cv2.sepFilter2D(image, cv2.CV_64F, slope, smooth, borderType=border)
    down = cv2.sepFilter2D(image, cv2.CV_64F, smooth, slope, borderType=border)
    return np.asarray(cv2.magnitude(across, down), np.float64)


def derivative_filter(rule: GradRule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Gaussian and its derivative, whose outer product is the filter; each (2r + 1,)."""
    offsets = np.arange(-rule.radius, rule.radius + 1, dtype=np.float64)
    smooth = np.exp(-(offsets**2) / (2 * rule.sigma**2))
    smooth /= smooth.sum()
    slope = offsets / rule.sigma**2 * smooth
    if rule.unit_norm:
        smooth, slope = smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)
    return smooth, slope


def _stretched(alpha: NDArray[Any]) -> NDArray[Any]:
    low, high = alpha.min(), alpha.max()
    return alpha if low == high else (alpha - low) / (high - low)
