"""`animatte train`: a model from a recipe."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from animatte.cli.recipes import print_recipes


def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="YAML file, or a shipped recipe's name.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Values that replace the recipe's."),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder of the run; one that was begun is resumed. Default: runs/NAME.",
        ),
    ] = None,
    list_recipes: Annotated[  # noqa: ARG001  its callback does it
        bool,
        typer.Option(
            "--list",
            callback=print_recipes,
            is_eager=True,
            help="Name the shipped recipes and end.",
        ),
    ] = False,
    last_step: Annotated[
        int | None, typer.Option(min=1, help="Stop after this step, to be resumed later.")
    ] = None,
) -> None:
    """Train a model by a recipe, or go on where a stopped training left off."""
    from animatte.training.loop import train as run
    from animatte.training.recipe import read_recipe

    checked = read_recipe(recipe, overrides or [])
    folder = Path("runs") / checked.name if output is None else output
    model = run(checked, folder, last_step, _print_record)
    typer.echo(f"{model}")


def _print_record(record: Mapping[str, Any]) -> None:
    if "validation" in record:
        for folder, scores in record["validation"].items():
            typer.echo(f"  step {record['step']}  {folder}  {_spelt(scores)}")
    else:
        typer.echo(_spelt(record))


def _spelt(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:g}" for name, value in values.items())
