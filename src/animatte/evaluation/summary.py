"""Means with their intervals, class by class, and models against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

from animatte.evaluation.plain import flattened
from animatte.evaluation.rows import Row
from animatte.metrics import (
    Column,
    Interval,
    PairedComparison,
    bootstrap_interval,
    named_protocol,
    paired_comparison,
)

HIGHER_IS_BETTER = ("iou", "boundary_f")
# In tables; metrics.csv has all.
MAIN_METRICS = ("iou", "boundary_f", "sad", "mse", "mad", "grad", "conn", "sad_transition")


@dataclass(frozen=True)
class Summary:
    """One metric of one contestant on one set.

    Attributes:
        contestant: its name.
        picture_set: the set's.
        metric: the score's key.
        interval: mean over the pictures and its 95 % interval.
        median: over the pictures.
        count: of pictures.
    """

    contestant: str
    picture_set: str
    metric: str
    interval: Interval
    median: float
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return flattened(self, "interval")


@dataclass(frozen=True)
class Comparison:
    """Two contestants on the pictures of a set that both have scores on.

    Attributes:
        one: name of the first.
        other: of the second.
        picture_set: the set's.
        metric: the score's key.
        result: one less the other.
        count: of pictures.
    """

    one: str
    other: str
    picture_set: str
    metric: str
    result: PairedComparison
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return flattened(self, "result")


def column(metric: str, protocol: str) -> Column:
    """Heading and scale of a score."""
    return named_protocol(protocol).column(metric)


def written(value: float, metric: str, protocol: str) -> str:
    """A score as tables have it."""
    style = column(metric, protocol)
    return f"{value * style.factor:.{style.decimals}f}"


def names(rows: Iterable[Row], attribute: str) -> list[str]:
    """Names of the sets, contestants or groups of some rows, in the order of appearance."""
    return list(dict.fromkeys(getattr(row, attribute) for row in rows))


def metrics_of(rows: Iterable[Row]) -> list[str]:
    """All metrics of some rows, in the order of appearance."""
    return list(dict.fromkeys(metric for row in rows for metric in row.scores))


def main_metrics(rows: Iterable[Row]) -> list[str]:
    """Those metrics of some rows that tables show."""
    there = metrics_of(rows)
    return [metric for metric in MAIN_METRICS if metric in there]


def summaries(rows: Sequence[Row], seed: int = 0) -> list[Summary]:
    """Sum up each metric of each contestant on each set.

    Args:
        rows: of all pictures.
        seed: of the bootstrap.
    """
    found = []
    for picture_set in names(rows, "picture_set"):
        for contestant in names(rows, "contestant"):
            own = _of(rows, picture_set, contestant)
            for metric in metrics_of(own):
                values = [row.scores[metric] for row in own if metric in row.scores]
                found.append(
                    Summary(
                        contestant,
                        picture_set,
                        metric,
                        bootstrap_interval(values, seed=seed),
                        median(values),
                        len(values),
                    )
                )
    return found


def by_group(rows: Sequence[Row], seed: int = 0) -> dict[str, dict[str, list[Summary]]]:
    """Sum up each class of each set that has classes: by set, then by class."""
    found: dict[str, dict[str, list[Summary]]] = {}
    for picture_set in names(rows, "picture_set"):
        own = [row for row in rows if row.picture_set == picture_set and row.group]
        groups = sorted(names(own, "group"))
        if len(groups) > 1:
            found[picture_set] = {
                group: summaries([row for row in own if row.group == group], seed)
                for group in groups
            }
    return found


def comparisons(rows: Sequence[Row], seed: int = 0) -> Iterator[Comparison]:
    """Compare each two contestants on each set, by the metrics that tables show."""
    for picture_set in names(rows, "picture_set"):
        for one, other in combinations(names(rows, "contestant"), 2):
            ones, others = (
                {row.picture: row.scores for row in _of(rows, picture_set, name)}
                for name in (one, other)
            )
            for metric in main_metrics(_of(rows, picture_set, one)):
                both = [
                    (scores[metric], others[picture][metric])
                    for picture, scores in ones.items()
                    if metric in scores and metric in others.get(picture, {})
                ]
                if both:
                    mine, theirs = ([*column] for column in zip(*both, strict=True))
                    better = metric in HIGHER_IS_BETTER
                    result = paired_comparison(mine, theirs, seed, higher_is_better=better)
                    yield Comparison(one, other, picture_set, metric, result, len(both))


def _of(rows: Iterable[Row], picture_set: str, contestant: str) -> list[Row]:
    return [row for row in rows if (row.picture_set, row.contestant) == (picture_set, contestant)]
