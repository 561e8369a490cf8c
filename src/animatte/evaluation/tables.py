"""Scores as tables: CSV, JSON, Markdown, and a model's card."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from animatte import __version__
from animatte.evaluation.cases import PictureSet
from animatte.evaluation.contestants import Contestant
from animatte.evaluation.robustness import CurvePoint
from animatte.evaluation.rows import Row
from animatte.evaluation.scoring import Rules
from animatte.evaluation.summary import (
    Comparison,
    Summary,
    column,
    main_metrics,
    metrics_of,
    names,
    written,
)
from animatte.images import write_whole
from animatte.metrics import named_protocol

_NOTHING = "-"
_WITH_MEDIAN = ("iou", "mad")  # a few failures rule their means
CARD_BEGIN, CARD_END = "<!-- animatte evaluate: begin -->", "<!-- animatte evaluate: end -->"


@dataclass(frozen=True)
class Evaluation:
    """All that a report tells.

    Attributes:
        sets: the pictures.
        contestants: who was scored.
        rules: what was worked out.
        seed: of intervals and comparisons.
        rows: each picture's scores.
        summaries: each metric of each contestant and set.
        groups: the same by class: by set, then by class.
        comparisons: each two contestants.
        curves: against rotation and subject size; empty if not asked for.
        faults: what is wrong, a line each.
    """

    sets: Sequence[PictureSet]
    contestants: Sequence[Contestant]
    rules: Rules
    seed: int
    rows: Sequence[Row]
    summaries: Sequence[Summary]
    groups: Mapping[str, Mapping[str, Sequence[Summary]]]
    comparisons: Sequence[Comparison]
    curves: Sequence[CurvePoint]
    faults: Sequence[str]

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        return self.rules.protocol


def versions() -> dict[str, str]:
    """Versions of what the numbers rest on."""
    return {
        "animatte": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def metrics_csv(rows: Sequence[Row]) -> str:
    """Every score of every picture and contestant, by the scales of `metric_scales`."""
    metrics = metrics_of(rows)
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["model", "set", "picture", "class", *metrics])
    for row in rows:
        scores = (f"{row.scores[metric]:.9g}" if metric in row.scores else "" for metric in metrics)
        table.writerow([row.contestant, row.picture_set, row.picture, row.group, *scores])
    return stream.getvalue()


def metric_scales(rows: Sequence[Row], protocol: str) -> dict[str, str]:
    """What each number in CSV and JSON is."""
    return {metric: column(metric, protocol).scale for metric in metrics_of(rows)}


def summary_json(evaluation: Evaluation) -> str:
    """The whole evaluation but its pictures, as JSON."""
    protocol = named_protocol(evaluation.protocol)
    pictures: dict[str, dict[str, str]] = {}
    for row in evaluation.rows:
        pictures.setdefault(row.picture_set, {})[row.picture] = row.sha256
    values: dict[str, Any] = {
        "format": 1,
        "versions": versions(),
        "protocol": {
            "name": protocol.name,
            "title": protocol.title,
            "source": protocol.source,
            "warning": protocol.warning,
            "area": evaluation.rules.area or protocol.area,
            "band": evaluation.rules.band,
        },
        "scales": metric_scales(evaluation.rows, protocol.name),
        "level": 0.95,
        "seed": evaluation.seed,
        "models": [each.as_dict() for each in evaluation.contestants],
        "sets": [
            {"name": each.name, "source": each.source, "pictures": pictures.get(each.name, {})}
            for each in evaluation.sets
        ],
        "scores": [each.as_dict() for each in evaluation.summaries],
        "classes": {
            picture_set: {group: [each.as_dict() for each in found] for group, found in by.items()}
            for picture_set, by in evaluation.groups.items()
        },
        "comparisons": [each.as_dict() for each in evaluation.comparisons],
        "robustness": [each.as_dict() for each in evaluation.curves],
        "faults": list(evaluation.faults),
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def robustness_csv(curves: Sequence[CurvePoint]) -> str:
    """The points of the curves."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, list(curves[0].as_dict()), lineterminator="\n")
    table.writeheader()
    table.writerows(each.as_dict() for each in curves)
    return stream.getvalue()


def score_lines(evaluation: Evaluation) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield each set's name, its headings, and a line for each contestant, which it begins with."""
    found = {
        (each.picture_set, each.contestant, each.metric): each for each in evaluation.summaries
    }
    for picture_set in names(evaluation.rows, "picture_set"):
        metrics = main_metrics(row for row in evaluation.rows if row.picture_set == picture_set)
        headings = ["pictures"]
        for metric in metrics:
            heading = column(metric, evaluation.protocol).heading
            headings += [heading, f"{heading} median"][: 1 + (metric in _WITH_MEDIAN)]
        lines = []
        for contestant in names(evaluation.rows, "contestant"):
            own = {metric: found.get((picture_set, contestant, metric)) for metric in metrics}
            count = max((each.count for each in own.values() if each), default=0)
            if count:
                cells = (_cells(metric, each, evaluation.protocol) for metric, each in own.items())
                lines.append([contestant, f"{count}", *chain.from_iterable(cells)])
        yield picture_set, headings, lines


def score_table(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of one table of all means, a line for each set and contestant."""
    blocks = list(score_lines(evaluation))
    several = len(evaluation.sets) > 1
    headings = list(dict.fromkeys(heading for _, own, _ in blocks for heading in own))
    lines = []
    for picture_set, own, contestants in blocks:
        for name, *cells in contestants:
            of = dict(zip(own, cells, strict=True))
            shown = (of.get(heading, _NOTHING) for heading in headings)
            lines.append([picture_set] * several + [name, *shown])
    return ["set"] * several + ["model", *headings], lines


def _cells(metric: str, summary: Summary | None, protocol: str) -> list[str]:
    if summary is None:
        return [_NOTHING] * (1 + (metric in _WITH_MEDIAN))
    interval = summary.interval
    mean, low, high, median = (
        written(value, metric, protocol)
        for value in (interval.mean, interval.low, interval.high, summary.median)
    )
    return [f"{mean} ({low} to {high})", median][: 1 + (metric in _WITH_MEDIAN)]


def markdown_table(evaluation: Evaluation) -> str:
    """The table of means, each with its 95 % interval, and a line that says what it is."""
    headings, lines = score_table(evaluation)
    rule = ["---"] * len(headings)
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *lines))
    models = (f"{each.name} {each.sha256[:12]}" for each in evaluation.contestants if each.sha256)
    about = [f"animatte {__version__}", f"protocol `{evaluation.protocol}`", *models]
    return (
        f"{table}\n\nMeans with 95 % bootstrap intervals over the pictures; {', '.join(about)}.\n"
    )


def card_parts(path: Path) -> tuple[str, str]:
    """Return what stands before and after the place of the table in a Markdown file.

    Raises:
        ValueError: if it is no text, or its two marks are not there, once each, in their order.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text; give a Markdown file") from error
    before, begin, rest = text.partition(CARD_BEGIN)
    _, end, after = rest.partition(CARD_END)
    if not begin or not end or CARD_BEGIN in rest or CARD_END in after:
        raise ValueError(
            f"{path} has not one place for the table; write the lines {CARD_BEGIN} and {CARD_END} "
            "where it belongs"
        )
    return before, after


def write_into_card(path: Path, table: str) -> None:
    """Replace what stands between the two marks of a Markdown file.

    Raises:
        ValueError: if they are not there.
    """
    before, after = card_parts(path)
    write_whole(path, [f"{before}{CARD_BEGIN}\n\n{table}\n{CARD_END}{after}".encode()])
