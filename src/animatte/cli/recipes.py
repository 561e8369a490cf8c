"""`animatte train --list`: the recipes that are shipped."""

# ruff: noqa: PLC0415 - heavy imports wait until they are asked for

from __future__ import annotations

import typer


def print_recipes(asked: bool) -> None:
    """Print the names of the shipped recipes and end, if that was asked."""
    if not asked:
        return
    from animatte.training.recipe_files import shipped_recipes

    typer.echo("\n".join(shipped_recipes()))  # families; braces as shells expand them
    raise typer.Exit
