"""What `animatte evaluate` is told on the command line, one name an argument."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from animatte.cli import arguments

_PICTURES, _MODELS, _REPORT, _ROBUSTNESS = "Pictures", "Models", "Report", "Robustness"

Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FOLDER]...", help="With image/ and alpha/ (or trimap/)."),
]
DataSet = Annotated[
    tuple[str, Path] | None,
    typer.Option(
        metavar="NAME ROOT",
        help="A data set of `animatte data list`, and where it lies.",
        rich_help_panel=_PICTURES,
    ),
]
SplitName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the data set. Default: its test pictures.",
        rich_help_panel=_PICTURES,
    ),
]
Images = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Pictures.", rich_help_panel=_PICTURES)
]
Alphas = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Their alphas.", rich_help_panel=_PICTURES)
]
Trimaps = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Their trimaps; without --alphas these are the truth.",
        rich_help_panel=_PICTURES,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A model; again for each further one. Default: the shipped one.",
        rich_help_panel=_MODELS,
    ),
]
Predictions = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR",
        help="Alphas from elsewhere, named as the pictures; again for each further folder.",
        rich_help_panel=_MODELS,
    ),
]
Device = Annotated[str, arguments.device_option(_MODELS)]
StrategyName = Annotated[str | None, arguments.strategy_option(_MODELS)]
RefinementName = Annotated[str | None, arguments.refinement_option(_MODELS)]
Straighten = Annotated[
    str, typer.Option(metavar="WHEN|DEGREES", help="As in `cut`.", rich_help_panel=_MODELS)
]
Zoom = Annotated[str, typer.Option(metavar="WHEN", help="As in `cut`.", rich_help_panel=_MODELS)]
ProtocolName = Annotated[
    str, typer.Option(metavar="NAME", help="gfm, dim, rvm or gca-legacy: whose definitions.")
]
AreaName = Annotated[
    str | None,
    typer.Option(metavar="AREA", help="image or transition, in place of the protocol's own."),
]
Band = Annotated[
    int | None,
    typer.Option(min=0, metavar="PIXELS", help="Also score the unknown area dilated by so much."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the intervals.")]
ReportFolder = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="REPORT",
        help="Folder for the report; a run that was stopped goes on there.",
        rich_help_panel=_REPORT,
    ),
]
GallerySize = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Pictures shown on the page.", rich_help_panel=_REPORT),
]
WantsPage = Annotated[
    bool,
    typer.Option("--page/--no-page", help="Write the HTML page.", rich_help_panel=_REPORT),
]
Card = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A Markdown file that the table is written into, between its marks.",
        rich_help_panel=_REPORT,
    ),
]
WantsRobustness = Annotated[
    bool,
    typer.Option(
        "--robustness",
        help="Add curves against rotation and subject size.",
        rich_help_panel=_ROBUSTNESS,
    ),
]
AngleStep = Annotated[
    int,
    typer.Option(
        min=1, max=180, metavar="DEGREES", help="Between angles.", rich_help_panel=_ROBUSTNESS
    ),
]
CurvePictures = Annotated[
    int,
    typer.Option(
        min=1, metavar="N", help="Evenly taken from each set.", rich_help_panel=_ROBUSTNESS
    ),
]
Backgrounds = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Paste small subjects on these. Default: the photo is shrunk as it is.",
        rich_help_panel=_ROBUSTNESS,
    ),
]
