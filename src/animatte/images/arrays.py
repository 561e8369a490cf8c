"""Pixel arrays: what is accepted, and the way between integer levels and [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

# uint8 or uint16
Levels: TypeAlias = NDArray[np.unsignedinteger[Any]]
# uint8, uint16, or floats in [0, 1]
Pixels: TypeAlias = NDArray[Any]

_TOLERANCE = 1e-3
_BAND_PIXELS = 2**20


class ImageError(ValueError):
    """An image that cannot be read, used or written; one line: value, rule, remedy."""


class ImageTooLargeError(ImageError):
    """An image of more pixels than the caller takes."""


def size_text(shape: tuple[int, ...]) -> str:
    """A shape as messages show it: 480×640 for (480, 640)."""
    return "\u00d7".join(str(side) for side in shape)


def checked_pixels(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Pass on pixel values that have a known scale, refuse all others.

    Args:
        array: uint8, uint16, or float in [0, 1] give or take 0.001; any shape (H, W, ...).
        what: how messages name the array.

    Raises:
        ImageError: for a side of 0, another dtype, NaN or infinity, or floats out of range.
    """
    if array.ndim < 2 or 0 in array.shape:
        raise ImageError(f"{what} is {size_text(array.shape)}; both sides must be at least 1 pixel")
    if array.dtype in (np.uint8, np.uint16):
        return array
    if array.dtype.kind != "f":
        raise ImageError(f"{what} has dtype {array.dtype}; use uint8, uint16 or float in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(f"{what} holds NaN or infinity; every value must be a number in [0, 1]")
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise ImageError(
            f"{what} has float values from {low:g} to {high:g}; they must lie in [0, 1]: "
            "divide 8-bit values by 255"
        )
    return array


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut a picture of (height, width, ...) into runs of whole rows, about a megapixel each.

    What is converted band by band needs no second picture of another kind in memory.
    """
    height = max(1, _BAND_PIXELS // max(1, shape[1]))
    for top in range(0, shape[0], height):
        yield slice(top, min(shape[0], top + height))


def unit_pixels(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Checked pixels as float32 in [0, 1]; 255 and 65535 become exactly 1."""
    if pixels.dtype.kind == "f":
        return np.asarray(np.clip(pixels, 0, 1), np.float32)
    highest = np.float32(np.iinfo(pixels.dtype).max)
    return np.asarray(np.divide(pixels, highest, dtype=np.float32))


@overload
def levels(pixels: NDArray[Any], bit_depth: Literal[8]) -> NDArray[np.uint8]: ...
@overload
def levels(pixels: NDArray[Any], bit_depth: Literal[16]) -> NDArray[np.uint16]: ...
@overload
def levels(pixels: NDArray[Any], bit_depth: Literal[8, 16]) -> Levels: ...
def levels(pixels: NDArray[Any], bit_depth: Literal[8, 16]) -> Levels:
    """Checked pixels as the nearest of the 2^bit_depth levels; uint8 for 8, uint16 for 16."""
    dtype: type[np.uint8 | np.uint16] = np.uint8 if bit_depth == 8 else np.uint16
    if pixels.dtype == dtype:
        return pixels
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * np.uint16(257)
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    scaled = np.clip(pixels, 0, 1) * np.asarray(np.iinfo(dtype).max, _working_dtype(pixels))
    return np.asarray(np.rint(scaled), dtype)


def _working_dtype(pixels: NDArray[Any]) -> type[np.floating[Any]]:
    return np.float64 if pixels.dtype.itemsize > 4 else np.float32


def three_channels(grey: Levels) -> Levels:
    """A grey picture (H, W) as RGB (H, W, 3); RGB passes through."""
    return grey if grey.ndim == 3 else np.repeat(grey[:, :, None], 3, axis=2)


def network_planes(image: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """A picture (H, W, 3) as networks take it: (1, 3, H, W), contiguous.

    Raises:
        ImageError: if a side is not divisible by `stride`.
    """
    if any(side % stride for side in image.shape[:2]):
        raise ImageError(
            f"image is {size_text(image.shape[:2])}; both sides must be divisible by {stride}"
        )
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], dtype=np.float32)
