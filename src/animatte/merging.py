"""Glance and focus into one alpha: Collaborative Matting (GFM §3.3) at sizes that differ."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.scales import Size, resized
from animatte.tiles import linear_area, tiles

Array: TypeAlias = NDArray[np.float32]

# The class whose probability weighs the focus, in soft merging.
_FOCUS_CLASS = {"TT": 1, "FT": 0, "BT": 1}
# Below this weight the focus changes alpha by less than half of one of 255 levels.
_NO_WEIGHT = 1 / 512


def merged_softly(glance: Array, focus: Array, rosta: str) -> Array:
    """Collaborative Matting in expectation over the glance, at the focus' size.

    Both are smooth at the photo's size, so that merging before enlarging loses nothing.

    Args:
        glance: (C, h, w) scores, of any size.
        focus: (H, W) in [0, 1].
        rosta: "TT", "FT" or "BT".
    """
    return _expectation([resized(plane, focus.shape) for plane in glance], focus, rosta)


def merge_softly_in_tiles(glance: Array, focus: Array, rosta: str) -> None:
    """`merged_softly`, in the focus' own memory and little more; the focus is the larger."""
    size = (min(glance.shape[1], focus.shape[0]), min(glance.shape[2], focus.shape[1]))
    planes = [resized(plane, size) for plane in glance]
    for area, _ in tiles(focus.shape):
        scores = [linear_area(plane, focus.shape, area) for plane in planes]
        focus[area] = _expectation(scores, focus[area], rosta)


def merged_by_labels(glance: Array, focus: Array, rosta: str, size: Size) -> Array:
    """Collaborative Matting at full size by the glance's largest class (GFM §3.3, HYBRID).

    Labels are enlarged as whole levels of a byte, in which flat areas stay exact: only between
    two different labels other levels appear, and for TT they all are transition.
    """
    levels = np.linspace(0, 255, len(glance)).round().astype(np.uint8)
    labels: NDArray[np.uint8] = resized(levels[glance.argmax(axis=0)], size)
    alpha: Array = resized(focus, size)
    if rosta == "TT":
        np.copyto(alpha, 0, where=labels == 0)
        np.copyto(alpha, 1, where=labels == 255)
        return alpha
    known = labels.astype(np.float32)
    known /= 255
    merged: Array = known + alpha if rosta == "FT" else known - alpha
    np.clip(merged, 0, 1, out=merged)
    return merged


def focus_counts(glance: Array, rosta: str, merging: str) -> NDArray[np.bool_]:
    """Where the focus can be seen in the merged alpha: (h, w) for a glance (C, h, w)."""
    if merging == "soft":
        weight = glance[_FOCUS_CLASS[rosta]] / np.maximum(glance.sum(axis=0), 1e-6)
        counts = weight > _NO_WEIGHT
    elif rosta == "TT":
        labels = glance.argmax(axis=0).astype(np.uint8)
        counts = (labels == 1) | (cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, _NEAR) > 0)
    else:
        counts = np.ones(glance.shape[1:], np.bool_)
    return np.asarray(cv2.dilate(counts.astype(np.uint8), _NEAR) > 0)


_NEAR = np.ones((3, 3), np.uint8)


def _expectation(scores: list[Array], focus: Array, rosta: str) -> Array:
    total = np.maximum(np.sum(scores, axis=0), np.float32(1e-6))  # sigmoids do not sum to 1
    if rosta == "TT":
        merged = (scores[2] + scores[1] * focus) / total
    elif rosta == "FT":
        merged = (scores[1] + scores[0] * focus) / total
    else:
        merged = scores[1] * (1 - focus) / total
    return np.asarray(merged, np.float32)
