"""`animatte train`: a model from a recipe."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from animatte.cli import arguments
from animatte.cli.recipes import print_recipes

if TYPE_CHECKING:
    from animatte.training.recipe import Recipe


def train(
    recipe: arguments.Recipe,
    overrides: arguments.Overrides = None,
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
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Say what the training would take, from a few measured steps, and train nothing.",
        ),
    ] = False,
) -> None:
    """Train a model by a recipe, or go on where a stopped training left off."""
    from animatte.cli.train_progress import progress_reporter
    from animatte.training.devices import is_first_process, leave_processes
    from animatte.training.loop import train as run
    from animatte.training.recipe import read_recipe

    checked = read_recipe(recipe, overrides or [])
    if plan:
        _print_plan(checked)
        return
    folder = Path("runs") / checked.name if output is None else output
    with progress_reporter() as reporter:
        model = run(checked, folder, last_step, reporter)
    if is_first_process():
        typer.echo(f"{model}")
    leave_processes()


def _print_plan(recipe: Recipe) -> None:
    from animatte.cli.train_progress import progress_reporter
    from animatte.training.devices import is_first_process
    from animatte.training.planning import plan_lines, training_plan

    with progress_reporter() as reporter:
        found = training_plan(recipe, reporter)
    if is_first_process():
        for line in plan_lines(found):
            typer.echo(line)
