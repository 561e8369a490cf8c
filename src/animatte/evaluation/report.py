"""The report's folder: tables, summary, and a page to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from animatte.evaluation.cases import PictureSet
from animatte.evaluation.contestants import Contestant
from animatte.evaluation.robustness import CurvePoint
from animatte.evaluation.rows import Row
from animatte.evaluation.scoring import Rules
from animatte.evaluation.summary import by_group, comparisons, summaries
from animatte.evaluation.tables import (
    Evaluation,
    markdown_table,
    metrics_csv,
    robustness_csv,
    summary_json,
)
from animatte.extras import check_installed
from animatte.images import write_whole

KEPT = "kept"


def check_report(folder: Path, with_page: bool) -> None:
    """See that a report can be written, before an hour is spent on its numbers.

    Raises:
        ValueError: if the folder is a file.
        ModuleNotFoundError: if what the page needs is not installed, naming the extra.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; name a folder for the report")
    if with_page:
        for package in ("jinja2", "matplotlib"):
            check_installed(package, "report")


def summed_up(
    sets: Sequence[PictureSet],
    contestants: Sequence[Contestant],
    rules: Rules,
    *,
    rows: Sequence[Row],
    faults: Sequence[str],
    curves: Sequence[CurvePoint] = (),
    seed: int = 0,
) -> Evaluation:
    """Work out means, intervals and comparisons.

    Args:
        sets: the pictures.
        contestants: who was scored.
        rules: what was worked out.
        rows: what came of it.
        faults: what is wrong, a line each.
        curves: against rotation and subject size.
        seed: of intervals and comparisons.

    Raises:
        ValueError: if not a single picture was scored.
    """
    if not rows:
        raise ValueError("no picture could be scored; mend what is listed")
    return Evaluation(
        sets,
        contestants,
        rules,
        seed,
        rows,
        summaries(rows, seed),
        by_group(rows, seed),
        list(comparisons(rows, seed)),
        curves,
        faults,
    )


def write_report(folder: Path, evaluation: Evaluation, gallery: int | None) -> None:
    """Write the report's files, each whole: beside its place, then renamed.

    Args:
        folder: is made if need be; what a run has kept lies there, too.
        evaluation: what is told.
        gallery: number of pictures on the page; None for no page.
    """
    texts = {
        "metrics.csv": metrics_csv(evaluation.rows),
        "summary.json": summary_json(evaluation),
        "table.md": markdown_table(evaluation),
    }
    if evaluation.curves:
        texts["robustness.csv"] = robustness_csv(evaluation.curves)
    if gallery is not None:
        from animatte.evaluation.page import report_page  # noqa: PLC0415  its extra is optional

        texts["report.html"] = report_page(evaluation, folder / KEPT, gallery)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, [text.encode("utf-8")])
