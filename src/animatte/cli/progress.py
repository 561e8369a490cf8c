"""What verbs that work on many files share: the number of processes, and a bar."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

Jobs = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes; default: one a core.")
]


@contextmanager
def progress_bar(task: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that draws a bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        number = bar.add_task(task, total=None)
        yield lambda done, total: bar.update(number, completed=done, total=total)
