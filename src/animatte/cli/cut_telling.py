"""What `animatte cut` prints and reports of each photo, and of all of them at the end."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from animatte.cli.errors import error_line, print_error

if TYPE_CHECKING:
    from animatte.batch import Result
    from animatte.listing import Listing


class Tally:
    """Results, printed as they come and counted."""

    def __init__(self, quiet: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._quiet = quiet
        self._start = perf_counter()
        self._pixels = 0

    @property
    def num_failed(self) -> int:
        """How many photos failed."""
        return self.counts["failed"]

    def tell(self, result: Result) -> None:
        """Print one line about a photo.

        `print`, unlike `typer.echo`, goes through the streams that keep lines clear of the bar.
        """
        from animatte.batch import CutFailure, CutSkipped

        if isinstance(result, CutFailure):
            self.counts["failed"] += 1
            line = error_line(result.error)
            named = str(result.photo) in line
            print_error(line if named else f"{result.photo}: {line}")
            return
        if isinstance(result, CutSkipped):
            self.counts["as they were"] += 1
            if not self._quiet:
                print(f"{result.output}  as it was")
            return
        self.counts["cut"] += 1
        self.counts["without animal"] += result.is_empty
        self.counts["to review"] += result.needs_review and not result.is_empty
        self._pixels += result.size[0] * result.size[1]
        for warning in result.warnings:
            print(f"warning: {result.photo}: {warning}", file=sys.stderr)
        if not self._quiet:
            print(f"{result.output}  {result.seconds:.2f} s")

    def print_summary(self, listed: Listing) -> None:
        """Print a table of how many, and how fast, to stderr."""
        from rich.console import Console
        from rich.table import Table

        seconds = perf_counter() - self._start
        table = Table(show_header=False)
        for name in ("cut", "as they were", "without animal", "to review", "failed"):
            if self.counts[name] or name == "cut":
                table.add_row(name, str(self.counts[name]))
        if listed.others:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in listed.others.most_common())
            table.add_row("other files", kinds)
        if self.counts["cut"]:
            rate = f"{self.counts['cut'] / seconds:.1f} photos/s"
            table.add_row("in", f"{seconds:.0f} s: {rate}, {self._pixels / seconds / 1e6:.1f} MP/s")
        Console(stderr=True, highlight=False).print(table)


def report_line(result: Result) -> dict[str, Any]:
    """What the report says about a photo."""
    from animatte.batch import CutFailure, CutSkipped

    if isinstance(result, CutFailure):
        return {"photo": str(result.photo), "error": error_line(result.error)}
    if isinstance(result, CutSkipped):
        return {"photo": str(result.photo), "output": str(result.output), "skipped": True}
    height, width = result.size
    return {
        "photo": str(result.photo),
        "output": str(result.output),
        "seconds": round(result.seconds, 3),
        "width": width,
        "height": height,
        "confidence": None if result.confidence is None else round(result.confidence, 3),
        "needs_review": result.needs_review,
        **result.done,
        "warnings": result.warnings,
    }


@contextmanager
def progress_bar(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on stderr while photos are cut, where that is a terminal; yields the step."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # into a file, lines go as they are
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
