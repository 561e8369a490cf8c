"""Large pictures piece by piece, so that work at full size needs the memory of a piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Area: TypeAlias = tuple[slice, slice]

SIDE = 384


def tiles(shape: tuple[int, ...], halo: int = 0) -> Iterator[tuple[Area, Area]]:
    """Cover a picture of (height, width, ...) without overlap.

    Args:
        shape: of the picture.
        halo: pixels that a tile needs from its neighbours.

    Yields:
        each tile, and the same widened by the halo within the picture.
    """
    for top in range(0, shape[0], SIDE):
        for left in range(0, shape[1], SIDE):
            inner = _widened(top, shape[0], 0), _widened(left, shape[1], 0)
            outer = _widened(top, shape[0], halo), _widened(left, shape[1], halo)
            yield inner, outer


def _widened(start: int, side: int, halo: int) -> slice:
    return slice(max(0, start - halo), min(side, start + SIDE + halo))


def magnified(
    coarse: Array, shape: tuple[int, ...], area: Area, interpolation: int = cv2.INTER_LINEAR
) -> Array:
    """Magnify one area of a coarse picture, without magnifying the rest.

    Args:
        coarse: (h, w) or (h, w, C).
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
    result = cv2.warpAffine(coarse, to_coarse, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(result, np.float32)
