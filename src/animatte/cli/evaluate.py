"""`animatte evaluate`: scores of models and predictions on pictures with known mattes."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from animatte.cli import evaluate_arguments as given
from animatte.cli.errors import print_error
from animatte.cli.progress import Jobs, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from animatte.evaluation.cases import PictureSet
    from animatte.evaluation.contestants import Contestant
    from animatte.evaluation.evaluating import CurveOptions
    from animatte.evaluation.robustness import CurvePoint
    from animatte.evaluation.scoring import Rules
    from animatte.evaluation.tables import Evaluation


def evaluate(
    folders: given.Folders = None,
    *,
    data: given.DataSet = None,
    split: given.SplitName = None,
    images: given.Images = None,
    alphas: given.Alphas = None,
    trimaps: given.Trimaps = None,
    model: given.Models = None,
    predictions: given.Predictions = None,
    device: given.Device = "auto",
    strategy: given.StrategyName = None,
    refine: given.RefinementName = None,
    straighten: given.Straighten = "never",
    zoom: given.Zoom = "never",
    protocol: given.ProtocolName = "gfm",
    area: given.AreaName = None,
    band: given.Band = None,
    seed: given.Seed = 0,
    jobs: Jobs = None,
    output: given.ReportFolder = None,
    gallery: given.GallerySize = 24,
    page: given.WantsPage = True,
    card: given.Card = None,
    robustness: given.WantsRobustness = False,
    angle_step: given.AngleStep = 15,
    curve_pictures: given.CurvePictures = 20,
    backgrounds: given.Backgrounds = None,
) -> None:
    """Score models, and alphas made by others, on pictures whose mattes are known.

    Prints the means with their 95 % intervals. What is missing or does not fit is listed, the rest
    is scored, and the exit code is 1.
    """
    from animatte.evaluation import evaluating, report, tables
    from animatte.evaluation.contestants import ModelOptions
    from animatte.evaluation.keeping import program_digest
    from animatte.evaluation.scoring import Rules, parsed_area
    from animatte.looks import Looks, parsed_straighten, parsed_zoom
    from animatte.metrics import named_protocol

    if output is not None:
        report.check_report(output, page)
    rules = Rules(named_protocol(protocol).name, band, parsed_area(area), program_digest())
    looks = Looks(parsed_straighten(straighten), parsed_zoom(zoom))
    sets = evaluating.picture_sets(
        folders or [], data=data, split=split, images=images, alphas=alphas, trimaps=trimaps
    )
    options = ModelOptions(device, strategy, refine, looks)
    contestants = evaluating.all_contestants(model or [], predictions or [], options)
    curves = None
    if robustness:
        curves = evaluating.CurveOptions(angle_step, curve_pictures, backgrounds)
        evaluating.check_curves(contestants, curves)
    if card is not None:
        tables.card_parts(card)
    found = _evaluation(
        sets, contestants, rules, curves=curves, output=output, jobs=jobs, seed=seed
    )
    _print_tables(found)
    if output is not None:
        report.write_report(output, found, gallery if page else None)
        typer.echo(f"{output / ('report.html' if page else 'table.md')}")
    if card is not None:
        tables.write_into_card(card, tables.markdown_table(found))
    if found.faults:
        things = "1 thing is" if len(found.faults) == 1 else f"{len(found.faults)} things are"
        typer.echo(f"{things} wrong; all else is scored", err=True)
        raise typer.Exit(1)


def _evaluation(
    sets: Sequence[PictureSet],
    contestants: Sequence[Contestant],
    rules: Rules,
    *,
    curves: CurveOptions | None,
    output: Path | None,
    jobs: int | None,
    seed: int,
) -> Evaluation:
    """Score, draw the curves that are asked for, and print what is wrong."""
    from animatte.evaluation import report
    from animatte.evaluation.evaluating import robustness_curves
    from animatte.evaluation.rows import evaluated

    kept = None if output is None else output / report.KEPT
    with progress_bar("scores") as show:
        results = evaluated(sets, contestants, rules, kept=kept, jobs=jobs, on_row=show)
    points: list[CurvePoint] = []
    faults = results.faults
    if curves is not None:
        with progress_bar("robustness") as show:
            points, more = robustness_curves(
                sets, contestants, curves, kept=kept, jobs=jobs, seed=seed, on_scene=show
            )
        faults = list(dict.fromkeys([*faults, *more]))
    for fault in faults:
        print_error(fault)
    return report.summed_up(
        sets, contestants, rules, rows=results.rows, faults=faults, curves=points, seed=seed
    )


def _print_tables(evaluation: Evaluation) -> None:
    """A table a set, a column a model: intervals make lines too long for a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from animatte.evaluation.tables import score_lines

    console = Console(highlight=False)
    for picture_set, headings, lines in score_lines(evaluation):
        # As texts: brackets in a name are no markup.
        table = Table("", title=Text(picture_set), title_justify="left")
        for line in lines:
            table.add_column(Text(line[0]))
        for place, heading in enumerate(headings, start=1):
            table.add_row(heading, *(line[place] for line in lines))
        console.print(table)
