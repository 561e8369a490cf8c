"""Conn: what hangs on to the subject less firmly than it should (Rhemann et al. 2009)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, Region
from animatte.metrics.protocols import ConnRule


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
    return np.abs(_excess(predicted, connected, rule) - _excess(true, connected, rule))


def connected_level(predicted: Alpha, true: Alpha, rule: ConnRule) -> NDArray[np.float64]:
    """Return l of `connectivity_error`, (H, W) in [0, 1]."""
    common = np.minimum(predicted, true)
    reached = np.zeros(common.shape, np.uint8)
    connected = np.ones(common.shape, np.bool_)
    for number, level in enumerate(rule.levels, start=1):
        component = _largest_component(common >= level, rule)
        if component is not None:
            connected &= component
        elif rule.empty == "below":
            connected[:] = False
        reached[connected] = number
    return np.asarray((0.0, *rule.levels))[reached]


def _largest_component(inside: Region, rule: ConnRule) -> Region | None:
    """Largest 4-connected component, (H, W); None where nothing is inside."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.view(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    if rule.background_competes:
        return np.asarray(labels == areas.argmax(), np.bool_)
    if len(areas) == 1:
        return None
    return np.asarray(labels == 1 + areas[1:].argmax(), np.bool_)


def _excess(alpha: Alpha, connected: NDArray[np.float64], rule: ConnRule) -> NDArray[np.float64]:
    excess = alpha - connected
    return np.where(excess >= rule.slack, excess, 0)
