"""Turning frames upright by the display matrix that cameras write beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IDENTITY = (1, 0, 0, 1)


class Orientation:
    """A quarter turn, a mirroring, or both.

    Args:
        matrix: the 36 bytes of a display matrix (ISO/IEC 14496-12, tkhd): 9 numbers in fixed
            point; None for upright. Angles between quarter turns count as the nearest one.
    """

    def __init__(self, matrix: bytes | None = None) -> None:
        a, b, c, d = _IDENTITY
        if matrix is not None and len(matrix) >= 36:
            values = np.frombuffer(matrix[:36], np.int32).reshape(3, 3)[:2, :2].astype(float)
            (a, b), (c, d) = values.tolist()
        # x' = a x + c y and y' = b x + d y, x to the right and y downward.
        self.is_transposed = abs(b) + abs(c) > abs(a) + abs(d)
        self._mirrors = (c < 0, b < 0) if self.is_transposed else (a < 0, d < 0)

    def upright(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Turn (H, W, C)."""
        if self.is_transposed:
            pixels = pixels.swapaxes(0, 1)
        if self._mirrors[0]:
            pixels = pixels[:, ::-1]
        if self._mirrors[1]:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)

    def upright_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) after turning."""
        return size[::-1] if self.is_transposed else size


def rotation_matrix(degrees: int) -> bytes:
    """The display matrix of a turn counter-clockwise, as `Orientation` takes it."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 2**14]]
    return np.round(np.array(matrix) * 2**16).astype(np.int32).tobytes()
