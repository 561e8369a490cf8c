"""`animatte cut` on this machine: files and folders, or one photo through a pipe."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from animatte.cli.cut_order import STREAM, Order, Sources, num_cores
from animatte.cli.cut_telling import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from animatte.cutting import CutOptions
    from animatte.listing import Listing


def cut_files(order: Order) -> None:
    """Cut photos and folders of them.

    Raises:
        typer.Exit: with 1 if a photo failed.
    """
    from animatte import batch

    _, network, content, conduct = order
    listed, output = _listed(order.sources)
    options = content.options(output, len(listed.photos))
    files = _files(listed, output, options, content.files, conduct.report)
    num_jobs = min(conduct.jobs or num_cores(), max(1, len(listed.photos)))
    predictor = network.loaded(conduct.verbose, num_jobs)
    num_jobs, shared = batch.planned(predictor, num_jobs, conduct.budget)
    keeps_record = listed.has_folders or conduct.resume
    settings = order.settings(predictor, options) if keeps_record else None
    with batch.record_of(output, settings, conduct.resume, files.report) as record:
        results = batch.cut_photos(
            predictor,
            listed.photos,
            files.targets,
            options,
            jobs=num_jobs,
            memory=shared,
            record=record,
        )
        told(results, listed, predictor.name, files.report, conduct.quiet)


def _listed(sources: Sources) -> tuple[Listing, str | None]:
    """The photos, and the output, which of folders is a folder whatever its name."""
    from animatte.listing import checked_folders, listing

    output = checked_folders(sources.names, sources.output)
    below = None if output is None else Path(output)
    return listing(sources.names, sources.filters, below), output


class _Files(NamedTuple):
    """What is written: a result for each photo, and the report."""

    targets: list[Path]
    report: Path | None


def _files(
    listed: Listing,
    output: str | None,
    options: CutOptions,
    kept: Sequence[Path],
    report: str | None,
) -> _Files:
    from animatte import outputs

    report_path = None
    if report is not None:
        report_path = outputs.report_path(report, [*listed.photos, *kept])
        kept = [*kept, report_path]
    targets = outputs.output_paths(
        listed.photos, output, options.kind, options.output_format, kept=kept, below=listed.below
    )
    return _Files(targets, report_path)


def cut_stream(order: Order) -> None:
    """From standard input, or to standard output, on which nothing else is printed."""
    from animatte import batch
    from animatte.images import Held, write_whole
    from animatte.outputs import make_folder

    _check_stream(order)
    (photo, *_), output = order.sources.names, order.sources.output
    options = order.content.options(None if output == STREAM else output, 1)
    target = None if output in (None, STREAM) else _target(output, order.content.files)
    predictor = order.network.loaded(order.conduct.verbose)
    is_piped = photo == STREAM
    source = Held(sys.stdin.buffer.read(), "standard input") if is_piped else Path(photo)
    result, warnings = batch.cut_stream(predictor, source, options, order.conduct.budget)
    for warning in warnings:
        typer.echo(f"warning: {photo}: {warning}", err=True)
    if target is not None:
        make_folder(target.parent)
        write_whole(target, [result])
        return
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()


def _target(output: str, kept: Sequence[Path]) -> Path:
    """The file of a photo that comes from standard input."""
    from animatte import outputs

    if outputs.names_folder(output):
        raise ValueError(
            f"output {output} is a folder, and a photo from - has no name; name a file"
        )
    return outputs.unread_path(output, kept)


def _check_stream(order: Order) -> None:
    photos, output = order.sources.names, order.sources.output
    if len(photos) > 1:
        raise ValueError(
            f"- is one photo, and there are {len(photos)}; cut the others in a run of their own"
        )
    if order.conduct.report is not None or order.conduct.resume:
        raise ValueError("--report and --resume are for files; leave them out with -")
    if output in (None, STREAM) and sys.stdout.isatty():
        raise ValueError("standard output is a terminal; write > FILE behind, or -o FILE")
