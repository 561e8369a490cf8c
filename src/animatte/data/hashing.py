"""A perceptual hash: pictures that look alike differ in few of its bits.

The DCT hash of ImageHash's `phash`, written here because that library would bring scipy and
PyWavelets for these few lines; OpenCV's own is in its contrib build only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = NDArray[np.bool_]

NUM_BITS = 64
_SIDE, _KEPT = 32, 8
_ROWS = 1024


def perceptual_hash(image: NDArray[Any]) -> Bits:
    """Hash a picture: is each of the 8×8 lowest frequencies of its 32×32 view above their median?

    Args:
        image: (H, W, 3) RGB in [0, 1].

    Returns:
        (64,). Resizing, compression and light changes of colour leave nearly all of it alone.
    """
    grey = cv2.cvtColor(np.asarray(image, np.float32), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    low = np.asarray(cv2.dct(small))[:_KEPT, :_KEPT]
    return np.asarray(low > np.median(low)).ravel()


def near_pairs(first: Bits, second: Bits, most: int) -> Iterator[tuple[int, int, int]]:
    """Find hashes of two sets that are nearly the same.

    Args:
        first: (N, 64).
        second: (M, 64).
        most: greatest number of bits that differ.

    Yields:
        Place in the first, place in the second, and how many bits differ.
    """
    signs = [np.where(bits, 1, -1).astype(np.float32) for bits in (first, second)]
    for start in range(0, len(first), _ROWS):
        # Of two vectors of ±1, the product counts what is alike less what differs.
        differing = (NUM_BITS - signs[0][start : start + _ROWS] @ signs[1].T) / 2
        for row, column in zip(*np.nonzero(differing <= most), strict=True):
            yield start + int(row), int(column), int(differing[row, column])
