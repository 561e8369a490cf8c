"""Faint islands: what a network half suspects beside the subject, or where there is none."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.scales import LongerSide, resized
from animatte.tiles import weigh

Array: TypeAlias = NDArray[np.float32]

# An animal is more than half opaque somewhere.
FAINT = 0.5
# Of what is small beside the largest island more is asked: on 293 validation pictures all 8 such
# islands that were nowhere as opaque as this were no animal.
_SMALL = 0.03
_SURE = 0.7
# Islands are told apart on a map of this longer side.
_MAP_SIDE = 512
_VISIBLE = 0.1
_NEAR = 0.02  # of the longer side: a faint island as near to a surer one is its loose hair


def drop_faint_islands(alpha: Array) -> None:
    """Make islands transparent that are nowhere more than half opaque (small: 0.7), in place.

    A pixel belongs to the island that is nearest, so that the haze around one goes with it. Those
    beside an opaque one stay: they are its hair.

    Args:
        alpha: (H, W) in [0, 1]; if it is nowhere more than half opaque, nothing stays.
    """
    weigh(alpha, _kept(alpha))


def _kept(alpha: Array) -> Array:
    """(h, w) map of 1 for what stays and 0 for what goes."""
    size = LongerSide(_MAP_SIDE, max_enlargement=1).size(alpha.shape[:2], stride=1)
    opaque = _reaches(alpha, FAINT, size)
    if not opaque.any():
        return np.zeros(size, np.float32)
    visible = (resized(alpha, size) > _VISIBLE) | opaque
    _, nearest = cv2.distanceTransformWithLabels(
        (~visible).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    areas = np.bincount(nearest[opaque], minlength=int(nearest.max()) + 1)
    is_sure = areas >= max(1, _SMALL * areas.max())
    if is_sure[1:].all():  # islands are numbered from 1
        return np.ones(size, np.float32)
    is_sure[nearest[_reaches(alpha, _SURE, size)]] = True
    sure = is_sure[nearest]
    away = cv2.distanceTransform((~(visible & sure)).astype(np.uint8), cv2.DIST_L2, 5)
    unsure = visible & ~sure
    distances = np.full(len(is_sure), np.inf)
    np.minimum.at(distances, nearest[unsure], away[unsure])
    is_kept = is_sure | (distances <= _NEAR * max(size))
    return np.asarray(is_kept[nearest], np.float32)


def _reaches(alpha: Array, level: float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) map of where any pixel reaches a level, however many of them make one of the map."""
    return np.asarray(resized(np.where(alpha < level, np.uint8(0), np.uint8(255)), size) > 0)
