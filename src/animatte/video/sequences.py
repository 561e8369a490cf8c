"""Clips that are many pictures: a folder of them, or a numbered pattern such as frame-%05d.png."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from animatte.images import ImageError, Photo, read_photo
from animatte.images.arrays import size_text
from animatte.images.opening import READABLE_SUFFIXES
from animatte.video.colour import ColourTags
from animatte.video.frames import ClipFacts, Damage, Frame, VideoError, Window

DEFAULT_RATE: Final = Fraction(25)
_NUMBER = re.compile(r"%(0?)(\d*)d")


def is_pattern(text: str) -> bool:
    """Whether a path holds a place for a number, like %05d."""
    return _NUMBER.search(Path(text).name) is not None


def numbered_path(pattern: Path, number: int) -> Path:
    """A pattern's path of one number."""
    return pattern.with_name(
        _NUMBER.sub(lambda match: f"{number:{match[1]}{match[2]}d}", pattern.name, count=1)
    )


def pictures_of(text: str) -> list[Path]:
    """The pictures of a folder or a pattern, in the order of the numbers in their names.

    Raises:
        VideoError: if there is none.
    """
    path = Path(text)
    folder = path if path.is_dir() else path.parent
    try:
        found = sorted(folder.iterdir(), key=_natural)
    except OSError as error:
        raise VideoError(f"folder {folder} cannot be read ({error.strerror})") from error
    if path.is_dir():
        chosen = [
            each
            for each in found
            if each.suffix.lower() in READABLE_SUFFIXES and not each.name.startswith(".")
        ]
        what = "holds no picture"
    else:
        chosen = [each for each in found if fits_pattern(each, path)]
        what = "matches no picture"
    if not chosen:
        raise VideoError(f"{text} {what}; give a film, a folder of pictures, or name-%05d.png")
    return chosen


def fits_pattern(path: Path, pattern: Path) -> bool:
    """Whether a file has a pattern's name, with any number."""
    match = _NUMBER.search(pattern.name)
    assert match is not None, "a pattern has a place for a number"
    before, after = pattern.name[: match.start()], pattern.name[match.end() :]
    return re.fullmatch(re.escape(before) + r"\d+" + re.escape(after), path.name) is not None


def _natural(path: Path) -> list[tuple[int, str]]:
    """Names in the order of the numbers in them: 2 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


class SequenceClip:
    """A clip of pictures, one after the other, all shown for the same time.

    Args:
        text: folder or pattern.
        rate: pictures per second.

    Raises:
        VideoError: if there are none, or the first cannot be read.
    """

    def __init__(self, text: str, rate: Fraction = DEFAULT_RATE) -> None:
        self._paths = pictures_of(text)
        self.damage = Damage()
        first = _read(self._paths[0])
        self.facts = ClipFacts(
            name=text,
            size=first.size,
            time_base=1 / rate,
            rate=rate,
            seconds=len(self._paths) / rate,
            pixel_aspect=Fraction(1),
            tags=ColourTags(),
            deep=first.colour.dtype == np.uint16,
        )

    @property
    def files(self) -> list[Path]:
        """The pictures."""
        return self._paths

    def frames(self, window: Window, after: int | None = None, step: int = 1) -> Iterator[Frame]:
        """Read the pictures of a window; see `animatte.video.frames.Clip`.

        Raises:
            VideoError: for a picture that cannot be read, or of another size than the first.
        """
        self.damage = Damage()
        start = window.first_pts(self.facts.time_base)
        start = start if after is None else max(start, after + 1)
        end = window.end_pts(self.facts.time_base)
        end = len(self._paths) if end is None else min(end, len(self._paths))
        for pts in range(start, end, step):
            photo = _read(self._paths[pts])
            if photo.size != self.facts.size:
                raise VideoError(
                    f"{self._paths[pts]} is {size_text(photo.size)} and the first picture "
                    f"{size_text(self.facts.size)}; all must have one size"
                )
            yield Frame(pts, 1, photo)


def _read(path: Path) -> Photo:
    try:
        return read_photo(path)
    except ImageError as error:
        raise VideoError(str(error)) from error
