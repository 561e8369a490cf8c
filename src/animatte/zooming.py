"""Crops around subjects that are small in a picture, and what was seen in them pasted back."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Size: TypeAlias = tuple[int, int]

# Subjects are looked for at this longer side: what is smaller than a pixel there is none.
_MAP_SIDE = 256
_THRESHOLD = 0.3
_GAP = 3  # pixels of the map: parts of an animal that are nearer than two gaps belong together
_SPECK = 4e-4  # of the picture's area, and of what was found…
_SPECK_SHARE = 0.05  # …both must be passed
_MARGIN = 0.25
_MOST_CROPS = 6


class Box(NamedTuple):
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def area(self) -> tuple[slice, slice]:
        """As an index into arrays."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def subject_boxes(alpha: Array, largest: float) -> list[Box]:
    """Crops for a second look at the subjects that are small in the picture.

    A subject is a connected part of alpha, gaps of a hundredth of the picture closed, specks
    left out. Its crop has a margin of a quarter of its longer side; crops that overlap become one.

    Args:
        alpha: (H, W) in [0, 1], of the first look.
        largest: a crop's longer side must stay below this share of the picture's.

    Returns:
        at most six, the largest subjects first; none where a look at the crop shows no more.
    """
    height, width = alpha.shape
    boxes = _merged([_with_margin(box, (height, width)) for box in _found(alpha)])
    limit = largest * max(height, width)
    return [box for box in boxes if max(box.height, box.width) < limit][:_MOST_CROPS]


def paste(alpha: Array, closer: Array, box: Box) -> None:
    """Replace what the first look saw in a box by what the second saw, without a seam.

    Over the outer half of the margin the one fades into the other, but not along the picture's
    own border.

    Args:
        alpha: (H, W) in [0, 1]; changed in place.
        closer: (height, width) of the box.
        box: where it belongs.
    """
    fade = max(1, round(max(box.height, box.width) * _MARGIN / (1 + 2 * _MARGIN) / 2))
    rows = _ramp(box.top, box.height, alpha.shape[0], fade)
    columns = _ramp(box.left, box.width, alpha.shape[1], fade)
    part = alpha[box.area]
    part += np.minimum(rows[:, None], columns[None, :]) * (closer - part)


def _found(alpha: Array) -> list[Box]:
    """The tight boxes of the subjects, the largest subject first."""
    scale = min(1.0, _MAP_SIDE / max(alpha.shape))
    size = (max(1, round(alpha.shape[0] * scale)), max(1, round(alpha.shape[1] * scale)))
    coarse = cv2.resize(alpha, size[::-1], interpolation=cv2.INTER_AREA)
    opaque = (coarse > _THRESHOLD).astype(np.uint8)
    kernel = np.ones((2 * _GAP + 1, 2 * _GAP + 1), np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(opaque, kernel))
    masses = np.bincount(labels.ravel(), (coarse * opaque).ravel(), minlength=count)
    masses[0] = 0
    least = max(_SPECK * opaque.size, _SPECK_SHARE * masses.sum())
    order = [label for label in np.argsort(-masses, kind="stable") if masses[label] >= least]
    ratios = alpha.shape[0] / size[0], alpha.shape[1] / size[1]
    return [_box_of((labels == label) & (opaque > 0), ratios, alpha.shape) for label in order]


def _box_of(part: NDArray[np.bool_], ratios: tuple[float, float], shape: tuple[int, ...]) -> Box:
    sides = []
    for axis in (0, 1):
        where = np.flatnonzero(part.any(axis=1 - axis))
        start = int(where[0] * ratios[axis])
        stop = min(shape[axis], int(np.ceil((where[-1] + 1) * ratios[axis])))
        sides.append((start, stop - start))
    return Box(sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def _with_margin(box: Box, size: Size) -> Box:
    margin = int(np.ceil(max(box.height, box.width) * _MARGIN))
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    bottom = min(size[0], box.top + box.height + margin)
    right = min(size[1], box.left + box.width + margin)
    return Box(top, left, bottom - top, right - left)


def _merged(boxes: list[Box]) -> list[Box]:
    """Unite boxes that overlap until none do; the order of the first ones stays."""
    result: list[Box] = []
    for box in boxes:
        united = box
        while overlapping := [other for other in result if _overlap(united, other)]:
            at = result.index(overlapping[0])
            united = _union(united, overlapping[0])
            result.pop(at)
        result.append(united)
    return result


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.top < other.top + other.height
        and other.top < one.top + one.height
        and one.left < other.left + other.width
        and other.left < one.left + one.width
    )


def _union(one: Box, other: Box) -> Box:
    top, left = min(one.top, other.top), min(one.left, other.left)
    bottom = max(one.top + one.height, other.top + other.height)
    right = max(one.left + one.width, other.left + other.width)
    return Box(top, left, bottom - top, right - left)


def _ramp(start: int, length: int, side: int, fade: int) -> Array:
    """Weights along one side of a box: up to 1 from 0 beyond its ends, flat at the border."""
    weights = np.ones(length, np.float32)
    steps = np.arange(1, length + 1, dtype=np.float32)
    if start > 0:
        weights = np.minimum(weights, steps / (fade + 1))
    if start + length < side:
        weights = np.minimum(weights, steps[::-1] / (fade + 1))
    return weights
