"""Metrics as pure functions of arrays; each states its scale."""

from __future__ import annotations

from animatte.metrics.colour import colour_error
from animatte.metrics.differences import (
    intersection_over_union,
    mean_absolute_difference,
    mean_squared_error,
    picture_scores,
    sum_of_absolute_differences,
)
from animatte.metrics.intervals import (
    Interval,
    PairedComparison,
    bootstrap_interval,
    paired_comparison,
)
from animatte.metrics.protocols import PROTOCOLS, Column, Protocol, named_protocol
from animatte.metrics.scores import alpha_scores
from animatte.metrics.segmentation import segmentation_scores
from animatte.metrics.video import dtssd, messddt

__all__ = [
    "PROTOCOLS",
    "Column",
    "Interval",
    "PairedComparison",
    "Protocol",
    "alpha_scores",
    "bootstrap_interval",
    "colour_error",
    "dtssd",
    "intersection_over_union",
    "mean_absolute_difference",
    "mean_squared_error",
    "messddt",
    "named_protocol",
    "paired_comparison",
    "picture_scores",
    "segmentation_scores",
    "sum_of_absolute_differences",
]
