"""One run of `animatte video`: checked before it starts, gone on with where one was stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
from animatte.video.sequences import is_pattern


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
        VideoError: if the clip cannot be decoded, or the result not be written.
    """
    _check_output(output, clip)
    if not options.format.is_pictures:
        options.format.encoder()  # says so now if there is none
    work = _work_folder(clip, output, options, identity, resume)
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
    beside = output.parent if is_folder and output.parent.name else output
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


def _check_output(output: Path, clip: Clip) -> None:
    beside = output.parent.parent if is_pattern(output.name) else output.parent
    if not beside.is_dir():
        raise VideoError(f"folder {beside} does not exist; create it first")
    if is_pattern(output.name):
        folder = output.parent.resolve()
        if any(path.resolve().parent == folder for path in clip.files if path.suffix == ".png"):
            raise VideoError(
                f"{output.parent} holds the pictures to be read; write to another folder"
            )
    elif output.is_dir():
        raise VideoError(f"{output} is a folder; name a file")
    elif any(path.resolve() == output.resolve() for path in clip.files):
        raise VideoError(f"{output} is the file to be read; write to another one")
