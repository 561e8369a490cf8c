"""Outlines that people draw over an alpha: what belongs to the subject, and what does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.closed_form import closed_form_alpha
from animatte.data.tables import Row, check_names, table_rows
from animatte.images.arrays import Pixels
from animatte.trimap import BACKGROUND, FOREGROUND, TRANSITION

Array: TypeAlias = NDArray[np.float32]
Kind: TypeAlias = Literal["add", "erase"]

KINDS: tuple[Kind, ...] = get_args(Kind)
UNIT = 1000  # coordinates are parts of the longer side
_BAND = 0.012  # half the width of what is solved along a drawn edge, in longer sides
_FINER = 8  # times as fine a polygon is drawn, so that its edge falls between the right pixels
_FARTHEST = 10 * UNIT  # from the corner that a point may lie
_DRAWING = 1  # changed with how outlines are drawn, so that what was drawn otherwise is made anew


class Outline(NamedTuple):
    """One polygon.

    Attributes:
        kind: "add" makes all inside opaque, "erase" all transparent.
        points: x, y in turn, in thousandths of the picture's longer side from its upper left
            corner; what lies outside the picture is cut off. Where a polygon crosses itself, what
            it encloses twice is outside.
    """

    kind: Kind
    points: tuple[float, ...]


class OutlineTable:
    """The rows of one set in a CSV file with the columns set, name, kind and points.

    A picture may have several rows; they are drawn one after the other. Other columns are for
    people. Rows of other sets are passed over unread.

    Args:
        path: the file.
        picture_set: whose rows count.

    Raises:
        ValueError: if it is no CSV file, lacks a column, or holds an outline that is none.
        OSError: if it cannot be read.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, picture_set: str) -> None:
        self.path = path
        self._rows: list[Row] = []
        self._outlines: dict[str, list[Outline]] = {}
        for row in table_rows(path, picture_set, ["kind", "points"]):
            self._rows.append(row)
            self._outlines.setdefault(row.name, []).append(_outline(path, row))

    def __len__(self) -> int:
        return len(self._outlines)

    def outlines(self, name: str) -> tuple[Outline, ...]:
        """Return what is drawn over a picture's alpha, named without suffix; mostly nothing."""
        return tuple(self._outlines.get(name, ()))

    def check(self, images: Path, names: Collection[str], dropped: Collection[str]) -> None:
        """See that all that is listed is there, and kept.

        Args:
            images: the pictures' folder, for messages.
            names: of the pictures, without suffixes.
            dropped: of those that a verdict leaves out.

        Raises:
            ValueError: if a picture is listed that is not there, or left out.
        """
        check_names(self.path, images, names, self._rows)
        for row in self._rows:
            if row.name in dropped:
                raise ValueError(
                    f"{self.path}: {row.name} has an outline in line {row.line}, and its verdict "
                    "is drop; write label or model there, or remove the outline"
                )


def drawing_key(outlines: Sequence[Outline]) -> bytes:
    """Name all that drawing outlines depends on beside alpha and picture; empty for none."""
    return f"{_DRAWING} {list(outlines)}".encode() if outlines else b""


def outlined(alpha: Array, image: Pixels, outlines: Sequence[Outline]) -> Array:
    """Draw over an alpha, and find the exact place of the new edges by the picture's colours.

    Hands draw to within a percent or so. Along the edges that outlines have made, a band is
    solved by closed form (Levin et al. 2008); everything else is as it was or as it was drawn.

    Args:
        alpha: (H, W) in [0, 1].
        image: (H, W, 3): floats in [0, 1], or levels of 8 or 16 bits.
        outlines: drawn one after the other.

    Returns:
        (H, W) float32.

    Raises:
        ModuleNotFoundError: if pymatting is not installed.
    """
    drawn = np.array(alpha, np.float32)
    for outline in outlines:
        drawn[_inside(outline, drawn.shape)] = outline.kind == "add"
    solid = (drawn > 0.5).astype(np.uint8)
    changed = (drawn != alpha).astype(np.uint8)
    width = 2 * max(1, round(_BAND * max(drawn.shape))) + 1
    kernel = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), np.uint8)
    edges = ~(_core(solid, kernel) | _core((solid == 0).astype(np.uint8), kernel))
    unknown = edges & (cv2.dilate(changed, kernel) > 0)
    trimap = np.where(solid > 0, FOREGROUND, BACKGROUND).astype(np.uint8)
    trimap[unknown] = TRANSITION
    return np.where(unknown, closed_form_alpha(drawn, image, trimap), drawn)


def _core(mask: NDArray[np.uint8], kernel: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What of a mask is sure: all that lies deep enough, and the middle of what is thin."""
    deep = cv2.erode(mask, kernel) > 0
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return deep | ((mask > 0) & (depth >= cv2.dilate(depth, kernel)))


def _inside(outline: Outline, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H, W), true where more than half of a pixel is inside a polygon."""
    scale = _FINER * max(shape) / UNIT
    corners = np.rint(np.array(outline.points, float).reshape(-1, 2) * scale - 0.5)
    fine = np.zeros((shape[0] * _FINER, shape[1] * _FINER), np.uint8)
    cv2.fillPoly(fine, [corners.astype(np.int32)], (255,))
    share = cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share) > 127


def _outline(path: Path, row: Row) -> Outline:
    kind, text = row.cells["kind"], row.cells["points"]
    if kind not in KINDS:
        raise ValueError(
            f"{path}: kind {kind!r} in line {row.line} is unknown; choose one of {', '.join(KINDS)}"
        )
    try:
        points = tuple(float(each) for each in text.split())
    except ValueError:
        points = ()
    if len(points) < 6 or len(points) % 2 or not np.abs(points).max() <= _FARTHEST:
        raise ValueError(
            f"{path}: points {text[:40]!r} in line {row.line} are no polygon; write x and y in "
            f"turn of three corners or more, in thousandths of the longer side, none beyond "
            f"{_FARTHEST}"
        )
    return Outline("add" if kind == "add" else "erase", points)
