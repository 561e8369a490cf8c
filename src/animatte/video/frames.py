"""What a clip is to the rest of this package, whether it is one file or many pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from animatte.images import Photo
from animatte.video.colour import ColourTags


class VideoError(ValueError):
    """A clip that cannot be read, or a result that cannot be written, in one line."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a clip, upright.

    Attributes:
        pts: when it is shown, in units of the clip's `time_base`; the clip's first one is near 0.
        duration: for how long, in the same units; 0 if the file does not say.
        photo: the picture.
    """

    pts: int
    duration: int
    photo: Photo


@dataclass(frozen=True)
class Window:
    """Which part of a clip is wanted, in seconds from its start.

    Attributes:
        start: first moment.
        end: the first moment that is no longer wanted; None for all.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise VideoError(f"start is {float(self.start):g} s; it must be 0 or later")
        if self.end is not None and self.end <= self.start:
            raise VideoError(
                f"end is {float(self.end):g} s and start {float(self.start):g} s; "
                "the end must be later"
            )

    def first_pts(self, time_base: Fraction) -> int:
        """The earliest time stamp inside."""
        return -(-self.start // time_base)

    def end_pts(self, time_base: Fraction) -> int | None:
        """The earliest time stamp behind."""
        return None if self.end is None else -(-self.end // time_base)


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a clip before its frames are decoded.

    Attributes:
        name: for messages.
        size: (height, width) of the upright frames.
        time_base: seconds that one unit of `Frame.pts` lasts.
        rate: frames per second, on average.
        seconds: how long it lasts; None if the file does not say.
        pixel_aspect: width to height of one pixel, upright.
        tags: how its colours are to be written.
        deep: has more than 8 bits a channel.
        has_audio: has sound.
    """

    name: str
    size: tuple[int, int]
    time_base: Fraction
    rate: Fraction
    seconds: Fraction | None
    pixel_aspect: Fraction
    tags: ColourTags
    deep: bool = False
    has_audio: bool = False

    @property
    def frame_duration(self) -> int:
        """Time from a frame to the next, on average, in units of `time_base`."""
        return max(1, round(1 / (self.rate * self.time_base)))


@dataclass
class Damage:
    """What went wrong while a clip was read to its end; filled in as it is read.

    Attributes:
        num_packets: pieces that could not be decoded, and were left out.
        num_concealed: frames that were decoded from damaged pieces, and show it.
        breaks_off: why reading ended early; "" if it did not.
    """

    num_packets: int = 0
    num_concealed: int = 0
    breaks_off: str = ""

    def __bool__(self) -> bool:
        return bool(self.num_packets or self.num_concealed or self.breaks_off)


class Clip(Protocol):
    """A film as pictures in their order."""

    @property
    def facts(self) -> ClipFacts:
        """What is known beforehand."""

    @property
    def files(self) -> list[Path]:
        """What it is read from."""

    @property
    def damage(self) -> Damage:
        """What went wrong in reading so far."""

    def frames(self, window: Window, after: int | None = None, step: int = 1) -> Iterator[Frame]:
        """Decode the frames of a window.

        Args:
            window: the part that is wanted.
            after: leave out frames up to this time stamp; None for none.
            step: give every so manieth of them.
        """


@dataclass(frozen=True)
class Notes:
    """What the user is to know of a run, a line each."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Note a line, once."""
        if line not in self.lines:
            self.lines.append(line)
