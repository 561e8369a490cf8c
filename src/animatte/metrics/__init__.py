"""Metrics as pure functions of arrays; each states its scale."""

from __future__ import annotations

from animatte.metrics.differences import (
    intersection_over_union,
    mean_absolute_difference,
    mean_squared_error,
    picture_scores,
    sum_of_absolute_differences,
)
from animatte.metrics.protocols import PROTOCOLS, Column, Protocol, named_protocol
from animatte.metrics.scores import alpha_scores

__all__ = [
    "PROTOCOLS",
    "Column",
    "Protocol",
    "alpha_scores",
    "intersection_over_union",
    "mean_absolute_difference",
    "mean_squared_error",
    "named_protocol",
    "picture_scores",
    "sum_of_absolute_differences",
]
