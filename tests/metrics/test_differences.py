"""Metrics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from animatte.metrics import (
    intersection_over_union,
    mean_absolute_difference,
    mean_squared_error,
    picture_scores,
    sum_of_absolute_differences,
)

TRUE = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
PREDICTED = np.array([[0.5, 1.0], [0.75, 0.0]], np.float32)


def test_differences_by_hand() -> None:
    assert sum_of_absolute_differences(PREDICTED, TRUE) == pytest.approx(0.75 / 1000)
    assert mean_absolute_difference(PREDICTED, TRUE) == pytest.approx(0.75 / 4)
    assert mean_squared_error(PREDICTED, TRUE) == pytest.approx((0.25 + 0.0625) / 4)


def test_iou_by_hand() -> None:
    predicted = np.array([[0.6, 1.0], [0.2, 0.0]], np.float32)
    assert intersection_over_union(predicted, TRUE) == pytest.approx(1 / 3)


def test_iou_of_two_empty_mattes_is_one() -> None:
    empty = np.zeros((3, 3), np.float32)
    assert intersection_over_union(empty, empty) == 1


def test_unknown_pixels_are_in_no_score() -> None:
    known = np.array([[False, True], [True, True]])
    scores = picture_scores(PREDICTED, TRUE, known)
    assert scores["sad"] == pytest.approx(0.25 / 1000)
    assert scores["mad"] == pytest.approx(0.25 / 3)
    assert scores["mse"] == pytest.approx(0.0625 / 3)
    assert scores["iou"] == 1


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        mean_absolute_difference(PREDICTED, TRUE[:1])
