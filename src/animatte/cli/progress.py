"""What verbs that work on many files share: the number of processes, and a bar."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

Jobs = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes; default: one a core.")
]


@contextmanager
def progress_bar(
    task: str = "", *, shown: bool = True, counted: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """Give a function (done, total) that draws a bar on stderr, where that is a terminal.

    Args:
        task: written before the bar.
        shown: else nothing is drawn on a terminal either.
        counted: tell how many of how many, rather than per cent.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        *([TextColumn("{task.description}")] if task else []),
        BarColumn(),
        MofNCompleteColumn() if counted else TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # into a file, lines go as they are
    ) as bar:
        number = bar.add_task(task, total=None)
        yield lambda done, total: bar.update(number, completed=done, total=total)
