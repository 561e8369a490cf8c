"""Which subject of a photo is kept, by the connected parts of its matte; and the crop around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import bands
from animatte.scales import LongerSide, resized
from animatte.tiles import weigh
from animatte.zooming import Box

Array: TypeAlias = NDArray[np.float32]

# Parts are told apart on a map of this longer side; what is opaque there belongs to a part.
_MAP_SIDE = 512
_OPAQUE = 0.5
_SPECK = 4e-4  # of the picture's area: what is smaller belongs to the part that is nearest
_NEAR = 0.05  # of the longer side: how far beside a subject a point may lie
_VISIBLE = 0.05  # fainter than this, alpha is left out of account by a crop


class Point(NamedTuple):
    """A place in a photo, in pixels from its left and its top."""

    x: int
    y: int


class Corners(NamedTuple):
    """A box in a photo, in pixels from its left and its top; the second corner lies outside."""

    left: int
    top: int
    right: int
    bottom: int


Subject: TypeAlias = Literal["all", "largest"] | Point | Corners


@dataclass(frozen=True)
class Margin:
    """What is left around a subject by a crop.

    Attributes:
        amount: pixels, or a share of the subject's longer side.
        is_share: which of them.
    """

    amount: float = 0.05
    is_share: bool = True

    def pixels(self, longer_side: int) -> int:
        """For a subject of this longer side."""
        return round(self.amount * longer_side) if self.is_share else round(self.amount)


def parsed_subject(name: str, point: str | None, box: str | None) -> Subject:
    """Read the choice of a subject: a name, X,Y, or X0,Y0,X1,Y1.

    Raises:
        ValueError: if it cannot be read, or more than one is chosen.
    """
    if (name != "all") + (point is not None) + (box is not None) > 1:
        raise ValueError("--subject, --point and --box choose a subject each; give one of them")
    if point is not None:
        return Point(*_numbers("point", point, ("X", "Y")))
    if box is not None:
        corners = Corners(*_numbers("box", box, ("X0", "Y0", "X1", "Y1")))
        if corners.left >= corners.right or corners.top >= corners.bottom:
            raise ValueError(
                f"box {box} is empty; write X0,Y0,X1,Y1 with X0 below X1 and Y0 below Y1"
            )
        return corners
    if name == "all":
        return "all"
    if name == "largest":
        return "largest"
    raise ValueError(f"subject {name!r} is unknown; choose all or largest, or --point or --box")


def _numbers(what: str, text: str, names: Sequence[str]) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(names) or min(numbers) < 0:
        raise ValueError(
            f"{what} {text!r} is not understood; write {','.join(names)} in pixels from the top "
            f"left, such as {','.join(str(100 * (at + 1)) for at in range(len(names)))}"
        )
    return numbers


def parsed_margin(text: str) -> Margin:
    """Read a margin: pixels, or per cent of the subject's longer side.

    Raises:
        ValueError: if it is neither, or below 0.
    """
    is_share = text.strip().endswith("%")
    try:
        amount = float(text.strip().removesuffix("%")) / (100 if is_share else 1)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < 1e6:
        raise ValueError(f"margin {text!r} is not understood; write pixels or per cent: 20 or 5%")
    return Margin(amount, is_share)


def keep_subject(alpha: Array, subject: Subject, unmultiplied: Array | None = None) -> None:
    """Make everything transparent but one subject, in place.

    Every pixel belongs to the part that is nearest, so that hair goes with its animal. Animals
    that touch are one part.

    Args:
        alpha: (H, W) in [0, 1].
        subject: "all" changes nothing.
        unmultiplied: (H, W) that is to lose the same, as of `animatte.looks.Matte`.

    Raises:
        ValueError: if a point or a box has no subject, or lies outside the picture.
    """
    if subject == "all":
        return
    if not isinstance(subject, str):
        _check_inside(subject, alpha.shape)
    size = LongerSide(_MAP_SIDE, max_enlargement=1).size(alpha.shape[:2], stride=1)
    coarse = np.asarray(resized(alpha, size), np.float32)
    parts = _parts(coarse)
    if parts.masses.size == 0:
        if subject == "largest":
            return
        raise ValueError(f"{_named(subject)} has no subject: none was found in the picture")
    kept = (parts.nearest == _chosen(subject, alpha.shape, parts)).astype(np.float32)
    weigh(alpha, kept)
    if unmultiplied is not None:
        weigh(unmultiplied, kept)


class _Parts(NamedTuple):
    """The connected parts of a matte, numbered from 0.

    Attributes:
        coarse: (h, w), the matte on the map.
        nearest: (h, w), which part is nearest.
        distances: (h, w), how far it is, in pixels of the map.
        masses: the alpha that belongs to each.
    """

    coarse: Array
    nearest: NDArray[np.int32]
    distances: Array
    masses: NDArray[np.float64]


def _parts(coarse: Array) -> _Parts:
    opaque = (coarse > _OPAQUE).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(opaque)
    areas = statistics[:, cv2.CC_STAT_AREA]
    large = np.flatnonzero(areas >= min(_SPECK * coarse.size, areas[1:].max(initial=1)))
    numbers = np.full(count, -1, np.int32)
    numbers[[label for label in large if label > 0]] = np.arange((large > 0).sum())
    parts: NDArray[np.int32] = numbers[labels]
    if not (parts >= 0).any():
        return _Parts(coarse, parts, np.zeros_like(coarse), np.empty(0))
    away, places = cv2.distanceTransformWithLabels(
        (parts < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    part_of_place = np.zeros(int(places.max()) + 1, np.int32)
    part_of_place[places[parts >= 0]] = parts[parts >= 0]
    nearest = part_of_place[places]
    masses = np.asarray(np.bincount(nearest.ravel(), coarse.ravel()), np.float64)
    return _Parts(coarse, nearest, np.asarray(away, np.float32), masses)


def _chosen(subject: Subject, shape: tuple[int, ...], parts: _Parts) -> int:
    """The number of the part that is meant."""
    if isinstance(subject, str):
        return int(parts.masses.argmax())
    y, x = (side / whole for side, whole in zip(parts.coarse.shape, shape, strict=True))
    if isinstance(subject, Point):
        place = int(subject.y * y), int(subject.x * x)
        distance = float(parts.distances[place])
        if distance > _NEAR * max(parts.coarse.shape):
            raise ValueError(
                f"{_named(subject)} has no subject: the nearest is {distance / x:.0f} pixels away; "
                "point at it"
            )
        return int(parts.nearest[place])
    inside = (
        slice(int(subject.top * y), int(np.ceil(subject.bottom * y))),
        slice(int(subject.left * x), int(np.ceil(subject.right * x))),
    )
    opaque = np.where(parts.coarse[inside] > _OPAQUE, parts.coarse[inside], 0)
    within = np.bincount(parts.nearest[inside].ravel(), opaque.ravel())
    if within.max(initial=0) == 0:
        raise ValueError(f"{_named(subject)} has no subject; draw it around one")
    return int(within.argmax())


def _named(subject: Subject) -> str:
    if isinstance(subject, str):
        return subject
    kind = "point" if isinstance(subject, Point) else "box"
    return f"{kind} {','.join(str(number) for number in subject)}"


def _check_inside(subject: Point | Corners, shape: tuple[int, ...]) -> None:
    x, y = subject[0], subject[1]
    if x >= shape[1] or y >= shape[0]:
        raise ValueError(
            f"{_named(subject)} lies outside the picture, which is {shape[1]} wide and "
            f"{shape[0]} high"
        )


def subject_crop(alpha: Array, margin: Margin) -> Box | None:
    """The smallest box around what can be seen, with a margin; None where nothing can.

    Args:
        alpha: (H, W) in [0, 1].
        margin: kept within the picture.
    """
    height, width = alpha.shape
    columns = np.zeros(width, np.bool_)
    rows = np.zeros(height, np.bool_)
    for band in bands(alpha.shape):
        visible = alpha[band] > _VISIBLE
        rows[band] = visible.any(axis=1)
        columns |= visible.any(axis=0)
    if not rows.any():
        return None
    top, bottom = _ends(rows)
    left, right = _ends(columns)
    more = margin.pixels(max(bottom - top, right - left))
    top, left = max(0, top - more), max(0, left - more)
    return Box(top, left, min(height, bottom + more) - top, min(width, right + more) - left)


def _ends(where: NDArray[np.bool_]) -> tuple[int, int]:
    places = np.flatnonzero(where)
    return int(places[0]), int(places[-1]) + 1
