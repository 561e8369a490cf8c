"""Intervals and comparisons against scipy's, and against values that can be counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from animatte.metrics import bootstrap_interval, paired_comparison


def scores(seed: int, size: int = 60) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).gamma(2, 5, size)]


def test_the_interval_is_scipys() -> None:
    values = scores(0)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(9)
    ).confidence_interval
    interval = bootstrap_interval(values)
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.low == pytest.approx(expected.low, rel=0.01)
    assert interval.high == pytest.approx(expected.high, rel=0.01)


def test_it_holds_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(100):
        interval = bootstrap_interval(rng.normal(3, 1, 50).tolist(), 0.8, seed)
        held += interval.low <= 3 <= interval.high
    assert 68 <= held <= 90


def test_the_same_seed_gives_the_same_interval() -> None:
    values = scores(2)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_a_single_picture_has_no_width() -> None:
    interval = bootstrap_interval([2.5])
    assert (interval.mean, interval.low, interval.high) == (2.5, 2.5, 2.5)


def test_more_pictures_than_memory_are_drawn_in_portions() -> None:
    interval = bootstrap_interval(scores(3, 2000))
    error = np.std(scores(3, 2000)) / np.sqrt(2000)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_few_pictures_have_the_p_value_of_all_signs() -> None:
    one, other = scores(4, 9), scores(5, 9)
    expected = stats.permutation_test(
        (one, other), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert paired_comparison(one, other).p_value == pytest.approx(expected)


def test_many_pictures_have_nearly_scipys_p_value() -> None:
    rng, one = np.random.default_rng(7), scores(6)
    other = [value + shift for value, shift in zip(one, rng.normal(1, 4, 60), strict=True)]
    expected = stats.ttest_rel(one, other).pvalue
    assert paired_comparison(one, other).p_value == pytest.approx(expected, abs=0.02)


def test_five_pictures_all_better_by_one_have_two_of_thirty_two_signs() -> None:
    comparison = paired_comparison([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])
    assert comparison.p_value == 2 / 32
    assert (comparison.difference, comparison.low, comparison.high) == (-1, -1, -1)
    assert (comparison.better, comparison.worse) == (5, 0)


def test_lower_is_better_unless_told() -> None:
    one, other = [0.9, 0.5, 0.3], [0.8, 0.5, 0.1]
    assert paired_comparison(one, other).worse == 2
    comparison = paired_comparison(one, other, higher_is_better=True)
    assert (comparison.better, comparison.worse) == (2, 0)


def test_equal_models_are_not_told_apart() -> None:
    comparison = paired_comparison(scores(8), scores(8))
    assert comparison.p_value == 1
    assert (comparison.better, comparison.worse) == (0, 0)


def test_what_cannot_be_averaged_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one number"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="holds nan; every score must be a finite number"):
        bootstrap_interval([1, float("nan")])
    with pytest.raises(ValueError, match="level is 95"):
        bootstrap_interval([1], 95)
    with pytest.raises(ValueError, match="one has 2 scores, other 1"):
        paired_comparison([1, 2], [1])
