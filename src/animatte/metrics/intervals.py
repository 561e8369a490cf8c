"""How sure a mean over pictures is, and whether one model beats another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 10_000
_MOST_VALUES: Final = 1 << 22  # held at once
_EXACT: Final = 14  # pairs up to which all 2ⁿ signs are gone through

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean, and between which bounds it would lie with other pictures of the kind."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedComparison:
    """One model against another on the same pictures.

    Attributes:
        difference: mean of one − other.
        low: lower bound of its 95 % interval.
        high: upper bound.
        p_value: how probable a difference as large is, either way, if the models were equal.
        better: number of pictures on which the one is better than the other.
        worse: number on which it is worse; on the remaining they are equal.
    """

    difference: float
    low: float
    high: float
    p_value: float
    better: int
    worse: int


def bootstrap_interval(values: Sequence[float], level: float = 0.95, seed: int = 0) -> Interval:
    """Bounds of a mean over pictures, by the percentile bootstrap (Efron 1979).

    Args:
        values: one score a picture, at least one.
        level: probability of the interval, above 0 and below 1.
        seed: of the pictures drawn, 10,000 times.

    Raises:
        ValueError: if there is no value, one is not finite, or the level is out of range.
    """
    scores = _validated(values, "values")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be above 0 and below 1, such as 0.95")
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [
            scores[rng.integers(scores.size, size=(rows, scores.size))].mean(axis=1)
            for rows in _portions(scores.size)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(scores.mean()), float(low), float(high))


def paired_comparison(
    one: Sequence[float], other: Sequence[float], seed: int = 0, *, higher_is_better: bool = False
) -> PairedComparison:
    """Compare two models picture by picture; the p value is that of Fisher's sign-flip test.

    Args:
        one: one score a picture.
        other: the other model's, of the same pictures in the same order.
        seed: of the pictures and signs drawn, 10,000 times each; up to 14 pictures all signs
            are gone through instead.
        higher_is_better: for scores such as IoU; errors are better when lower.

    Raises:
        ValueError: if the lengths differ, there is no value, or one is not finite.
    """
    ones, others = _validated(one, "one"), _validated(other, "other")
    if ones.size != others.size:
        raise ValueError(
            f"one has {ones.size} scores, other {others.size}; both must have one for each of the "
            "same pictures"
        )
    differences = ones - others
    interval = bootstrap_interval(differences.tolist(), seed=seed)
    gains = differences if higher_is_better else -differences
    return PairedComparison(
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        p_value=_sign_flip_p_value(differences, seed),
        better=int((gains > 0).sum()),
        worse=int((gains < 0).sum()),
    )


def _sign_flip_p_value(differences: Values, seed: int) -> float:
    """Share of signs with which the sum is as far from 0 as it is."""
    exact = differences.size <= _EXACT
    observed = abs(differences.sum()) * (1 - 1e-12)  # sums of another order round otherwise
    signs = _all_signs if exact else _random_signs(np.random.default_rng(seed))
    far, count = 0, 0
    for portion in signs(differences.size):
        far += int((np.abs(portion @ differences) >= observed).sum())
        count += len(portion)
    return far / count if exact else (far + 1) / (count + 1)


def _all_signs(size: int) -> Iterator[Values]:
    numbers = np.arange(1 << size)[:, None]
    yield np.asarray(1 - 2 * (numbers >> np.arange(size) & 1), np.float64)


def _random_signs(rng: np.random.Generator) -> Callable[[int], Iterator[Values]]:
    def signs(size: int) -> Iterator[Values]:
        for rows in _portions(size):
            yield np.asarray(1 - 2 * rng.integers(2, size=(rows, size)), np.float64)

    return signs


def _portions(size: int) -> Iterator[int]:
    """Numbers of rows that add up to RESAMPLES and bound the memory for rows of this size."""
    rows = max(1, _MOST_VALUES // size)
    for start in range(0, RESAMPLES, rows):
        yield min(rows, RESAMPLES - start)


def _validated(values: Sequence[float], name: str) -> Values:
    scores = np.asarray(values, np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(
            f"{name} has shape {scores.shape}; it must be at least one number in a row"
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{name} holds {scores[~np.isfinite(scores)][0]}; every score must be a finite number"
        )
    return scores
