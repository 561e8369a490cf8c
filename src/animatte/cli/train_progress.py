"""How a training shows on the terminal: a bar where it is one, lines of records everywhere."""

# Imported by `animatte train` alone, so that what it imports can wait no longer.

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from animatte.training.logs import Moment, Record, Reporter


class ProgressReporter(Reporter):
    """Prints records and notes; draws step, loss terms, speed and time left on a terminal.

    Args:
        bar: the bar, whose console takes notes; records go to stdout.
    """

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("", total=None, visible=False, losses="", speed="")

    def on_step(self, moment: Moment) -> None:
        """Draw where the training is."""
        speed = f"{moment.samples_per_second:.3g} samples/s"
        if moment.waiting >= 0.05:
            speed += f", {moment.waiting:.0%} of the time waiting for examples"
        self.bar.update(
            self.task,
            description=moment.stage,
            completed=moment.step,
            total=moment.last,
            losses=spelt(moment.losses),
            speed=speed,
            visible=True,
        )

    def on_record(self, record: Record) -> None:
        """Print a record: one line, or one for each folder of a validation."""
        for line in record_lines(record):
            typer.echo(line)

    def on_note(self, line: str) -> None:
        """Print a note to stderr."""
        self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_reporter() -> Iterator[ProgressReporter]:
    """Show a training as it goes; the bar is on stderr, where that is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}  {task.fields[losses]}"),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else records would end on the terminal
    ) as bar:
        yield ProgressReporter(bar)


def record_lines(record: Record) -> Iterator[str]:
    """Yield a record as lines of text."""
    if "validation" in record:
        for folder, scores in record["validation"].items():
            yield f"  step {record['step']}  {folder}  {spelt(scores)}"
        return
    yield (
        f"step {record['step']}  {spelt(record['loss'])}  rate {record['rate']:.3g}  "
        f"{record['samples_per_second']:.3g} samples/s  waiting {record['waiting']:.1%}"
    )


def spelt(values: Mapping[str, Any]) -> str:
    """Names and values in one line, the total first."""
    ordered = sorted(values.items(), key=lambda item: item[0] != "total")
    return "  ".join(f"{name} {value:.4g}" for name, value in ordered)
