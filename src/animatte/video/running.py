"""One run of `animatte video`: checked before it starts, gone on with where one was stopped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from animatte import __version__
from animatte.backgrounds import Background
from animatte.catalogue import DEFAULT_MODEL, shipped_models
from animatte.video.formats import VideoFormat
from animatte.video.frames import Clip, VideoError
from animatte.video.job import MattePredictor, Progress, VideoJob, VideoReport
from animatte.video.options import VideoOptions
from animatte.video.segments import WorkFolder, files_hash, key_of
from animatte.video.sequences import fits_pattern, is_pattern


def cut_video(
    predictor: MattePredictor,
    clip: Clip,
    output: Path,
    options: VideoOptions,
    *,
    identity: Mapping[str, Any],
    resume: bool = True,
    progress: Progress = lambda _: None,
) -> VideoReport:
    """Cut a clip; an earlier result at `output` is replaced when the new one is whole.

    Args:
        predictor: finds the mattes.
        clip: what is read.
        output: a film, or the pattern of pictures.
        options: what is written.
        identity: what else decides the mattes, as plain values: model, strategy.
        resume: go on behind what an earlier run of the same kind finished.
        progress: is told how far it is, in seconds of film.

    Raises:
        VideoError: if the clip cannot be decoded, the result not be written, or another run is
            about to write it.
    """
    check_output(output, clip, options.read)
    if not options.format.is_pictures:
        options.format.encoder()  # says so now if there is none
    with _work_folder(clip, output, options, identity, resume) as work:
        return VideoJob(predictor, clip, output, options, work=work, progress=progress).run()


def output_path(text: str, chosen: VideoFormat) -> Path:
    """The film, or the pattern of pictures, that a user means by an output."""
    path = Path(text)
    return path / "%05d.png" if chosen.is_pictures and not is_pattern(text) else path


def model_hash(model: str | None) -> str:
    """A hash of a model's file, by the name or path that the user gave."""
    name = DEFAULT_MODEL if model is None else model
    known = {card.name: card.path for card in shipped_models()}
    return hashlib.sha256(known.get(name, Path(name)).read_bytes()).hexdigest()


def _work_folder(
    clip: Clip, output: Path, options: VideoOptions, identity: Mapping[str, Any], resume: bool
) -> WorkFolder:
    window = options.window
    key = key_of(
        {
            "animatte": __version__,
            "clip": files_hash(clip.files),
            "rate": str(clip.facts.rate),
            "format": options.format.name,
            "kind": options.kind,
            "background": _background_identity(options.background),
            "window": [str(window.start), str(window.end)],
            "stabilise": options.stabilise,
            "segment": str(options.segment_seconds),
            **identity,
        }
    )
    is_folder = options.format.is_pictures
    beside = output
    if is_folder and output.parent.name:  # of each pattern in a folder one of its own
        beside = output.parent.with_name(f"{output.parent.name}.{output.name}")
    suffix = "" if is_folder else output.suffix.lower()
    try:
        return WorkFolder(beside, suffix, key, resume)
    except OSError as error:
        raise VideoError(
            f"{beside.parent} cannot be written to ({error.strerror}); choose another folder"
        ) from error


def _background_identity(background: Background | None) -> str:
    if background is None or background.is_blur:
        return str(background is not None)
    if background.picture is None:
        return str(background.colour)
    return hashlib.sha256(background.picture.tobytes()).hexdigest()


def check_output(output: Path, clip: Clip, read: Sequence[Path] = ()) -> None:
    """See to it, before anything is cut, that a result has a place, and that of no file it reads.

    Args:
        output: a film, a picture, or a pattern of pictures.
        clip: what is read.
        read: further files that are.

    Raises:
        VideoError: if it has none.
    """
    beside = output.parent.parent if is_pattern(output.name) else output.parent
    for folder in (beside, output.parent):
        if os.path.lexists(folder) and not folder.is_dir():
            raise VideoError(f"{folder} is no folder; choose another name for the output")
    if not beside.is_dir():
        raise VideoError(f"folder {beside} does not exist; create it first")
    if is_pattern(output.name):
        _check_pattern(output, clip, read)
    elif output.is_dir():
        raise VideoError(f"{output} is a folder; name a file")
    elif output.exists() and any(path.samefile(output) for path in (*clip.files, *read)):
        raise VideoError(f"{output} is the file to be read; write to another one")


def _check_pattern(output: Path, clip: Clip, read: Sequence[Path]) -> None:
    folder = output.parent.resolve()
    if any(
        place.parent == folder and place.suffix.lower() == ".png" for place in _places(clip.files)
    ):
        raise VideoError(f"{output.parent} holds the pictures to be read; write to another folder")
    for place in _places(read):
        if place.parent == folder and fits_pattern(place, output):
            raise VideoError(f"{place} is a file to be read; write to another folder")


def _places(paths: Sequence[Path]) -> Iterator[Path]:
    """Where files are, and where they really are if they are links."""
    for path in paths:
        yield path.parent.resolve() / path.name
        yield path.resolve()
