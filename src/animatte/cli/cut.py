"""`animatte cut`: photos in, cut-outs, mattes or composites out."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from animatte.cli.errors import error_line, print_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from animatte.cutting import CutFailure, CutReport


def cut(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Photos to cut out.", show_default=False)
    ],
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Folder for the results, or the file for a single one. Default: beside the photo.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A model of `animatte models`, or an .onnx or .safetensors file.",
        ),
    ] = None,
    matte: Annotated[
        bool, typer.Option("--matte", help="Write the alpha alone, as a grey picture.")
    ] = False,
    trimap: Annotated[
        bool,
        typer.Option("--trimap", help="Write background, unknown and foreground: 0, 128, 255."),
    ] = False,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR|FILE|blur",
            help="Write the subject on a colour, on a picture, or on the photo blurred.",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="png, webp, png16, tiff16, or with --background jpg. Default: the suffix of OUT, "
            "else png.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, ...: see `animatte doctor`.")
    ] = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How large photos are seen. Default: the model's own."),
    ] = None,
    refine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What follows the network: guided or closed-form. Default: nothing.",
        ),
    ] = None,
    straighten: Annotated[
        str,
        typer.Option(
            metavar="WHEN|DEGREES",
            help="Turn photos upright for the network: never, auto, always, or by degrees "
            "counter-clockwise.",
        ),
    ] = "never",
    zoom: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="Look again at small subjects, closely: never, auto or always."
        ),
    ] = "never",
    aspect: Annotated[
        str | None,
        typer.Option(metavar="W:H", help="The true proportions of squeezed photos, as 16:9."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write what was done, one line of JSON a photo."),
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Accept photos of up to N pixels.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Say which model and device are used.")
    ] = False,
) -> None:
    """Cut the subject out of photos: straight alpha, clean colours, full size.

    Results are named NAME.cutout.png, NAME.matte.png, NAME.trimap.png or NAME.composite.png.

    No photo is ever overwritten; the result of an earlier run is.
    """
    from animatte import cutting, outputs
    from animatte.images import DEFAULT_MAX_PIXELS
    from animatte.looks import Looks, parsed_aspect, parsed_straighten, parsed_zoom
    from animatte.predictor import load

    limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
    paths = outputs.expanded_photos(photos)
    options = cutting.CutOptions(
        matte=matte,
        background=None if background is None else cutting.parsed_background(background, limit),
        output_format=outputs.named_format(output_format, output, len(paths)),
        max_pixels=limit,
        trimap=trimap,
    )
    looks = Looks(
        parsed_straighten(straighten),
        parsed_zoom(zoom),
        None if aspect is None else parsed_aspect(aspect),
    )
    kept = [] if background is None else [Path(background)]
    report_path = None if report is None else outputs.report_path(report, [*paths, *kept])
    if report_path is not None:
        kept.append(report_path)
    targets = outputs.output_paths(paths, output, options.kind, options.output_format, kept)
    predictor = load(model, device=device, strategy=strategy, refine=refine, looks=looks)
    if verbose:
        typer.echo(
            f"model {predictor.name} on {predictor.device}, strategy {predictor.strategy}", err=True
        )
    num_failed = 0
    with _progress(len(paths), quiet) as advance, outputs.line_file(report_path) as write_line:
        for result in cutting.cut_photos(predictor, paths, targets, options):
            write_line({"model": predictor.name, **_line(result)})
            num_failed += _told(result, quiet)
            advance()
    if num_failed:
        if len(paths) > 1:
            typer.echo(f"{num_failed} of {len(paths)} failed", err=True)
        raise typer.Exit(1)


def _told(result: CutReport | CutFailure, quiet: bool) -> bool:
    """Print one line about a photo; True if it failed.

    `print`, unlike `typer.echo`, goes through the streams that keep lines clear of the bar.
    """
    from animatte.cutting import CutFailure

    if isinstance(result, CutFailure):
        line = error_line(result.error)
        named = str(result.photo) in line
        print_error(line if named else f"{result.photo}: {line}")
        return True
    for warning in result.warnings:
        print(f"warning: {result.photo}: {warning}", file=sys.stderr)
    if not quiet:
        print(f"{result.output}  {result.seconds:.2f} s")
    return False


def _line(result: CutReport | CutFailure) -> dict[str, Any]:
    """What the report says about a photo."""
    from animatte.cutting import CutFailure

    if isinstance(result, CutFailure):
        return {"photo": str(result.photo), "error": error_line(result.error)}
    height, width = result.size
    return {
        "photo": str(result.photo),
        "output": str(result.output),
        "seconds": round(result.seconds, 3),
        "width": width,
        "height": height,
        **result.done,
        "warnings": result.warnings,
    }


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
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
