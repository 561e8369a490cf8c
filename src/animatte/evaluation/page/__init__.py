"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from animatte.evaluation.cases import Case
from animatte.evaluation.keeping import kept_result
from animatte.evaluation.plots import curve_plot, distribution_plot
from animatte.evaluation.rows import Row
from animatte.evaluation.summary import HIGHER_IS_BETTER, Summary, column, names, written
from animatte.evaluation.tables import Evaluation, metric_scales, score_table, versions
from animatte.evaluation.thumbnails import thumbnail
from animatte.metrics import named_protocol

_FOLDER = Path(__file__).parent
_PLOTTED = ("iou", "boundary_f", "sad", "mad", "mse", "grad")
_GROUP_METRICS = ("iou", "sad", "mad", "mse")
_NEGLIGIBLE = 0.05


@dataclass(frozen=True)
class View:
    """One picture of the gallery: its label and its data URL."""

    label: str
    url: str


@dataclass(frozen=True)
class Card:
    """A picture of the gallery with all its views.

    Attributes:
        title: the picture's name.
        picture_set: the set's.
        group: the class, or empty.
        views: photo, truth, and prediction and error of each contestant.
        scores: for each contestant, its name and what it scored.
        ranks: for each contestant, how bad it is here: a higher number is worse.
    """

    title: str
    picture_set: str
    group: str
    views: tuple[View, ...]
    scores: tuple[tuple[str, str], ...]
    ranks: Mapping[str, float]


def report_page(evaluation: Evaluation, kept: Path, gallery: int) -> str:
    """Return the page.

    Args:
        evaluation: all that it tells.
        kept: folder with the small pictures of the run.
        gallery: number of pictures shown, the worst of each contestant in turn.
    """
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    headings, lines = score_table(evaluation)
    cards = list(_cards(evaluation, kept, gallery))
    return environment.get_template("report.html").render(
        css=(_FOLDER / "report.css").read_text(encoding="utf-8"),
        script=(_FOLDER / "report.js").read_text(encoding="utf-8"),
        evaluation=evaluation,
        protocol=named_protocol(evaluation.protocol),
        scales=_scales(evaluation),
        versions=versions(),
        headings=headings,
        lines=lines,
        comparisons=_comparisons(evaluation),
        groups=_groups(evaluation),
        plots=_plots(evaluation),
        curves=_curves(evaluation),
        cards=cards,
        num_pictures=len({(row.picture_set, row.picture) for row in evaluation.rows}),
        contestants=names(evaluation.rows, "contestant"),
        ranked_by=_ranked_by(evaluation.rows, evaluation.protocol),
    )


def _scales(evaluation: Evaluation) -> list[tuple[str, str]]:
    scales = metric_scales(evaluation.rows, evaluation.protocol)
    return [(column(metric, evaluation.protocol).heading, text) for metric, text in scales.items()]


def _comparisons(evaluation: Evaluation) -> list[list[str]]:
    lines = []
    for each in evaluation.comparisons:
        result = each.result
        difference, low, high = (
            written(value, each.metric, evaluation.protocol)
            for value in (result.difference, result.low, result.high)
        )
        if result.p_value >= _NEGLIGIBLE:
            verdict = "may be chance"
        else:
            one_wins = (result.difference > 0) == (each.metric in HIGHER_IS_BETTER)
            verdict = f"{each.one if one_wins else each.other} is better"
        lines.append(
            [
                each.picture_set,
                column(each.metric, evaluation.protocol).heading,
                f"{each.one} − {each.other}",  # noqa: RUF001
                f"{difference} ({low} to {high})",
                f"{result.p_value:.3g}",
                f"{result.better} / {result.worse} of {each.count}",
                verdict,
            ]
        )
    return lines


def _groups(evaluation: Evaluation) -> list[tuple[str, list[str], list[list[str]]]]:
    """Of each set its headings and lines, the worst class first."""
    found = []
    for picture_set, by in evaluation.groups.items():
        there = {each.metric for all_of in by.values() for each in all_of}
        metrics = [metric for metric in _GROUP_METRICS if metric in there]
        headings = ["class", "model", "pictures"]
        headings += [column(metric, evaluation.protocol).heading for metric in metrics]
        worst = sorted(by, key=lambda group: _mean(by[group], "mad"), reverse=True)
        lines = [line for group in worst for line in _group_lines(evaluation, by, group, metrics)]
        found.append((picture_set, headings, lines))
    return found


