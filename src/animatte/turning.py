"""Pictures turned by any angle, and their alphas turned back to the very size they came from."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Pixels
from animatte.scales import LongerSide, in_range, resized

Array: TypeAlias = NDArray[np.float32]
Size: TypeAlias = tuple[int, int]

_LONGEST_SIDE = 32_000  # older OpenCV's warping ends at 32767; what is longer is reduced for a tilt
_FADE = 0.02  # of the shorter side
_BORDER = cv2.BORDER_REFLECT  # not …_101, with which OpenCV never ends on a side of one pixel


def turned(image: Pixels, degrees: float) -> Pixels:
    """Turn a picture counter-clockwise, as a network is to see it.

    Quarter turns move pixels and change none. What is left of another angle tilts the picture
    about its middle on a canvas of unchanged size, mirrored at the border: corners of the picture
    leave the canvas, and the subject stays as large as it was. (A canvas that holds the
    corners too was tried, with mirrored, repeated, blurred and black borders: the network found
    less than without turning at all.)

    Args:
        image: (H, W, 3): floats in [0, 1], or levels of 8 or 16 bits.
        degrees: counter-clockwise.

    Returns:
        (H, W, 3) of the same kind, or (W, H, 3) after an odd number of quarter turns.
    """
    quarters, tilt = _quarters_and_tilt(degrees)
    upright = np.ascontiguousarray(np.rot90(image, quarters))
    if tilt == 0:
        return upright
    canvas = _reduced(upright)
    size = canvas.shape[1::-1]
    tilted = cv2.warpAffine(
        canvas, _tilt(size, tilt), size, flags=cv2.INTER_CUBIC, borderMode=_BORDER
    )
    return in_range(tilted)


def turned_back(alpha: Array, degrees: float, outside: Array) -> Array:
    """Undo `turned` on the alpha of a turned picture.

    Args:
        alpha: (h, w) in [0, 1], as large as what `turned` returned.
        degrees: what it was turned by.
        outside: (H, W) in [0, 1], an alpha of the picture before: it fills the corners that a tilt
            cut off, into which the other fades.

    Returns:
        (H, W) in [0, 1].
    """
    quarters, tilt = _quarters_and_tilt(degrees)
    if tilt != 0:
        filling = _reduced(np.ascontiguousarray(np.rot90(outside, quarters)))
        size = alpha.shape[::-1]
        back = _tilt(size, -tilt)
        level = cv2.warpAffine(alpha, back, size, flags=cv2.INTER_CUBIC, borderMode=_BORDER)
        weight = cv2.warpAffine(_inwards(alpha.shape[:2]), back, size)
        alpha = np.asarray(np.clip(filling + weight * (level - filling), 0, 1), np.float32)
    result = np.ascontiguousarray(np.rot90(alpha, -quarters))
    if result.shape == outside.shape:
        return result
    enlarged = cv2.resize(result, outside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32)


def _quarters_and_tilt(degrees: float) -> tuple[int, float]:
    quarters = round(degrees / 90)
    return quarters % 4, degrees - 90 * quarters


def _reduced(picture: Pixels) -> Pixels:
    size = LongerSide(_LONGEST_SIDE, max_enlargement=1).size(picture.shape[:2], stride=1)
    return resized(picture, size)


def _tilt(width_and_height: tuple[int, ...], degrees: float) -> NDArray[np.float64]:
    """The affine map about the middle, between pixel centres."""
    middle = ((width_and_height[0] - 1) / 2, (width_and_height[1] - 1) / 2)
    return np.asarray(cv2.getRotationMatrix2D(middle, degrees, 1.0), np.float64)


def _inwards(size: Size) -> Array:
    """(H, W) weights that rise from the border of a canvas to 1."""
    fade = max(1.0, _FADE * min(size))
    rows, columns = (
        np.minimum(np.arange(side), np.arange(side)[::-1]).astype(np.float32) / np.float32(fade)
        for side in size
    )
    return np.asarray(np.clip(np.minimum(rows[:, None], columns[None, :]), 0, 1), np.float32)
