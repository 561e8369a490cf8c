"""`animatte cut`: photos in, cut-outs, mattes or composites out."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from animatte.cli import arguments, cut_scaled
from animatte.cli import cut_arguments as given
from animatte.cli.cut_telling import Tally, progress_bar, report_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from animatte.batch import Result
    from animatte.cutting import CutOptions
    from animatte.listing import Listing
    from animatte.looks import Looks
    from animatte.outputs import OutputFormat
    from animatte.predictor import Predictor
    from animatte.subjects import Margin

_STREAM = "-"


def cut(
    photos: given.Photos,
    *,
    output: given.Output = None,
    model: arguments.Model = None,
    matte: given.WantsMatte = False,
    trimap: given.WantsTrimap = False,
    background: given.BackgroundText = None,
    output_format: given.FormatName = None,
    device: arguments.Device = "auto",
    strategy: given.StrategyName = None,
    refine: arguments.RefinementName = None,
    straighten: given.Straighten = "never",
    zoom: given.Zoom = "never",
    aspect: given.AspectText = None,
    subject: given.SubjectName = "all",
    point: given.PointText = None,
    box: given.BoxText = None,
    crop: given.WantsCrop = False,
    margin: given.MarginText = None,
    include: given.Include = None,
    exclude: given.Exclude = None,
    jobs: given.JobCount = None,
    engine: given.EngineName = "local",
    memory: given.Memory = None,
    resume: given.Resume = False,
    report: given.ReportFile = None,
    max_pixels: given.MaxPixels = None,
    quiet: arguments.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Cut the subject out of photos: straight alpha, clean colours, full size.

    Results are named NAME.cutout.png, NAME.matte.png, NAME.trimap.png or NAME.composite.png; those
    of a folder lie below OUT as the photos lie below the folder.

    No photo is ever overwritten; the result of an earlier run is.
    """
    from animatte import batch
    from animatte.memory import parsed_memory
    from animatte.outputs import named_format

    looks = _looks(straighten, zoom, aspect)
    load = partial(_loaded, (model, device, strategy, refine, looks), verbose)
    options = partial(
        _options,
        matte=matte,
        trimap=trimap,
        background=background,
        subject=(subject, point, box),
        margin=_margin(crop, margin),
        max_pixels=max_pixels,
    )
    budget = None if memory is None else parsed_memory(memory)
    if engine not in ("local", "ray"):
        raise ValueError(f"engine {engine!r} is unknown; choose local or ray")
    if _STREAM in (*photos, output):
        _check_stream(photos, output, report is not None or resume)
        output = output or _STREAM
        chosen = options(named_format(output_format, None if output == _STREAM else output, 1))
        _cut_stream(photos[0], output, chosen, load, budget)
        return
    if engine == "ray":
        setup = cut_scaled.setup(
            model=model,
            device=device,
            strategy=strategy,
            refine=refine,
            looks=looks,
            budget=budget,
        )
        work = cut_scaled.listed(photos, output, include, exclude)
        chosen = options(named_format(output_format, work.output, len(work.photos)))
        kept = [Path(background)] if background else []
        targets, report_file = cut_scaled.targets(work, chosen, kept, report)
        predictor = load(1)
        keeps_record = resume or (work.listing.has_folders and cut_scaled.is_on_disk(work))
        settings = _settings(model, refine, predictor, chosen) if keeps_record else None
        with cut_scaled.record_of(work, settings, resume) as record:
            results = cut_scaled.results(
                setup, predictor, chosen, work=work, targets=targets, jobs=jobs, record=record
            )
            tally = _told(results, work.listing, predictor.name, report_file, quiet)
        _end(tally, work.listing, quiet)
        return
    listed, output = _listed(photos, output, include, exclude)
    chosen = options(named_format(output_format, output, len(listed.photos)))
    files = _files(listed, output, chosen, [Path(background)] if background else [], report)
    predictor = load(num_jobs := min(jobs or _num_cores(), max(1, len(listed.photos))))
    num_jobs, shared = batch.planned(predictor, num_jobs, budget)
    keeps_record = listed.has_folders or resume
    settings = _settings(model, refine, predictor, chosen) if keeps_record else None
    with batch.record_of(output, settings, resume) as record:
        results = batch.cut_photos(
            predictor,
            listed.photos,
            files.targets,
            chosen,
            jobs=num_jobs,
            memory=shared,
            record=record,
        )
        tally = _told(results, listed, predictor.name, files.report, quiet)
    _end(tally, listed, quiet)


def _end(tally: Tally, listed: Listing, quiet: bool) -> None:
    """The summary, and the exit code of what failed."""
    if listed.has_folders and not quiet:
        tally.print_summary(listed)
    if tally.num_failed:
        if len(listed.photos) > 1:
            typer.echo(f"{tally.num_failed} of {len(listed.photos)} failed", err=True)
        raise typer.Exit(1)


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


