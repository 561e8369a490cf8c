"""`animatte evaluate`: a model's scores on pictures with known mattes."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from animatte.evaluation.folders import FolderScores


def evaluate(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER", help="Folders with image/ and alpha/ (or trimap/)."),
    ],
    *,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A model; default the shipped one.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to run it: auto, cpu, cuda…")] = "auto",
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="At which sizes; default the model's own.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Also write every picture's scores (JSON)."),
    ] = None,
) -> None:
    """Score a model: IoU, MAD, MSE and SAD over whole pictures, mean and median of each folder.

    Of a trimap only the known pixels count.
    """
    from rich.console import Console

    import animatte
    from animatte.evaluation.folders import evaluated

    scores = list(evaluated(animatte.load(model, device, strategy), folders))
    Console(highlight=False).print(_table(scores))
    if output is not None:
        rows = [folder.as_dict() for folder in scores]
        output.write_text(json.dumps(rows, indent=2), encoding="utf-8")


def _table(scores: list[FolderScores]) -> Table:
    from rich.table import Table

    table = Table("folder", "pictures", "IoU", "median", "MAD·10³", "median", "MSE·10³", "SAD")
    for folder in scores:
        table.add_row(
            folder.folder.name,
            str(len(folder.pictures)),
            f"{folder.mean('iou'):.4f}",
            f"{folder.median('iou'):.4f}",
            f"{folder.mean('mad') * 1000:.2f}",
            f"{folder.median('mad') * 1000:.2f}",
            f"{folder.mean('mse') * 1000:.2f}",
            f"{folder.mean('sad'):.2f}",
        )
    return table
