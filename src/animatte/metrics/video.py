"""Flicker of video mattes (Erofeev et al. 2015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, Region, validated_pair, validated_regions
from animatte.metrics.differences import difference
from animatte.metrics.scores import unknown_area


def dtssd(predicted: Alpha, true: Alpha, trimaps: NDArray[np.uint8] | None = None) -> float:
    """DtSSD: how much alpha changes from frame to frame where the true one does not.

    100 times the root of the mean of (∂predicted − ∂true)², ∂ from a frame to the next, as
    evaluation/evaluate_lr.py of Robust Video Matting has it; the mean of this over the pairs.

    Args:
        predicted: (N, H, W) alpha in [0, 1], at least two frames.
        true: (N, H, W) alpha in [0, 1].
        trimaps: (N, H, W) uint8; only what the earlier frame's calls unknown then counts.

    Returns:
        In percent of alpha. Pairs without a pixel that counts are left out; 0 where none is left.

    Raises:
        ValueError: if a size, type or value does not fit.
    """
    _validate(predicted, true, trimaps)
    pairs = []
    for frame, area in _areas(trimaps, len(true)):
        change = _change(predicted, frame) - _change(true, frame)
        pairs.append(100 * _root_mean_square(change if area is None else change[area]))
    return float(np.mean(pairs)) if pairs else 0.0


def messddt(
    predicted: Alpha,
    true: Alpha,
    trimaps: NDArray[np.uint8] | None = None,
    flows: NDArray[np.floating[Any]] | None = None,
) -> float:
    """MESSDdt: how much the squared error changes along the motion.

    1000 times the mean of |e²(p, t) − e²(p + v(p), t + 1)|, e = predicted − true, v the motion
    rounded to whole pixels; the mean of this over the pairs of frames. Published tables have it
    as a sum, or per pixel, with flows of their own: compare only what was worked out alike.

    Args:
        predicted: (N, H, W) alpha in [0, 1], at least two frames.
        true: (N, H, W) alpha in [0, 1].
        trimaps: (N, H, W) uint8; only what the earlier frame's calls unknown then counts.
        flows: (N - 1, H, W, 2) motion from each frame to the next in pixels, to the right and
            downward; None for Farnebäck's flow of the true alpha.

    Returns:
        As MSE·10³. What moves out of the picture is taken at its border. Pairs without a pixel
        that counts are left out; 0 where none is left.

    Raises:
        ValueError: if a size, type or value does not fit.
    """
    _validate(predicted, true, trimaps)
    if flows is not None and flows.shape != (len(true) - 1, *true.shape[1:], 2):
        raise ValueError(
            f"flows are {flows.shape}; for alpha {true.shape} they must be "
            f"{(len(true) - 1, *true.shape[1:], 2)}"
        )
    pairs = []
    for frame, area in _areas(trimaps, len(true)):
        flow = _alpha_flow(true, frame) if flows is None else flows[frame]
        change = np.abs(
            _squared_error(predicted, true, frame)
            - _moved(_squared_error(predicted, true, frame + 1), flow)
        )
        pairs.append(1000 * float((change if area is None else change[area]).mean()))
    return float(np.mean(pairs)) if pairs else 0.0


def _validate(predicted: Alpha, true: Alpha, trimaps: NDArray[np.uint8] | None) -> None:
    validated_pair(predicted, true, "N, H, W")
    if len(true) < 2:
        raise ValueError(f"video has {len(true)} frame; flicker needs at least 2")
    if trimaps is not None:
        validated_regions(trimaps, true.shape)


def _areas(
    trimaps: NDArray[np.uint8] | None, num_frames: int
) -> Iterator[tuple[int, Region | None]]:
    """The earlier frame of each pair, and its pixels that count; None for all."""
    for frame in range(num_frames - 1):
        area = None if trimaps is None else unknown_area(trimaps[frame])
        if area is None or area.any():
            yield frame, area


def _change(alphas: Alpha, frame: int) -> NDArray[np.float64]:
    return difference(alphas[frame + 1], alphas[frame])


def _root_mean_square(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _squared_error(predicted: Alpha, true: Alpha, frame: int) -> NDArray[np.float64]:
    return np.asarray(np.square(difference(predicted[frame], true[frame])), np.float64)


def _alpha_flow(true: Alpha, frame: int) -> NDArray[np.floating[Any]]:
    before, after = (np.rint(255 * true[at]).astype(np.uint8) for at in (frame, frame + 1))
    still = np.zeros((*before.shape, 2), np.float32)
    flow = cv2.calcOpticalFlowFarneback(
        before, after, still, 0.5, 5, 10, 2, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    )
    return np.asarray(flow, np.float32)


def _moved(error: NDArray[np.float64], flow: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Each pixel's value of where it goes."""
    height, width = error.shape
    rows, columns = np.indices(error.shape)
    steps = np.rint(flow).astype(np.intp)
    rows = (rows + steps[..., 1]).clip(0, height - 1)
    columns = (columns + steps[..., 0]).clip(0, width - 1)
    return np.asarray(error[rows, columns], np.float64)
