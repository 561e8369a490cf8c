"""Plots as SVG that stands in a page: it takes the page's colour of text, dark or light."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from animatte.evaluation.robustness import CurvePoint
from animatte.evaluation.rows import Row
from animatte.evaluation.summary import column, names

# After Okabe and Ito: told apart by colour-blind readers, seen on white as on black.
COLOURS = ("#2f86cc", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
_TEXT = "#010203"  # stands for the page's own colour
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "animatte",
    "text.color": _TEXT,
    "axes.edgecolor": _TEXT,
    "axes.labelcolor": _TEXT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#88888855",
    "legend.frameon": False,
    "font.family": "sans-serif",
    "font.size": 11,
}


def distribution_plot(rows: Sequence[Row], metric: str, protocol: str) -> str:
    """Share of the pictures whose score is at most so much, a line each contestant.

    Args:
        rows: of one set.
        metric: the score.
        protocol: whose scale it is drawn by.
    """
    scale = column(metric, protocol)
    with _drawn(1) as (figure, (axes,)):
        for number, name in enumerate(names(rows, "contestant")):
            values = np.sort(
                [
                    row.scores[metric]
                    for row in rows
                    if row.contestant == name and metric in row.scores
                ]
            )
            shares = np.arange(1, len(values) + 1) / len(values)
            axes.step(
                np.r_[values[:1], values] * scale.factor,
                np.r_[0, shares] * 100,
                where="post",
                color=COLOURS[number % len(COLOURS)],
                label=name,
            )
        axes.set_xlabel(scale.heading)
        axes.set_ylabel("pictures, %")
        axes.set_ylim(0, 101)
        if number:
            axes.legend()
        return _svg(figure, f"Share of pictures by {scale.heading}")


def curve_plot(points: Sequence[CurvePoint]) -> str:
    """MAD and IoU against rotation or subject size, with 95 % bands, a line a model and look.

    Args:
        points: of one change.
    """
    turned = points[0].change == "rotation"
    ways = list(dict.fromkeys((point.contestant, point.looks) for point in points))
    models = list(dict.fromkeys(model for model, _ in ways))
    with _drawn(2) as (figure, all_axes):
        for (model, looks), axes in ((way, axes) for way in ways for axes in all_axes):
            own = [point for point in points if (point.contestant, point.looks) == (model, looks)]
            metric, factor = ("mad", 1e3) if axes is all_axes[0] else ("iou", 1)
            bounds = [getattr(point, metric) for point in own]
            places = [point.amount for point in own]
            colour = COLOURS[models.index(model) % len(COLOURS)]
            mean, low, high = (
                [getattr(interval, part) * factor for interval in bounds]
                for part in ("mean", "low", "high")
            )
            axes.plot(
                places,
                mean,
                color=colour,
                marker="o",
                markersize=3,
                linestyle="--" if looks else "-",
                label=f"{model} {looks}".strip(),
            )
            axes.fill_between(places, low, high, color=colour, alpha=0.12, linewidth=0)
        _label_curves(all_axes, turned, sorted({point.amount for point in points}))
        return _svg(figure, "Error against " + ("rotation" if turned else "subject size"))


def _label_curves(all_axes: Sequence[Axes], turned: bool, amounts: Sequence[float]) -> None:
    for axes, label in zip(all_axes, ("MAD·10³", "IoU"), strict=True):
        axes.set_ylabel(label)
        if turned:
            axes.set_xlabel("turned by, degrees counter-clockwise")
            axes.set_xticks(np.arange(0, 361, 90))
        else:
            axes.set_xscale("log", base=2)
            axes.set_xticks(amounts, [f"1/{amount:g}" for amount in amounts])
            axes.set_xlabel("size")
    all_axes[0].set_ylim(bottom=0)
    all_axes[0].legend()


@contextmanager
def _drawn(count: int) -> Iterator[tuple[Figure, list[Axes]]]:
    with style.context(_STYLE):
        figure = Figure(figsize=(5.2 * count, 3.4), layout="constrained")
        yield figure, [figure.add_subplot(1, count, place + 1) for place in range(count)]


def _svg(figure: Figure, title: str) -> str:
    stream = io.StringIO()
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    figure.savefig(
        stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    text = stream.getvalue()
    svg = text[text.index("<svg") :].replace(_TEXT, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)
