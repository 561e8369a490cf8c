"""Flicker, worked out by hand and pixel by pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.metrics import dtssd, messddt


def still(num_frames: int = 4) -> NDArray[np.float64]:
    frames = np.zeros((num_frames, 20, 24))
    frames[:, 6:14, 8:16] = 1
    return frames


def test_what_is_wrong_alike_in_every_frame_does_not_flicker() -> None:
    wrong = still() * 0.5
    assert dtssd(wrong, still()) == 0
    assert messddt(wrong, still()) == 0


def test_dtssd_by_hand() -> None:
    predicted = still(3)
    predicted[1, 0, 0] = 0.6  # comes in frame 1, goes in frame 2
    assert dtssd(predicted, still(3)) == pytest.approx(100 * math.sqrt(0.36 / 480))


def test_messddt_by_hand() -> None:
    predicted = still(3)
    predicted[1, 0, 0] = 0.6
    flows = np.zeros((2, 20, 24, 2))
    assert messddt(predicted, still(3), flows=flows) == pytest.approx(1000 * 0.36 / 480)


def test_only_what_the_earlier_frames_trimap_calls_unknown_counts() -> None:
    predicted = still(3)
    predicted[1, 0, 0] = 0.6
    trimaps = np.zeros((3, 20, 24), np.uint8)
    trimaps[0, 0, 0:2] = 128  # the other frames have nothing unknown
    assert dtssd(predicted, still(3), trimaps) == pytest.approx(100 * math.sqrt(0.36 / 2))
    flows = np.zeros((2, 20, 24, 2))
    assert messddt(predicted, still(3), trimaps, flows) == pytest.approx(1000 * 0.36 / 2)
    assert dtssd(predicted, still(3), np.zeros((3, 20, 24), np.uint8)) == 0


def test_messddt_is_that_of_every_pixel_followed() -> None:
    rng = np.random.default_rng(5)
    predicted, true = rng.random((3, 6, 7)), rng.random((3, 6, 7))
    flows = rng.normal(0, 3, (2, 6, 7, 2))
    squared = (predicted - true) ** 2
    pairs = []
    for frame in range(2):
        total = 0.0
        for row, column in np.ndindex(6, 7):
            right, down = (round(float(step)) for step in flows[frame, row, column])
            to = min(max(row + down, 0), 5), min(max(column + right, 0), 6)
            total += abs(squared[frame, row, column] - squared[frame + 1, to[0], to[1]])
        pairs.append(1000 * total / 42)
    assert messddt(predicted, true, flows=flows) == pytest.approx(sum(pairs) / 2)


def test_an_error_that_moves_with_the_subject_is_found_by_the_flow_of_alpha() -> None:
    rows, columns = np.indices((48, 64))
    frames = [np.hypot(rows - 24, columns - 24 - 2 * step) for step in range(4)]
    true = np.stack([(15 - distance).clip(0, 6) / 6 for distance in frames])
    wrong = np.stack([(13.5 - distance).clip(0, 6) / 6 for distance in frames])
    unmoved = messddt(wrong, true, flows=np.zeros((3, 48, 64, 2)))
    assert messddt(wrong, true) < 0.5 * unmoved


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"true": still()[0]}, r"true alpha is \(20, 24\); it must be \(N, H, W\)"),
        ({"predicted": still(1), "true": still(1)}, "video has 1 frame; flicker needs at least 2"),
        ({"predicted": still(3)}, "of one size"),
        ({"trimaps": np.zeros((20, 24), np.uint8)}, "trimap is"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], message: str) -> None:
    for metric in (dtssd, messddt):
        with pytest.raises(ValueError, match=message):
            metric(**{"predicted": still(), "true": still(), **changed})


def test_flows_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be \(3, 20, 24, 2\)"):
        messddt(still(), still(), flows=np.zeros((4, 20, 24, 2)))
