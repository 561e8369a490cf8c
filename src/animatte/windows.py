"""Overlapping windows of a picture too large to be seen at once, and how they share it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Size: TypeAlias = tuple[int, int]

# What a network sees beside a pixel, and what is therefore thrown away along a window's inner
# sides. At 384 pixels animatte-s' focus is what it is of the whole, within 1/255; at 320 one pixel
# in a million differs by 2/255, at 256 one in 30,000, by up to 4/255.
_HALO = 384
_FADE = 64
LEAST_SIDE = 192


class Stretch(NamedTuple):
    """A window along one axis.

    Attributes:
        seen: what the network is shown.
        kept: the part of it that counts.
        weights: of the kept pixels, in (0, 1]; over all stretches they sum to 1.
    """

    seen: slice
    kept: slice
    weights: Array


class Window(NamedTuple):
    """A part of a picture.

    Attributes:
        rows: along the height.
        columns: along the width.
    """

    rows: Stretch
    columns: Stretch

    @property
    def seen(self) -> tuple[slice, slice]:
        """What the network is shown, as an index into the picture."""
        return self.rows.seen, self.columns.seen

    @property
    def kept(self) -> tuple[slice, slice]:
        """The part that counts, as an index into the picture."""
        return self.rows.kept, self.columns.kept

    @property
    def kept_of_seen(self) -> tuple[slice, slice]:
        """The same, as an index into what the network gives for `seen`."""
        rows, columns = (
            slice(each.kept.start - each.seen.start, each.kept.stop - each.seen.start)
            for each in self
        )
        return rows, columns

    @property
    def weights(self) -> Array:
        """(h, w) of the kept part: windows that overlap fade into each other."""
        return np.asarray(self.rows.weights[:, None] * self.columns.weights, np.float32)


def windows(size: Size, side: int, stride: int) -> list[Window]:
    """Cover a picture by windows that overlap, at places where a network's grid stays the same.

    Args:
        size: (height, width) of the picture, divisible by `stride`.
        side: of the windows, about, at least `LEAST_SIDE`; a shorter picture is seen whole.
        stride: the network's.
    """
    rows, columns = (stretches(length, side, stride) for length in size)
    return [Window(row, column) for row in rows for column in columns]


def stretches(length: int, side: int, stride: int) -> list[Stretch]:
    """One axis of `windows`."""
    side = max(side // stride, 1) * stride
    if length <= side:
        return [Stretch(slice(0, length), slice(0, length), np.ones(length, np.float32))]
    halo = min(_HALO, side // 4)
    fade = min(_FADE, side // 8)
    step = max((side - 2 * halo - fade) // stride, 1) * stride
    starts = [*range(0, length - side, step), length - side]
    total = np.zeros(length, np.float32)
    ramps = []
    for start in starts:
        kept = slice(
            start + halo if start > 0 else 0,
            start + side - halo if start + side < length else length,
        )
        ramp = _ramp(kept, length, fade)
        total[kept] += ramp
        ramps.append((slice(start, start + side), kept, ramp))
    return [Stretch(seen, kept, ramp / total[kept]) for seen, kept, ramp in ramps]


def _ramp(kept: slice, length: int, fade: int) -> Array:
    """Up from nearly 0 and down again, flat where the picture ends."""
    steps = np.arange(1, kept.stop - kept.start + 1, dtype=np.float32) / np.float32(fade + 1)
    weights: Array = np.ones_like(steps)
    if kept.start > 0:
        weights = np.minimum(weights, steps)
    if kept.stop < length:
        weights = np.minimum(weights, steps[::-1])
    return np.asarray(weights, np.float32)
