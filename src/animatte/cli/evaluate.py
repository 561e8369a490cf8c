"""`animatte evaluate`: scores of models and predictions on pictures with known mattes."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from animatte.cli.errors import print_error
from animatte.cli.progress import Jobs, progress_bar

if TYPE_CHECKING:
    from animatte.evaluation.robustness import CurvePoint
    from animatte.evaluation.tables import Evaluation

_PICTURES, _MODELS, _REPORT, _ROBUSTNESS = "Pictures", "Models", "Report", "Robustness"


def evaluate(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="With image/ and alpha/ (or trimap/)."),
    ] = None,
    *,
    data: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="NAME ROOT",
            help="A data set of `animatte data list`, and where it lies.",
            rich_help_panel=_PICTURES,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of the data set. Default: its test pictures.",
            rich_help_panel=_PICTURES,
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures.", rich_help_panel=_PICTURES)
    ] = None,
    alphas: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Their alphas.", rich_help_panel=_PICTURES)
    ] = None,
    trimaps: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Their trimaps; without --alphas these are the truth.",
            rich_help_panel=_PICTURES,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A model; again for each further one. Default: the shipped one.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Alphas from elsewhere, named as the pictures; again for each further folder.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            help="auto, cpu, cuda: see `animatte doctor`.",
            rich_help_panel=_MODELS,
        ),
    ] = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How large photos are seen. Default: the model's own.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    refine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What follows the network, as in `cut`.", rich_help_panel=_MODELS
        ),
    ] = None,
    straighten: Annotated[
        str, typer.Option(metavar="WHEN|DEGREES", help="As in `cut`.", rich_help_panel=_MODELS)
    ] = "never",
    zoom: Annotated[
        str, typer.Option(metavar="WHEN", help="As in `cut`.", rich_help_panel=_MODELS)
    ] = "never",
    protocol: Annotated[
        str, typer.Option(metavar="NAME", help="gfm, dim, rvm or gca-legacy: whose definitions.")
    ] = "gfm",
    area: Annotated[
        str | None,
        typer.Option(metavar="AREA", help="image or transition, in place of the protocol's own."),
    ] = None,
    band: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="PIXELS", help="Also score the unknown area dilated by so much."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
    jobs: Jobs = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="REPORT",
            help="Folder for the report; a run that was stopped goes on there.",
            rich_help_panel=_REPORT,
        ),
    ] = None,
    gallery: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Pictures shown on the page.", rich_help_panel=_REPORT
        ),
    ] = 24,
    page: Annotated[
        bool,
        typer.Option("--page/--no-page", help="Write the HTML page.", rich_help_panel=_REPORT),
    ] = True,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A Markdown file that the table is written into, between its marks.",
            rich_help_panel=_REPORT,
        ),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Add curves against rotation and subject size.",
            rich_help_panel=_ROBUSTNESS,
        ),
    ] = False,
    angle_step: Annotated[
        int,
        typer.Option(
            min=1, max=180, metavar="DEGREES", help="Between angles.", rich_help_panel=_ROBUSTNESS
        ),
    ] = 15,
    curve_pictures: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Evenly taken from each set.", rich_help_panel=_ROBUSTNESS
        ),
    ] = 20,
    backgrounds: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Paste small subjects on these. Default: the photo is shrunk as it is.",
            rich_help_panel=_ROBUSTNESS,
        ),
    ] = None,
) -> None:
    """Score models, and alphas made by others, on pictures whose mattes are known.

    Prints the means with their 95 % intervals. What is missing or does not fit is listed, the rest
    is scored, and the exit code is 1.
    """
    from animatte.evaluation import report, tables
    from animatte.evaluation.contestants import ModelOptions
    from animatte.evaluation.evaluating import (
        CurveOptions,
        all_contestants,
        check_curves,
        picture_sets,
        robustness_curves,
    )
    from animatte.evaluation.keeping import program_digest
    from animatte.evaluation.rows import evaluated
    from animatte.evaluation.scoring import Rules, parsed_area
    from animatte.looks import Looks, parsed_straighten, parsed_zoom
    from animatte.metrics import named_protocol

    if output is not None:
        report.check_report(output, page)
    rules = Rules(named_protocol(protocol).name, band, parsed_area(area), program_digest())
    looks = Looks(parsed_straighten(straighten), parsed_zoom(zoom))
    sets = picture_sets(
        folders or [], data=data, split=split, images=images, alphas=alphas, trimaps=trimaps
    )
    options = ModelOptions(device, strategy, refine, looks)
    contestants = all_contestants(model or [], predictions or [], options)
    curves = CurveOptions(angle_step, curve_pictures, backgrounds) if robustness else None
    if curves is not None:
        check_curves(contestants, curves)
    if card is not None:
        tables.card_parts(card)
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
    found = report.summed_up(
        sets, contestants, rules, rows=results.rows, faults=faults, curves=points, seed=seed
    )
    _print_tables(found)
    if output is not None:
        report.write_report(output, found, gallery if page else None)
        typer.echo(f"{output / ('report.html' if page else 'table.md')}")
    if card is not None:
        tables.write_into_card(card, tables.markdown_table(found))
    if faults:
        things = "1 thing is" if len(faults) == 1 else f"{len(faults)} things are"
        typer.echo(f"{things} wrong; all else is scored", err=True)
        raise typer.Exit(1)


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
