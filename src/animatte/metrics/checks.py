"""Arrays that metrics take: one line says what is wrong with one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.floating[Any]]
Region = NDArray[np.bool_]

_SLACK = 1e-6  # rounding of float32 arithmetic may leave [0, 1] by this much


def validated_pair(predicted: Alpha, true: Alpha, dimensions: str = "H, W") -> tuple[Alpha, Alpha]:
    """Pass on two arrays of alpha, refuse what is no alpha or does not fit together.

    Args:
        predicted: floats in [0, 1].
        true: floats in [0, 1], of the same shape.
        dimensions: what the shape must be, in words: its commas are counted.

    Raises:
        ValueError: naming the array, its value and the rule.
    """
    for name, alpha in (("predicted", predicted), ("true", true)):
        validated_alpha(alpha, f"{name} alpha", dimensions)
    validate_same_size(predicted.shape, true.shape, f"({dimensions})")
    return predicted, true


def validate_same_size(predicted: tuple[int, ...], true: tuple[int, ...], shape: str) -> None:
    """Refuse two alphas of different sizes."""
    if predicted != true:
        raise ValueError(
            f"predicted alpha is {predicted}, true alpha {true}; both must be {shape} of one size: "
            "resize the prediction"
        )


def validated_regions(trimap: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Pass on a trimap, refuse one that does not fit the alpha.

    Args:
        trimap: uint8: 0 background, 255 foreground, any value between unknown.
        shape: of the alpha.

    Raises:
        ValueError: for another type, or another size than the alpha.
    """
    if trimap.dtype != np.uint8:
        raise ValueError(
            f"trimap is {trimap.dtype}; it must be uint8 with 0 for background, 255 for "
            "foreground and 128 for unknown"
        )
    if trimap.shape != shape:
        raise ValueError(f"trimap is {trimap.shape}, alpha {shape}; both must be of one size")
    return trimap


def validated_alpha(alpha: NDArray[Any], name: str, dimensions: str = "H, W") -> NDArray[Any]:
    """Pass on an array of alpha, or of colours, refuse what is none.

    Args:
        alpha: floats in [0, 1].
        name: what it is, for the message.
        dimensions: what the shape must be, in words: its commas are counted.

    Raises:
        ValueError: naming the array, its value and the rule.
    """
    if not np.issubdtype(alpha.dtype, np.floating):
        raise ValueError(
            f"{name} is {alpha.dtype}; it must be floating point in [0, 1]: divide 8 bits by 255"
        )
    if alpha.ndim != dimensions.count(",") + 1 or alpha.size == 0:
        raise ValueError(
            f"{name} is {alpha.shape}; it must be ({dimensions}), each at least 1, all of one size"
        )
    low, high = float(alpha.min()), float(alpha.max())
    if np.isnan(low) or np.isnan(high):
        raise ValueError(f"{name} holds NaN; every pixel must be a number in [0, 1]")
    if low < -_SLACK or high > 1 + _SLACK:
        raise ValueError(
            f"{name} lies in [{low:g}, {high:g}]; it must be in [0, 1]: clip it, or divide by its "
            "scale"
        )
    return alpha
