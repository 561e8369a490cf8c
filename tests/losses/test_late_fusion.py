"""LFM's loss terms against plain loops over pixels, by both readings."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from animatte.losses.late_fusion import (
    READINGS,
    ReadingName,
    branch_cross_entropy,
    branch_difference,
    fusion_difference,
    fusion_sparsity,
    gradient_difference,
    transition,
)

ALPHA = torch.tensor([[[[0.0, 0.03, 0.5, 0.97, 1.0], [0.0, 0.2, 0.8, 1.0, 1.0]]]])
PREDICTED = torch.tensor([[[[0.1, 0.05, 0.4, 0.9, 0.8], [0.2, 0.3, 0.6, 0.99, 1.0]]]])
BOTH = pytest.mark.parametrize("reading", list(READINGS))


def over_pixels(function: Callable[[float, float], float], reading: ReadingName) -> float:
    pairs = zip(PREDICTED.flatten().tolist(), ALPHA.flatten().tolist(), strict=True)
    values = [function(predicted, true) for predicted, true in pairs]
    return sum(values) if reading == "paper" else sum(values) / len(values)


def within(true: float, reading: ReadingName) -> bool:
    return 0 < true < 1 if reading == "paper" else 0.05 < true < 0.95


@BOTH
def test_cross_entropy_counts_the_transition_half(reading: ReadingName) -> None:
    def by_hand(predicted: float, true: float) -> float:
        label = true > (0 if reading == "paper" else 0.05)
        entropy = -math.log(predicted if label else 1 - predicted)
        return (0.5 if within(true, reading) else 1) * entropy

    expected = over_pixels(by_hand, reading)
    assert branch_cross_entropy(PREDICTED, ALPHA, reading).item() == pytest.approx(expected)


@BOTH
def test_difference_is_absolute_inside_and_squared_outside(reading: ReadingName) -> None:
    def by_hand(predicted: float, true: float) -> float:
        difference = abs(predicted - true)
        return difference if within(true, reading) else difference**2

    expected = over_pixels(by_hand, reading)
    assert branch_difference(PREDICTED, ALPHA, reading).item() == pytest.approx(expected)


@BOTH
def test_gradient_difference_is_zero_in_the_last_row_and_column(reading: ReadingName) -> None:
    rows = (PREDICTED - ALPHA)[0, 0].tolist()
    total = 0.0
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            right = row[x + 1] - value if x + 1 < len(row) else 0.0
            down = rows[y + 1][x] - value if y + 1 < len(rows) else 0.0
            total += math.sqrt(right**2 + 1e-7) + math.sqrt(down**2 + 1e-7)
    expected = total if reading == "paper" else total / 10
    assert gradient_difference(PREDICTED, ALPHA, reading).item() == pytest.approx(expected)


def test_fusion_difference_is_a_weighted_mean_or_a_weighted_sum() -> None:
    def weighted(reading: ReadingName) -> tuple[float, float]:
        weights = [1.0 if within(true, reading) else 0.1 for true in ALPHA.flatten().tolist()]
        pairs = zip(PREDICTED.flatten().tolist(), ALPHA.flatten().tolist(), strict=True)
        differences = [math.sqrt((p - a) ** 2 + 1e-7) for p, a in pairs]
        total = sum(w * d for w, d in zip(weights, differences, strict=True))
        return total, sum(weights)

    total, weight = weighted("release")
    assert fusion_difference(PREDICTED, ALPHA).item() == pytest.approx(total / weight)
    total, _ = weighted("paper")
    assert fusion_difference(PREDICTED, ALPHA, "paper").item() == pytest.approx(total)


def test_sparsity_is_least_where_alpha_is_decided() -> None:
    values = [fusion_sparsity(torch.full((1, 1, 2, 2), value)).item() for value in (0, 0.5, 1)]
    assert values[0] == pytest.approx(1, abs=1e-3)
    assert values[2] == pytest.approx(1, abs=1e-3)
    assert values[1] == pytest.approx(2 * 0.50001**0.9)


def test_the_readings_differ_in_what_is_transition() -> None:
    assert transition(ALPHA).sum() == 3
    assert transition(ALPHA, "paper").sum() == 5


@BOTH
def test_a_perfect_branch_pays_for_the_transition_labels_alone(reading: ReadingName) -> None:
    hard = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    assert branch_cross_entropy(hard, hard, reading).item() == pytest.approx(0, abs=1e-6)
    assert branch_difference(ALPHA, ALPHA, reading).item() == 0


@BOTH
def test_every_term_can_be_learned_from(reading: ReadingName) -> None:
    terms: list[Callable[[Tensor], Tensor]] = [
        lambda predicted: branch_cross_entropy(predicted, ALPHA, reading),
        lambda predicted: branch_difference(predicted, ALPHA, reading),
        lambda predicted: gradient_difference(predicted, ALPHA, reading),
        lambda predicted: fusion_difference(predicted, ALPHA, reading),
        lambda predicted: fusion_sparsity(predicted, reading),
    ]
    for term in terms:
        predicted = ALPHA.clone().requires_grad_()  # where roots and powers are steepest
        (gradient,) = torch.autograd.grad(term(predicted), predicted)
        assert torch.isfinite(gradient).all()
