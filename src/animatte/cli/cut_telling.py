"""What `animatte cut` prints and reports of each photo, and of all of them at the end."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

from animatte.cli.errors import error_line, print_error
from animatte.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from animatte.batch import Result
    from animatte.listing import Listing


class Tally:
    """Results, printed as they come and counted.

    Args:
        quiet: print errors and warnings only.
        reported: whether the report goes to standard output, and results need no line of their own.
    """

    def __init__(self, quiet: bool, reported: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self._quiet = quiet or reported
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


def told(
    results: Generator[Result], listed: Listing, model: str, report: Path | None, quiet: bool
) -> None:
    """Take the results one by one: print, report and count them; at the end sum up.

    Raises:
        typer.Exit: with 1 if a photo failed.
    """
    from animatte.batch import CutFailure
    from animatte.outputs import STANDARD, line_file

    tally, total = Tally(quiet, reported=report == STANDARD), len(listed.photos)
    closed = [CutFailure(folder, error) for folder, error in listed.closed]
    with (
        progress_bar(shown=not quiet and total > 1, counted=True) as show,
        line_file(report) as write_line,
        closing(results),
    ):
        show(0, total)
        for done, result in enumerate(chain(closed, results), start=1):
            write_line({"model": model, **report_line(result)})
            tally.tell(result)
            show(done, total)
    if listed.has_folders and not quiet:
        tally.print_summary(listed)
    if tally.num_failed:
        if total > 1:
            typer.echo(f"{tally.num_failed} of {total} failed", err=True)
        raise typer.Exit(1)
