"""Trimaps: background, transition and foreground, as GFM derives them from alpha."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

BACKGROUND: Final = np.uint8(0)
TRANSITION: Final = np.uint8(128)
FOREGROUND: Final = np.uint8(255)


def trimap_from_alpha(alpha: NDArray[Any], kernel_size: int = 25) -> NDArray[np.uint8]:
    """Widen the transition area by dilation and erosion (Li et al. 2022, GFM, section 4.2).

    The paper's "25 pixels" is the size of the kernel, so each border moves by about 12.

    Args:
        alpha: (H, W) float in [0, 1].
        kernel_size: width and height of the elliptic kernel in pixels, at least 1.

    Returns:
        (H, W): FOREGROUND where all alpha under the kernel is 1, BACKGROUND where all of it is 0,
        TRANSITION elsewhere, so at least wherever 0 < alpha < 1.
    """
    trimap = np.full(alpha.shape, TRANSITION)
    trimap[~dilated_foreground(alpha, kernel_size)] = BACKGROUND
    trimap[eroded_foreground(alpha, kernel_size)] = FOREGROUND
    return trimap


def eroded_foreground(alpha: NDArray[Any], kernel_size: int = 50) -> NDArray[np.bool_]:
    """Surely foreground: alpha == 1 everywhere under the kernel (the label of RoSTa-FT).

    Args:
        alpha: (H, W) float in [0, 1].
        kernel_size: width and height of the elliptic kernel in pixels, at least 1.

    Returns:
        (H, W). Outside the picture counts as foreground, so its border does not erode.
    """
    return np.asarray(cv2.erode(_binary(alpha >= 1), _ellipse(kernel_size)), np.bool_)


def dilated_foreground(alpha: NDArray[Any], kernel_size: int = 50) -> NDArray[np.bool_]:
    """Possibly foreground: alpha > 0 somewhere under the kernel (the label of RoSTa-BT).

    Args:
        alpha: (H, W) float in [0, 1].
        kernel_size: width and height of the elliptic kernel in pixels, at least 1.

    Returns:
        (H, W).
    """
    return np.asarray(cv2.dilate(_binary(alpha > 0), _ellipse(kernel_size)), np.bool_)


def transition_area(trimap: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where alpha is to be found: (H, W), true where the trimap says TRANSITION."""
    return np.equal(trimap, TRANSITION)


def validated_trimap(trimap: NDArray[Any]) -> NDArray[np.uint8]:
    """Pass on a trimap as uint8, refuse one with other labels.

    Args:
        trimap: (H, W) of 0, 128 and 255, of any dtype.

    Raises:
        ValueError: for another shape, or naming a value that is no label.
    """
    if trimap.ndim != 2:
        raise ValueError(f"trimap has shape {trimap.shape}; it must be (H, W)")
    labels = (BACKGROUND, TRANSITION, FOREGROUND)
    strange = trimap[~np.isin(trimap, labels)]
    if strange.size:
        raise ValueError(
            f"trimap holds {strange[0]}; it may hold only 0 (background), 128 (transition) and "
            "255 (foreground): make one with trimap_from_alpha"
        )
    return trimap.astype(np.uint8)


def _binary(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if mask.ndim != 2:
        raise ValueError(f"alpha has shape {mask.shape}; it must be (H, W)")
    return mask.astype(np.uint8)


def _ellipse(kernel_size: int) -> NDArray[np.uint8]:
    if kernel_size < 1:
        raise ValueError(f"kernel size is {kernel_size}; it must be at least 1 pixel")
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_size, kernel_size))
    return np.asarray(kernel, np.uint8)
