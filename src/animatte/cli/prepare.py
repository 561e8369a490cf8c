"""`animatte data prepare`: what training wants made ahead of time."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from animatte.cli.errors import print_error
from animatte.cli.progress import Jobs, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from animatte.data import mattes as matting
    from animatte.data.preparation import Maker, Outcome, Task

    _Outcome: TypeAlias = Outcome | matting.Outcome

app = typer.Typer(
    help="Make trimaps, foreground colours, denoised pictures or mattes ahead of time. What is "
    "there already is kept, so that an interrupted run goes on with the same command.",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results.")]
Format = Annotated[
    str,
    typer.Option(
        "--format", help="png, exact; or jpg, a quarter as large and much sooner decoded."
    ),
]
LabelledRoot = Annotated[
    Path, typer.Argument(metavar="IN", help="Folder that holds those of pictures and of labels.")
]
Agreement = Annotated[
    float, typer.Option(min=0, max=1, help="IoU that all views must reach with their mean.")
]
MatteModels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A model whose mattes are taken; of several the mean. Default: animatte's own.",
    ),
]
Verdicts = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="CSV (set,name,verdict) of what people decided: label, model or drop.",
    ),
]
Outlines = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="CSV (set,name,kind,points) of what people drew over alphas: kind add or erase, "
        "points x y x y ... in thousandths of the longer side. Needs the extra solver.",
    ),
]
Name = TypeVar("Name", bound=str)


@app.command("trimaps")
def trimaps(
    alphas: Annotated[Path, typer.Argument(metavar="IN", help="Folder of alphas.")],
    output: Out,
    *,
    kernel: Annotated[
        int, typer.Option(min=1, help="Width of the elliptic kernel in pixels.")
    ] = 25,
    jobs: Jobs = None,
) -> None:
    """Make trimaps of alphas by dilation and erosion: 0, 128 and 255, PNG."""
    from animatte.data.preparation import single_tasks, trimap_of

    _prepare(single_tasks(alphas, output), partial(trimap_of, kernel_size=kernel), jobs)


@app.command("foregrounds")
def foregrounds(
    root: Annotated[
        Path, typer.Argument(metavar="IN", help="Folder that holds those of pictures and alphas.")
    ],
    output: Out,
    *,
    method: Annotated[
        str, typer.Option(help="closed-form (Levin et al.) or multi-level (Germer et al.).")
    ] = "multi-level",
    images: Annotated[str, typer.Option(metavar="NAME", help="Pictures, in IN.")] = "image",
    alphas: Annotated[str, typer.Option(metavar="NAME", help="Alphas, in IN.")] = "alpha",
    foreground: Annotated[
        str, typer.Option(metavar="NAME", help="Subjects' colours, in OUT.")
    ] = "foreground",
    background: Annotated[
        str, typer.Option(metavar="NAME", help="What is behind them, in OUT.")
    ] = "background",
    suffix: Format = "png",
    jobs: Jobs = None,
) -> None:
    """Estimate foreground and background colours. Needs the extra solver."""
    from animatte.closed_form import check_pymatting
    from animatte.data.preparation import COLOUR_METHODS, FORMATS, colour_tasks, colours_of

    chosen = _chosen("method", method, COLOUR_METHODS)
    written = _chosen("format", suffix, FORMATS)
    check_pymatting()
    tasks = colour_tasks(
        root / images, root / alphas, output / foreground, output / background, written
    )
    _prepare(tasks, partial(colours_of, method=chosen), jobs)


@app.command("denoise")
def denoise(
    images: Annotated[Path, typer.Argument(metavar="IN", help="Folder of pictures.")],
    output: Out,
    *,
    method: Annotated[
        str,
        typer.Option(
            help="nlm: OpenCV's non-local means; bm3d: the package bm3d, free for "
            "non-commercial use only."
        ),
    ] = "nlm",
    strength: Annotated[
        float, typer.Option(min=0, help="In 8-bit levels: h of nlm, the noise's sigma of bm3d.")
    ] = 10.0,
    suffix: Format = "png",
    jobs: Jobs = None,
) -> None:
    """Take the noise out of pictures."""
    from animatte.data.preparation import (
        DENOISE_METHODS,
        FORMATS,
        check_bm3d,
        denoised,
        single_tasks,
    )

    chosen = _chosen("method", method, DENOISE_METHODS)
    written = _chosen("format", suffix, FORMATS)
    if chosen == "bm3d":
        check_bm3d()
    make = partial(denoised, method=chosen, strength=strength)
    _prepare(single_tasks(images, output, written), make, jobs)


@app.command("mattes")
def mattes(
    root: LabelledRoot,
    output: Out,
    *,
    model: MatteModels = None,
    agreement: Agreement = 0.9,
    verdicts: Verdicts = None,
    outlines: Outlines = None,
    images: Annotated[str, typer.Option(metavar="NAME", help="Pictures, in IN.")] = "image",
    alphas: Annotated[
        str, typer.Option(metavar="NAME", help="Labels, in IN; alpha may be missing.")
    ] = "alpha",
    jobs: Jobs = None,
) -> None:
    """Make a source to train on: labels, and a model's mattes where its views agree.

    A picture without a label gets the mean matte of the models over it and its mirror image, if
    every one of these views agrees with the mean. Verdicts overrule this; outlines mend what is
    taken. OUT gets image/, alpha/ and index.csv.
    """
    from animatte.closed_form import check_pymatting
    from animatte.data.consensus import models_of
    from animatte.data.mattes import matte_tasks, prepared_mattes, summary
    from animatte.data.outlines import OutlineTable
    from animatte.data.tables import set_name
    from animatte.data.verdicts import Table
    from animatte.engine import model_file
    from animatte.predictor import load

    own = set_name(root)
    table = None if verdicts is None else Table(verdicts, own)
    drawn = None if outlines is None else OutlineTable(outlines, own)
    if drawn is not None and len(drawn):
        check_pymatting()
    tasks = matte_tasks(
        root,
        output,
        images=images,
        alphas=alphas,
        verdicts=table,
        outlines=drawn,
        agreement=agreement,
    )
    models = models_of(load, [model_file(each) for each in model] if model else [model_file()])
    for path, read in ((verdicts, table), (outlines, drawn)):
        if read is not None and not len(read):
            typer.echo(f"{path} has no line of the set {own!r}", err=True)
    _carry_out(prepared_mattes(tasks, models, jobs), len(tasks), summary)


def _chosen(what: str, name: str, known: Sequence[Name]) -> Name:
    if name not in known:
        raise ValueError(f"{what} {name!r} is unknown; choose one of {', '.join(known)}")
    return cast("Name", name)


def _prepare(tasks: Sequence[Task], make: Maker, jobs: int | None) -> None:
    from animatte.data.preparation import prepared

    _carry_out(prepared(tasks, make, jobs), len(tasks), _counts)


def _counts(states: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


def _carry_out(
    outcomes: Iterable[_Outcome], count: int, summary: Callable[[Mapping[str, int]], str]
) -> None:
    """Do what the outcomes come of, show how far it is, and exit with 1 if any failed."""
    states: Counter[str] = Counter()
    with progress_bar("preparing") as show:
        for outcome in outcomes:
            states[outcome.state] += 1
            if outcome.error is not None:
                print_error(outcome.error)
            show(states.total(), count)
    typer.echo(summary(states))
    if states["failed"]:
        raise typer.Exit(1)
