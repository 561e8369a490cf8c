"""What is wanted of a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

from animatte.backgrounds import Background
from animatte.video.formats import Kind, VideoFormat
from animatte.video.frames import Window

# Seconds of film in a segment: what a run that is stopped loses at most.
SEGMENT_SECONDS: Final = Fraction(4)


@dataclass(frozen=True, eq=False)
class VideoOptions:
    """What is written.

    Attributes:
        format: a value of `animatte.video.formats.FORMATS`.
        kind: cut-outs, mattes, or finished pictures.
        background: of finished pictures.
        window: the part of the clip.
        stabilise: a key of `animatte.video.stabilisation.STABILISERS`.
        with_sound: keep the sound.
        segment_seconds: length of what is kept when a run is stopped.
        read: files beside the clip's that the result must not replace: that of the background.
    """

    format: VideoFormat
    kind: Kind = "cutout"
    background: Background | None = None
    window: Window = field(default_factory=Window)
    stabilise: str = "flow"
    with_sound: bool = True
    segment_seconds: Fraction = SEGMENT_SECONDS
    read: Sequence[Path] = ()
