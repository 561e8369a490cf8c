"""Conn: what hangs on to the subject less firmly than it should (Rhemann et al. 2009)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, Region
from animatte.metrics.protocols import ConnRule
from animatte.metrics.windows import bounding_window


def connectivity_error(predicted: Alpha, true: Alpha, rule: ConnRule) -> NDArray[np.float64]:
    """|Δφ| at each pixel, φ = 1 − d · [d ≥ slack] with d = α − l; Conn is its sum / divisor.

    l is the highest level up to which a pixel belongs, at all levels below too, to the largest
    4-connected component of what reaches the level in both mattes.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        rule: levels and details of a protocol.

    Returns:
        (H, W), at least 0, not yet divided.
    """
    connected = connected_level(predicted, true, rule)
    error = _excess(predicted, connected, rule.slack)
    error -= _excess(true, connected, rule.slack)
    return np.abs(error, out=error)


def connected_level(predicted: Alpha, true: Alpha, rule: ConnRule) -> NDArray[np.float64]:
    """Return l of `connectivity_error`, (H, W) in [0, 1]."""
    common = np.minimum(predicted, true)
    inside = common >= _not_below(rule.levels[0], common.dtype)
    if rule.background_competes or not inside.any():
        reached = _levels_reached(common, rule)
    else:
        # Nothing outside the window is connected; the less there is to label, the faster.
        window = bounding_window(inside)
        reached = np.zeros(common.shape, np.uint8)
        reached[window] = _levels_reached(common[window], rule)
    return np.asarray((0.0, *rule.levels)).take(reached)


def _levels_reached(common: Alpha, rule: ConnRule) -> NDArray[np.uint8]:
    reached = np.zeros(common.shape, np.uint8)
    connected = np.ones(common.shape, np.bool_)
    labels = np.empty(common.shape, np.int32)
    for level in rule.levels:
        inside = common >= _not_below(level, common.dtype)
        if inside.any() or rule.background_competes:
            connected &= _largest_component(inside, labels, rule)
        elif rule.empty == "below":
            break
        reached += connected.view(np.uint8)
    return reached


def _not_below(level: float, dtype: np.dtype[np.floating]) -> np.floating:
    """The lowest number of a type that is not below a level, so as to compare without rounding."""
    nearest = dtype.type(level)
    return nearest if float(nearest) >= level else np.nextafter(nearest, dtype.type(2))


def _largest_component(inside: Region, labels: NDArray[np.int32], rule: ConnRule) -> Region:
    """Largest 4-connected component, (H, W).

    Args:
        inside: (H, W), somewhere true unless the background competes.
        labels: (H, W) to write to, so that no level needs memory of its own.
        rule: which of those equally large, and whether all outside is one more component.
    """
    cv2.connectedComponents(inside.view(np.uint8), labels, connectivity=4)
    areas = _areas(labels, inside)
    if rule.background_competes:
        areas[0] = inside.size - areas.sum()
    largest = areas.argmax()  # labels are numbered by rows
    if rule.by_columns:
        equals = np.flatnonzero(areas == areas[largest])
        if len(equals) > 1:
            largest = labels.T[np.isin(labels.T, equals)][0]
    return np.asarray(labels == largest, np.bool_)


def _areas(labels: NDArray[np.int32], inside: Region) -> NDArray[np.intp]:
    """Pixels of each component, 0 for the background: from runs in rows, which are few."""
    height, width = inside.shape
    fenced = np.zeros(height * (width + 1) + 1, np.bool_)
    # A column of nothing ends each row's last run.
    fenced[:-1].reshape(height, width + 1)[:, 1:] = inside
    edges = np.flatnonzero(fenced[1:] != fenced[:-1])  # before a run and at its last, in turn
    before, last = edges[::2], edges[1::2]
    rows, columns = np.divmod(before, width + 1)
    return np.bincount(labels[rows, columns], weights=last - before, minlength=1).astype(np.intp)


def _excess(alpha: Alpha, connected: NDArray[np.float64], slack: float) -> NDArray[np.float64]:
    excess: NDArray[np.float64] = alpha - connected
    below = float(np.nextafter(slack, 0))  # OpenCV keeps what is more than the threshold
    cv2.threshold(excess, below, 0, cv2.THRESH_TOZERO, dst=excess)
    return excess
