"""A contact sheet of a clip: every so manieth frame, cut out, to see what a long run would give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from animatte.backgrounds import Background
from animatte.images import write_image
from animatte.scales import resized
from animatte.video.frames import Clip, ClipFacts, VideoError, Window
from animatte.video.job import MattePredictor, Progress, subject_alpha
from animatte.video.pipeline import in_background
from animatte.video.rendering import Renderer
from animatte.video.running import check_output
from animatte.video.sequences import is_pattern

_SIDE: Final = 240  # pixels of a picture's longer side
_GAP, _LINE = 6, 16
_PAPER, _INK = 245, 30
_MOST: Final = 400
# Unlike any coat: what is wrong with a matte shows.
_STRONG: Final = Background(colour=(1.0, 0.0, 0.78))


def write_preview(
    predictor: MattePredictor,
    clip: Clip,
    output: Path,
    *,
    step: int,
    window: Window,
    background: Background | None = None,
    read: Sequence[Path] = (),
    progress: Progress = lambda _: None,
) -> int:
    """Write a contact sheet of every `step`-th frame, on a strong colour if on no background.

    What of the clip was damaged is in its `damage` afterwards.

    Args:
        predictor: finds the mattes.
        clip: what is read.
        output: a .png.
        step: 1 for all frames.
        window: the part of the clip.
        background: of all pictures.
        read: files beside the clip's that the sheet must not replace: the background.
        progress: is told how far it is, in seconds of film.

    Returns:
        How many frames it shows.

    Raises:
        VideoError: if there would be none, or too many, or `output` is no place for it.
    """
    _check_place(output, clip, read)
    _check_count(clip.facts, window, step)
    renderer = Renderer("composite", background or _STRONG, deep=False)
    pictures: list[tuple[Fraction, NDArray[Any]]] = []
    with in_background(clip.frames(window, step=step), 2, "decode") as frames:
        for frame in frames:
            seconds = frame.pts * clip.facts.time_base
            subject = subject_alpha(predictor, frame.photo, clip.facts.pixel_aspect)
            picture = renderer.picture(frame.photo, subject)
            assert picture.colour is not None
            pictures.append((seconds, resized(picture.colour, _thumbnail_size(clip.facts))))
            progress(seconds - window.start)
    if not pictures:
        raise VideoError(f"{clip.facts.name}: no frame lies in the part to be shown")
    write_image(output, _sheet(pictures))
    return len(pictures)


def _check_place(output: Path, clip: Clip, read: Sequence[Path]) -> None:
    if output.suffix.lower() != ".png":
        raise VideoError(f"a preview is a picture; end {output} with .png")
    if is_pattern(output.name):
        raise VideoError(f"a preview is one picture, and {output} means many; name it sheet.png")
    check_output(output, clip, read)


def _check_count(facts: ClipFacts, window: Window, step: int) -> None:
    if facts.seconds is None:
        return
    end = facts.seconds if window.end is None else min(window.end, facts.seconds)
    count = (end - window.start) * facts.rate / step
    if count > _MOST:
        least = math.ceil(step * count / _MOST)
        raise VideoError(
            f"preview of every {step} frames would show {int(count)} of them; at most {_MOST} fit, "
            f"so take every {least} or more"
        )


def _thumbnail_size(facts: ClipFacts) -> tuple[int, int]:
    height, width = Fraction(facts.size[0]), facts.size[1] * facts.pixel_aspect
    ratio = _SIDE / max(height, width)
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def _sheet(pictures: list[tuple[Fraction, NDArray[Any]]]) -> NDArray[np.uint8]:
    """Pictures in rows, each with its time above."""
    height, width = pictures[0][1].shape[:2]
    columns = min(len(pictures), max(1, math.ceil(math.sqrt(len(pictures) * 1.5))))
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + _LINE) + _GAP, columns * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, _PAPER, np.uint8)
    corners = list(_corners(len(pictures), columns, height, width))
    for (_, pixels), (top, left) in zip(pictures, corners, strict=True):
        sheet[top + _LINE : top + _LINE + height, left : left + width] = pixels
    image = Image.fromarray(sheet)
    drawing = ImageDraw.Draw(image)
    for (seconds, _), (top, left) in zip(pictures, corners, strict=True):
        drawing.text((left, top + 2), f"{float(seconds):.2f} s", fill=(_INK,) * 3)
    return np.asarray(image)


def _corners(count: int, columns: int, height: int, width: int) -> Iterator[tuple[int, int]]:
    for number in range(count):
        row, column = divmod(number, columns)
        yield row * (height + _LINE), _GAP + column * (width + _GAP)
