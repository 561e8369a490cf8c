"""Colours of a cut-out: the old background's, left at the edge, shine as a halo on a new one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, validated_alpha


def colour_error(
    foreground: NDArray[np.floating[Any]], true_foreground: NDArray[np.floating[Any]], true: Alpha
) -> float:
    """Mean of |foreground − true foreground| where the subject is translucent: halos.

    A pixel weighs α(1 − α), so that neither the opaque inside, whose colour is the photo's, nor
    the invisible outside hides what happens in the fur.

    Args:
        foreground: (H, W, 3) straight colours of the cut-out in [0, 1].
        true_foreground: (H, W, 3) colours in [0, 1].
        true: (H, W) true alpha in [0, 1].

    Returns:
        In [0, 1], the mean over the three channels; 0 where nothing is translucent.

    Raises:
        ValueError: if a size, type or value does not fit.
    """
    validated_alpha(true, "true alpha")
    for name, colours in (("foreground", foreground), ("true foreground", true_foreground)):
        validated_alpha(colours, name, "H, W, 3")
        if colours.shape != (*true.shape, 3):
            raise ValueError(f"{name} is {colours.shape}; it must be {(*true.shape, 3)}")
    weight = true.astype(np.float64) * (1 - true.astype(np.float64))
    total = float(weight.sum())
    if total == 0:
        return 0.0
    error = np.abs(np.subtract(foreground, true_foreground, dtype=np.float64)).mean(axis=2)
    return float((weight * error).sum() / total)
