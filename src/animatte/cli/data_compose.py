"""`animatte data compose`: composites on disk, as the training makes them."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from animatte.cli import arguments
from animatte.cli.progress import Jobs, progress_bar


def compose(
    recipe: arguments.Recipe,
    overrides: arguments.Overrides = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the composites.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of every choice; default: the recipe's.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Side of views as the training sees them; default: whole pictures."
        ),
    ] = None,
    jobs: Jobs = None,
) -> None:
    """Write composites with alpha, foreground, background and what was drawn for each.

    The same seed gives the same bytes, whatever the number of processes.
    """
    from animatte.data.composites import MANIFEST, written_composites
    from animatte.data.dataset import Request
    from animatte.training.recipe import read_recipe
    from animatte.training.sources import stream_of

    checked = read_recipe(recipe, overrides or [])
    stream = stream_of(checked.data, checked.seed if seed is None else seed)
    scale = checked.stages[0].phases[0].scale
    view_of = None if size is None else stream.view_of(Request(0, size, scale))
    with progress_bar("compose") as show:
        for done, _ in enumerate(written_composites(stream, output, count, view_of, jobs), 1):
            show(done, count)
    typer.echo(f"{output / MANIFEST}")
