"""Trimaps: background, transition and foreground, from a true alpha or from a predicted one."""

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


def trimap_from_branches(
    foreground: NDArray[Any], background: NDArray[Any], radius: int = 20
) -> NDArray[np.uint8]:
    """Trimap for other solvers from late fusion's two branches F and B (Zhang et al. 2019).

    Unknown is dilate(F > 0.5, 20 px) − erode((1 − B) > 0.5, 20 px). We read "20 px" as the reach:
    each border moves by 20 pixels, as under a disc 41 pixels wide.

    Args:
        foreground: (H, W) probability F of the foreground branch, in [0, 1].
        background: (H, W) probability B of the background branch, in [0, 1].
        radius: how far each border moves, in pixels of these arrays, at least 0.

    Returns:
        (H, W): FOREGROUND where erosion leaves 1 − B, BACKGROUND where dilation does not reach,
        TRANSITION elsewhere, so also wherever the two branches contradict each other. Outside the
        picture is as its border, so that a subject cut by the frame stays foreground there.

    Raises:
        ValueError: if the shapes are not (H, W) and equal, or the radius is below 0.
    """
    if foreground.shape != background.shape:
        raise ValueError(
            f"foreground is {foreground.shape}, background {background.shape}; "
            "both must be (H, W) of one size"
        )
    return _trimap_between(foreground > 0.5, 1 - background > 0.5, radius)


def trimap_around(
    alpha: NDArray[Any], radius: int = 20, possible: float = 0.05, sure: float = 0.95
) -> NDArray[np.uint8]:
    """Trimap for other solvers from a predicted alpha, whose 0 and 1 are not to be trusted.

    `trimap_from_branches`' rule with alpha, cut at two levels, in place of F and 1 − B. For a true
    alpha there is `trimap_from_alpha`.

    Args:
        alpha: (H, W) in [0, 1].
        radius: how far each border moves, in pixels of `alpha`, at least 0.
        possible: dilated is what lies above, in [0, 1].
        sure: eroded is what lies above, in [`possible`, 1].

    Returns:
        (H, W) of BACKGROUND, TRANSITION and FOREGROUND.

    Raises:
        ValueError: if the shape is not (H, W), the radius below 0, or the levels are out of order.
    """
    if not 0 <= possible <= sure <= 1:
        raise ValueError(
            f"possible is {possible} and sure {sure}; they must be in [0, 1] and in this order"
        )
    return _trimap_between(alpha > possible, alpha > sure, radius)


def transition_area(trimap: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where alpha is to be found: (H, W), true where the trimap says TRANSITION."""
    return np.equal(trimap, TRANSITION)


def dilated(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Dilate by a disc, through distances: linear in the pixels, however wide the disc.

    Args:
        mask: (H, W).
        radius: of the disc, in pixels, at least 0.

    Returns:
        (H, W), true within the radius of where `mask` is.
    """
    outside = _binary(~mask)
    if not mask.any() or mask.all():
        return mask
    away = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= radius, np.bool_)


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


def _trimap_between(
    possible: NDArray[np.bool_], sure: NDArray[np.bool_], radius: int
) -> NDArray[np.uint8]:
    if radius < 0:
        raise ValueError(f"radius is {radius}; it must be at least 0 pixels")
    near, deep = dilated(possible, radius), ~dilated(~sure, radius)
    trimap = np.full(possible.shape, TRANSITION)
    trimap[deep & near] = FOREGROUND
    trimap[~deep & ~near] = BACKGROUND
    return trimap


def _binary(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if mask.ndim != 2:
        raise ValueError(f"alpha has shape {mask.shape}; it must be (H, W)")
    return mask.astype(np.uint8)


def _ellipse(kernel_size: int) -> NDArray[np.uint8]:
    if kernel_size < 1:
        raise ValueError(f"kernel size is {kernel_size}; it must be at least 1 pixel")
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_size, kernel_size))
    return np.asarray(kernel, np.uint8)
