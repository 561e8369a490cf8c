"""`animatte video`: a clip in, its cut-out, matte or composite out."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from animatte.cli import arguments
from animatte.cli.progress import progress_bar
from animatte.extras import check_installed

if TYPE_CHECKING:
    from animatte.backgrounds import Background
    from animatte.predictor import Predictor
    from animatte.video.formats import Kind
    from animatte.video.frames import Clip, Window
    from animatte.video.job import VideoReport


# Behind the subject in side-by-side films, unless another is asked for.
_NEW_BACKGROUND = "#00b140"


def video(
    clip: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="A film, a folder of pictures, or a pattern like %05d.png."
        ),
    ],
    *,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="The result: .mov, .webm, .mp4, .mkv, a folder or a pattern like out/%05d.png.",
            show_default=False,
        ),
    ],
    matte: Annotated[bool, typer.Option("--matte", help="Write the alpha alone, in grey.")] = False,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR|FILE|blur",
            help="Write the subject on a colour, on a picture, or on the film blurred.",
        ),
    ] = None,
    side_by_side: Annotated[
        bool,
        typer.Option("--side-by-side", help="Write film, matte and composite beside each other."),
    ] = False,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="prores, vp9, h264, png or png16. Default: by the suffix of OUT.",
        ),
    ] = None,
    stabilise: Annotated[
        str,
        typer.Option(metavar="HOW", help="Against flicker: flow, delay, or none to turn it off."),
    ] = "flow",
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin here: seconds or H:MM:SS.")
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="End before this: seconds or H:MM:SS.")
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option(
            metavar="RATE", help="Pictures per second, where IN is pictures. Default: 25."
        ),
    ] = None,
    preview: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Write a contact sheet of every N-th frame to OUT, a .png."
        ),
    ] = None,
    audio: Annotated[bool, typer.Option("--audio/--no-audio", help="Keep the sound.")] = True,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Go on where the same command was stopped before."
        ),
    ] = True,
    model: arguments.Model = None,
    device: arguments.Device = "auto",
    strategy: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How frames are seen. Default: the model's own."),
    ] = None,
    refine: arguments.RefinementName = None,
    quiet: arguments.Quiet = False,
) -> None:
    """Cut the subject out of a film: straight alpha, clean colours, steady edges, the sound kept.

    A command that was stopped goes on where it was when it is given again.
    """
    check_installed("av", "video")
    from animatte.backgrounds import parsed_background
    from animatte.predictor import load
    from animatte.video import opening, running
    from animatte.video.formats import chosen_format
    from animatte.video.frames import Window
    from animatte.video.options import VideoOptions
    from animatte.video.stabilisation import named_stabiliser

    kind = _kind(matte, background, side_by_side)
    chosen = None if preview else chosen_format(output_format, output, kind)
    named_stabiliser(stabilise)
    if side_by_side and background is None:
        background = _NEW_BACKGROUND
    behind = None if background is None else parsed_background(background)
    window = Window(
        Fraction(0) if start is None else opening.parsed_moment(start),
        None if end is None else opening.parsed_moment(end),
    )
    opened = opening.opened(clip, None if fps is None else opening.parsed_rate(fps))
    predictor = load(model, device=device, strategy=strategy, refine=refine)
    if chosen is None:
        _write_preview(
            predictor,
            opened,
            Path(output),
            step=preview or 1,
            window=window,
            background=behind,
            quiet=quiet,
        )
        return
    options = VideoOptions(chosen, kind, behind, window, stabilise, with_sound=audio)
    identity = {
        "model": running.model_hash(model),
        "strategy": predictor.strategy.as_dict(),
        "refine": refine,
    }
    with _progress(opened, window, quiet) as advance:
        report = running.cut_video(
            predictor,
            opened,
            running.output_path(output, chosen),
            options,
            identity=identity,
            resume=resume,
            progress=advance,
        )
    _tell(report, quiet)


def _kind(matte: bool, background: str | None, side_by_side: bool) -> Kind:
    """What is to be written.

    Raises:
        ValueError: if that would be two things.
    """
    if matte and (background is not None or side_by_side):
        other = "--background" if background is not None else "--side-by-side"
        raise ValueError(
            f"--matte writes the alpha alone and {other} another film; "
            "choose one, and run twice for both"
        )
    if side_by_side:
        return "side-by-side"
    return "matte" if matte else "cutout" if background is None else "composite"


def _write_preview(
    predictor: Predictor,
    clip: Clip,
    output: Path,
    *,
    step: int,
    window: Window,
    background: Background | None,
    quiet: bool,
) -> None:
    from animatte.video.frames import VideoError
    from animatte.video.preview import write_preview

    if output.suffix.lower() != ".png":
        raise VideoError(f"a preview is a picture; end {output} with .png")
    with _progress(clip, window, quiet) as advance:
        count = write_preview(
            predictor,
            clip,
            output,
            step=step,
            window=window,
            background=background,
            progress=advance,
        )
    if not quiet:
        print(f"{output}  {count} frames")


@contextmanager
def _progress(clip: Clip, window: Window, quiet: bool) -> Iterator[Callable[[Fraction], None]]:
    """A bar with the time left; yields what takes how far it is, in seconds of film."""
    end = clip.facts.seconds if window.end is None else window.end
    if quiet or end is None:
        yield lambda _: None
        return
    total = max(1, round(1000 * (end - window.start)))
    with progress_bar(Path(clip.facts.name).name) as draw:
        yield lambda seconds: draw(min(total, round(1000 * seconds)), total)


def _tell(report: VideoReport, quiet: bool) -> None:
    """Print what was written, and what the user is to know of it.

    Raises:
        ValueError: if the result is not all that the clip promised.
    """
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
    if not quiet:
        new = report.num_frames - report.num_resumed
        resumed = (
            f", {report.num_resumed} of them from an earlier run" if report.num_resumed else ""
        )
        rate = f", {new / report.seconds:.1f} frames/s" if new else ""
        print(f"{report.output}  {report.num_frames} frames{resumed}, {report.seconds:.1f} s{rate}")
    if report.damage:
        raise ValueError(report.damage)