def _group_lines(
    evaluation: Evaluation,
    by: Mapping[str, Sequence[Summary]],
    group: str,
    metrics: Sequence[str],
) -> Iterator[list[str]]:
    for contestant in dict.fromkeys(each.contestant for each in by[group]):
        own = {each.metric: each for each in by[group] if each.contestant == contestant}
        cells = (
            written(own[metric].interval.mean, metric, evaluation.protocol) for metric in metrics
        )
        yield [group, contestant, f"{own[metrics[0]].count}", *cells]


def _mean(summaries: Sequence[Summary], metric: str) -> float:
    return max(each.interval.mean for each in summaries if each.metric == metric)


def _plots(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    found = []
    for picture_set in names(evaluation.rows, "picture_set"):
        rows = [row for row in evaluation.rows if row.picture_set == picture_set]
        there = [metric for metric in _PLOTTED if any(metric in row.scores for row in rows)]
        plots = [distribution_plot(rows, metric, evaluation.protocol) for metric in there]
        found.append((picture_set, plots))
    return found


def _curves(evaluation: Evaluation) -> list[tuple[str, str]]:
    titles = {"rotation": "Rotation", "size": "Subject size"}
    found = []
    for change, title in titles.items():
        points = [point for point in evaluation.curves if point.change == change]
        if points:
            found.append((title, curve_plot(points)))
    return found


def _ranked_by(rows: Sequence[Row], protocol: str) -> str:
    return column("mad", protocol).heading if rows else ""


def _cards(evaluation: Evaluation, kept: Path, gallery: int) -> Iterator[Card]:
    cases = {(each.name, case.pair.name): case for each in evaluation.sets for case in each.cases}
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in evaluation.rows:
        rows.setdefault((row.picture_set, row.picture), []).append(row)
    for place in _worst(evaluation.rows, gallery):
        yield _card(cases[place], rows[place], kept, evaluation.protocol)


def _worst(rows: Sequence[Row], count: int) -> list[tuple[str, str]]:
    """The worst pictures of each contestant in turn, sorted by the first one's MAD."""
    turns = [
        sorted(
            (row for row in rows if row.contestant == name),
            key=lambda row: row.scores["mad"],
            reverse=True,
        )
        for name in names(rows, "contestant")
    ]
    chosen: dict[tuple[str, str], None] = {}
    for number in range(max(map(len, turns), default=0)):
        for turn in turns:
            if number < len(turn) and len(chosen) < count:
                chosen[turn[number].picture_set, turn[number].picture] = None
    first = {(row.picture_set, row.picture): row.scores["mad"] for row in (turns or [[]])[0]}
    return sorted(chosen, key=lambda place: first.get(place, -1.0), reverse=True)


def _card(case: Case, rows: Sequence[Row], kept: Path, protocol: str) -> Card:
    truth = case.pair.truth()
    views = [
        View("photo", _url(thumbnail(truth.image))),
        View("truth", _url(thumbnail(truth.alpha))),
    ]
    for row in rows:
        found = kept_result(kept, row.key) or {}
        suffix = f" of {row.contestant}" if len(rows) > 1 else ""
        views += [
            View(f"{name}{suffix}", f"data:image/webp;base64,{found[name]}")
            for name in ("prediction", "error")
            if name in found
        ]
    return Card(
        case.pair.name,
        case.picture_set,
        case.group,
        tuple(views),
        tuple((row.contestant, _told(row, protocol)) for row in rows),
        {row.contestant: row.scores["mad"] for row in rows},
    )


def _told(row: Row, protocol: str) -> str:
    shown = [metric for metric in ("iou", "sad", "mad", "mse", "grad") if metric in row.scores]
    return ", ".join(
        f"{column(metric, protocol).heading} {written(row.scores[metric], metric, protocol)}"
        for metric in shown
    )


def _url(webp: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(webp).decode('ascii')}"
