"""Hard labels, worked out by hand and pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.metrics import segmentation_scores
from animatte.metrics.segmentation import boundary_f


def square(top: int, left: int, size: int = 10) -> NDArray[np.float64]:
    alpha = np.zeros((40, 60))
    alpha[top : top + size, left : left + size] = 1
    return alpha


def brute_force_f(predicted: NDArray[np.bool_], true: NDArray[np.bool_], tolerance: float) -> float:
    """DAVIS' definition, each outline's pixel against each of the other."""

    def outline(labels: NDArray[np.bool_]) -> list[tuple[int, int]]:
        height, width = labels.shape
        neighbours = ((0, 1), (1, 0), (1, 1))
        return [
            (row, column)
            for row, column in np.ndindex(height, width)
            if any(
                labels[row, column] != labels[min(row + i, height - 1), min(column + j, width - 1)]
                for i, j in neighbours
            )
        ]

    def share(ones: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        return sum(any(math.dist(a, b) <= tolerance for b in others) for a in ones) / len(ones)

    precision, recall = (
        share(*pair)
        for pair in (
            (outline(predicted), outline(true)),
            (outline(true), outline(predicted)),
        )
    )
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def test_equal_labels_score_one() -> None:
    assert segmentation_scores(square(5, 5) * 0.8, square(5, 5)) == {"iou": 1, "boundary_f": 1}


def test_labels_apart_score_zero() -> None:
    scores = segmentation_scores(square(0, 0), square(25, 40))
    assert scores == {"iou": 0, "boundary_f": 0}


def test_a_shift_within_the_tolerance_costs_only_iou() -> None:
    scores = segmentation_scores(square(5, 6), square(5, 5), tolerance=1)
    assert scores["iou"] == pytest.approx(90 / 110)
    assert scores["boundary_f"] == 1
    assert segmentation_scores(square(5, 7), square(5, 5), tolerance=1)["boundary_f"] < 1


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 3])
@pytest.mark.parametrize("seed", range(3))
def test_boundary_f_is_that_of_every_pair_of_pixels(seed: int, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, true = (rng.random((9, 14)) > 0.9 for _ in range(2))
    assert boundary_f(predicted, true, tolerance) == pytest.approx(
        brute_force_f(predicted, true, tolerance)
    )


def test_the_tolerance_of_davis_is_a_share_of_the_diagonal() -> None:
    predicted, true = square(5, 6) > 0.5, square(5, 5) > 0.5
    assert boundary_f(predicted, true) == boundary_f(predicted, true, math.ceil(0.008 * 72.1))


def test_no_outline_at_all_is_perfect_and_one_alone_is_not() -> None:
    empty = np.zeros((40, 60))
    assert segmentation_scores(empty, empty) == {"iou": 1, "boundary_f": 1}
    assert segmentation_scores(empty, square(5, 5)) == {"iou": 0, "boundary_f": 0}


def test_what_is_no_alpha_is_refused() -> None:
    with pytest.raises(ValueError, match="of one size"):
        segmentation_scores(square(0, 0)[:3], square(0, 0))
