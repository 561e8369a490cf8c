"""Which clip a user's words mean, and which moments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from animatte.video.containers import ContainerClip
from animatte.video.frames import Clip, VideoError
from animatte.video.sequences import DEFAULT_RATE, SequenceClip, is_pattern


def opened(text: str, rate: Fraction | None = None) -> Clip:
    """Open a film, a folder of pictures, or a numbered pattern of them.

    Args:
        text: what the user gave.
        rate: pictures per second, for pictures only.

    Raises:
        VideoError: if it cannot be read.
    """
    path = Path(text)
    if path.is_dir() or (is_pattern(text) and not path.exists()):
        return SequenceClip(text, rate or DEFAULT_RATE)
    if rate is not None:
        raise VideoError(f"--fps is for pictures, and {text} is a film with times of its own")
    return ContainerClip(path)


def parsed_moment(text: str) -> Fraction:
    """Read seconds, M:SS or H:MM:SS, each with a fraction, as seconds.

    Raises:
        VideoError: if it is none of them.
    """
    parts = text.split(":")
    try:
        values = [Fraction(part) for part in parts]
    except (ValueError, ZeroDivisionError):
        values = []
    if not 1 <= len(values) <= 3 or any(value < 0 or "/" in text for value in values):
        raise VideoError(
            f"moment {text!r} is not understood; write seconds or H:MM:SS, like 1:02.5"
        )
    seconds = Fraction(0)
    for value in values:
        seconds = seconds * 60 + value
    return seconds


def parsed_rate(text: str) -> Fraction:
    """Read pictures per second, as 25, 23.976 or 30000/1001.

    Raises:
        VideoError: if it is no number above 0.
    """
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise VideoError(
            f"fps {text!r} is no number above 0 and at most 1000, like 25 or 30000/1001"
        )
    return rate