def _told(
    results: Generator[Result], listed: Listing, model: str, report: Path | None, quiet: bool
) -> Tally:
    """Take the results one by one: print, report, count them."""
    from animatte.batch import CutFailure
    from animatte.outputs import line_file

    tally = Tally(quiet)
    closed = [CutFailure(folder, error) for folder, error in listed.closed]
    with (
        progress_bar(len(listed.photos), quiet) as advance,
        line_file(report) as write_line,
        closing(results),
    ):
        for result in chain(closed, results):
            write_line({"model": model, **report_line(result)})
            tally.tell(result)
            advance()
    return tally


def _listed(
    names: Sequence[str],
    output: str | None,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
) -> tuple[Listing, str | None]:
    """The photos, and the output, which of folders is a folder whatever its name."""
    from animatte.listing import Filters, checked_folders, listing

    output = checked_folders(names, output)
    filters = Filters(tuple(include or ()), tuple(exclude or ()))
    return listing(names, filters, None if output is None else Path(output)), output


def _options(
    output_format: OutputFormat,
    *,
    matte: bool,
    trimap: bool,
    background: str | None,
    subject: tuple[str, str | None, str | None],
    margin: Margin | None,
    max_pixels: int | None,
) -> CutOptions:
    from animatte.backgrounds import parsed_background
    from animatte.cutting import CutOptions
    from animatte.images import DEFAULT_MAX_PIXELS
    from animatte.subjects import parsed_subject

    limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
    return CutOptions(
        matte=matte,
        background=None if background is None else parsed_background(background, limit),
        output_format=output_format,
        max_pixels=limit,
        trimap=trimap,
        subject=parsed_subject(*subject),
        crop=margin,
    )


def _margin(crop: bool, margin: str | None) -> Margin | None:
    from animatte.subjects import Margin, parsed_margin

    if not crop:
        if margin is not None:
            raise ValueError("--margin is left around the subject by --crop; give that too")
        return None
    return Margin() if margin is None else parsed_margin(margin)


def _looks(straighten: str, zoom: str, aspect: str | None) -> Looks:
    from animatte.looks import Looks, parsed_aspect, parsed_straighten, parsed_zoom

    return Looks(
        parsed_straighten(straighten),
        parsed_zoom(zoom),
        None if aspect is None else parsed_aspect(aspect),
    )


def _loaded(
    chosen: tuple[str | None, str, str | None, str | None, Looks], verbose: bool, num_jobs: int
) -> Predictor:
    """The predictor; of several photos at a time each has its share of the cores."""
    from animatte.predictor import load

    threads = None if num_jobs == 1 else max(1, _num_cores() // num_jobs)
    predictor = load(*chosen, threads=threads)
    if verbose:
        typer.echo(
            f"model {predictor.name} on {predictor.device}, strategy {predictor.strategy}", err=True
        )
    return predictor


def _num_cores() -> int:
    return os.cpu_count() or 1


def _settings(
    model: str | None, refine: str | None, predictor: Predictor, options: CutOptions
) -> dict[str, Any]:
    """All that results depend on besides the photos."""
    from animatte import __version__
    from animatte.batch import plain_options
    from animatte.engine import model_file

    return {
        "version": __version__,
        "model": hashlib.sha256(model_file(model).read_bytes()).hexdigest(),
        "strategy": predictor.strategy.as_dict(),
        "refine": refine,
        "looks": repr(predictor.looks),
        "options": plain_options(options),
    }


def _check_stream(photos: Sequence[str], output: str | None, wants_files: bool) -> None:
    if len(photos) > 1:
        raise ValueError(
            f"- is one photo, and there are {len(photos)}; cut the others in a run of their own"
        )
    if wants_files:
        raise ValueError("--report and --resume are for files; leave them out with -")
    if output in (None, _STREAM) and sys.stdout.isatty():
        raise ValueError("standard output is a terminal; write > FILE behind, or -o FILE")


def _cut_stream(
    photo: str,
    output: str,
    options: CutOptions,
    load: Callable[[int], Predictor],
    budget: int | None,
) -> None:
    """From standard input, or to standard output, on which nothing else is printed."""
    from animatte import batch
    from animatte.images import write_whole

    is_file = output != _STREAM
    if is_file and Path(output).is_dir():
        raise ValueError(
            f"output {output} is a folder, and a photo from - has no name; name a file"
        )
    predictor = load(1)
    source: Path | bytes = sys.stdin.buffer.read() if photo == _STREAM else Path(photo)
    result, warnings = batch.cut_stream(predictor, source, options, budget)
    for warning in warnings:
        typer.echo(f"warning: {photo}: {warning}", err=True)
    if is_file:
        write_whole(Path(output), [result])
        return
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
