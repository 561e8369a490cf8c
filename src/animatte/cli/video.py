"""`animatte video`: a clip in, its cut-out, matte or composite out."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from animatte.cli import arguments
from animatte.cli import video_arguments as given
from animatte.cli.progress import progress_bar
from animatte.extras import check_installed

if TYPE_CHECKING:
    from animatte.backgrounds import Background
    from animatte.predictor import Predictor
    from animatte.video.formats import Kind
    from animatte.video.frames import Clip, Window
    from animatte.video.job import VideoReport
    from animatte.video.options import VideoOptions


# Behind the subject in side-by-side films, unless another is asked for.
_NEW_BACKGROUND = "#00b140"


def video(
    clip: given.ClipName,
    *,
    output: given.Output,
    matte: given.WantsMatte = False,
    background: given.BackgroundText = None,
    side_by_side: given.SideBySide = False,
    output_format: given.FormatName = None,
    stabilise: given.Stabilise = "flow",
    start: given.Start = None,
    end: given.End = None,
    fps: given.Rate = None,
    preview: given.PreviewStep = None,
    audio: given.WantsAudio = True,
    resume: given.Resume = True,
    model: arguments.Model = None,
    device: arguments.Device = "auto",
    strategy: given.StrategyName = None,
    refine: arguments.RefinementName = None,
    quiet: arguments.Quiet = False,
) -> None:
    """Cut the subject out of a film: straight alpha, clean colours, steady edges, the sound kept.

    A command that was stopped goes on where it was when it is given again.
    """
    check_installed("av", "video")
    from animatte.predictor import load
    from animatte.video import opening, running
    from animatte.video.formats import chosen_format
    from animatte.video.options import VideoOptions
    from animatte.video.stabilisation import named_stabiliser

    if preview:
        _check_preview(matte, side_by_side, output_format)
    kind = _kind(matte, background, side_by_side)
    chosen = None if preview else chosen_format(output_format, output, kind)
    named_stabiliser(stabilise)
    behind, read = _behind(background, side_by_side)
    window = _window(start, end)
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
            read=read,
            quiet=quiet,
        )
        return
    options = VideoOptions(chosen, kind, behind, window, stabilise, with_sound=audio, read=read)
    identity = {
        "model": running.model_hash(model),
        "strategy": predictor.strategy.as_dict(),
        "refine": refine,
    }
    _write_film(predictor, opened, output, options, identity=identity, resume=resume, quiet=quiet)


def _check_preview(matte: bool, side_by_side: bool, output_format: str | None) -> None:
    """Refuse what a contact sheet does not know.

    Raises:
        ValueError: naming it.
    """
    unknown = {
        "--matte": matte,
        "--side-by-side": side_by_side,
        "--format": output_format is not None,
    }
    if any(unknown.values()):
        names = " and ".join(name for name, is_given in unknown.items() if is_given)
        raise ValueError(
            f"--preview writes cut-outs on a background, as a .png, and knows no {names}; "
            "leave one of them out"
        )


def _behind(text: str | None, side_by_side: bool) -> tuple[Background | None, list[Path]]:
    """What the subject is put on, and the files that it was read from."""
    from animatte.backgrounds import parsed_background

    if text is None:
        return (parsed_background(_NEW_BACKGROUND) if side_by_side else None), []
    behind = parsed_background(text)
    return behind, [] if behind.picture is None else [Path(text)]


def _window(start: str | None, end: str | None) -> Window:
    """The part of the film that is cut."""
    from animatte.video.frames import Window
    from animatte.video.opening import parsed_moment

    return Window(
        Fraction(0) if start is None else parsed_moment(start),
        None if end is None else parsed_moment(end),
    )


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


def _write_film(
    predictor: Predictor,
    clip: Clip,
    output: str,
    options: VideoOptions,
    *,
    identity: Mapping[str, object],
    resume: bool,
    quiet: bool,
) -> None:
    from animatte.video import running

    with _progress(clip, options.window, quiet) as advance:
        report = running.cut_video(
            predictor,
            clip,
            running.output_path(output, options.format),
            options,
            identity=identity,
            resume=resume,
            progress=advance,
        )
    _tell(report, quiet)


def _write_preview(
    predictor: Predictor,
    clip: Clip,
    output: Path,
    *,
    step: int,
    window: Window,
    background: Background | None,
    read: Sequence[Path],
    quiet: bool,
) -> None:
    from animatte.video.job import damage_line
    from animatte.video.preview import write_preview

    with _progress(clip, window, quiet) as advance:
        count = write_preview(
            predictor,
            clip,
            output,
            step=step,
            window=window,
            background=background,
            read=read,
            progress=advance,
        )
    if not quiet:
        print(f"{output}  {count} frames")
    _tell_damage(damage_line(clip))


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
    _tell_damage(report.damage)


def _tell_damage(line: str) -> None:
    """End with it, if there is one: what was written is whole, and not all that was promised.

    Raises:
        ValueError: with the line.
    """
    if line:
        raise ValueError(line)
