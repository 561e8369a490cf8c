"""Large pictures piece by piece, so that work at full size needs the memory of a piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Area: TypeAlias = tuple[slice, slice]

SIDE = 384


def whole_area(shape: tuple[int, ...]) -> Area:
    """Return all of a picture (H, W, ...) as an area of it."""
    return slice(0, shape[0]), slice(0, shape[1])


def tiles(shape: tuple[int, ...], halo: int = 0, side: int = SIDE) -> Iterator[tuple[Area, Area]]:
    """Cover a picture of (height, width, ...) without overlap.

    Args:
        shape: of the picture.
        halo: pixels that a tile needs from its neighbours.
        side: of the tiles.

    Yields:
        each tile, and the same widened by the halo within the picture.
    """
    for top in range(0, shape[0], side):
        for left in range(0, shape[1], side):
            bottom, right = min(shape[0], top + side), min(shape[1], left + side)
            inner = slice(top, bottom), slice(left, right)
            yield inner, (_widened(inner[0], shape[0], halo), _widened(inner[1], shape[1], halo))


def _widened(part: slice, whole: int, halo: int) -> slice:
    return slice(max(0, part.start - halo), min(whole, part.stop + halo))


def magnified(
    coarse: NDArray[Any], shape: tuple[int, ...], area: Area, interpolation: int = cv2.INTER_LINEAR
) -> NDArray[Any]:
    """Magnify one area of a coarse picture, without magnifying the rest.

    Args:
        coarse: (h, w) or (h, w, C), floats or levels.
        shape: (height, width, ...) of the whole when magnified.
        area: which part of that is wanted.
        interpolation: of OpenCV.

    Returns:
        what `cv2.resize` of the whole would have in that area, to within rounding.
    """
    rows, columns = area
    y, x = coarse.shape[0] / shape[0], coarse.shape[1] / shape[1]
    to_coarse = np.array(
        [[x, 0, (columns.start + 0.5) * x - 0.5], [0, y, (rows.start + 0.5) * y - 0.5]]
    )
    size = (columns.stop - columns.start, rows.stop - rows.start)
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(coarse, to_coarse, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def flat_level(coarse: Array, shape: tuple[int, ...], area: Area) -> float | None:
    """The one level that `magnified` would give all over an area, or None where it varies.

    Args:
        coarse: (h, w).
        shape: (height, width, ...) of the whole when magnified.
        area: which part of that.
    """
    rows = coarse_part(coarse.shape[0], shape[0], area[0], 2)
    near = coarse[rows, coarse_part(coarse.shape[1], shape[1], area[1], 2)]
    level = float(near.min())
    return level if level == near.max() else None


def coarse_part(side: int, whole: int, part: slice, more: int) -> slice:
    """Which of `side` coarse pixels a part of `whole` fine ones lies on, `more` on both sides."""
    start = max(0, part.start * side // whole - more)
    return slice(start, min(side, -(-part.stop * side // whole) + more))


def linear_area(coarse: Array, shape: tuple[int, ...], area: Area) -> Array:
    """`magnified` linearly, exact to rounding: OpenCV's warping knows 32 places in a pixel.

    Args:
        coarse: (h, w).
        shape: (height, width) of the whole when magnified, neither below the coarse side.
        area: which part of that is wanted.
    """
    columns = _linear_weights(coarse.shape[1], shape[1], area[1])
    rows = _linear_weights(coarse.shape[0], shape[0], area[0])
    near = coarse[rows.part, columns.part]
    return np.asarray(rows.weights @ near @ columns.weights.T, np.float32)


def weigh(array: Array, coarse: Array) -> None:
    """Multiply by a coarse map of weights, magnified linearly, in place.

    Args:
        array: (H, W).
        coarse: (h, w), neither side above the array's; where it is 1 there is nothing to do.
    """
    for area, _ in tiles(array.shape):
        rows, columns = (
            coarse_part(coarse.shape[axis], array.shape[axis], area[axis], 1) for axis in (0, 1)
        )
        if not (coarse[rows, columns] == 1).all():
            array[area] *= linear_area(coarse, array.shape, area)


class _Weights(NamedTuple):
    part: slice
    weights: Array  # (fine, coarse of the part)


def _linear_weights(side: int, whole: int, part: slice) -> _Weights:
    """Linear interpolation along one axis, between pixel centres, the border repeated."""
    places = (np.arange(part.start, part.stop) + 0.5) * side / whole - 0.5
    places = np.clip(places, 0, side - 1)
    near = coarse_part(side, whole, part, 1)
    distances = np.abs(places[:, None] - np.arange(near.start, near.stop)[None])
    return _Weights(near, np.maximum(1 - distances, 0).astype(np.float32))
