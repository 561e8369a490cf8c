"""A clip in, a clip out: decoded, matted and encoded at the same time, segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Final, Protocol

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from animatte.images import Photo
from animatte.images.arrays import size_text
from animatte.looks import Matte
from animatte.replacing import written_beside
from animatte.scales import resized
from animatte.video.containers import ContainerClip, reason_of
from animatte.video.frames import Clip, ClipFacts, Frame, Notes, VideoError
from animatte.video.joining import CONTAINERS, join_film, join_pictures
from animatte.video.making import RenderedFrame, SegmentMaker
from animatte.video.options import VideoOptions
from animatte.video.pipeline import in_background
from animatte.video.rendering import Renderer
from animatte.video.segments import Segment, WorkFolder
from animatte.video.stabilisation import (
    MattedFrame,
    named_stabiliser,
    reduced_view,
)

_AHEAD: Final = 2  # frames that may wait between two steps
Progress = Callable[[Fraction], None]


class MattePredictor(Protocol):
    """What is asked of `animatte.predictor.Predictor`."""

    def matte(self, image: Photo, /) -> Matte:
        """(H, W) alpha in [0, 1], and what was done to find it."""
        ...


@dataclass(frozen=True)
class VideoReport:
    """A clip done.

    Attributes:
        output: what was written: a film, or the pattern of pictures.
        num_frames: in the result.
        num_resumed: of these, kept from an earlier run.
        num_cuts: scene cuts that were found.
        seconds: that this run took.
        notes: what the user is to know.
        damage: why the result is not all that the clip promised; "" if it is.
    """

    output: Path
    num_frames: int
    num_resumed: int
    num_cuts: int
    seconds: float
    notes: list[str]
    damage: str


class VideoJob:
    """One clip on its way into one result.

    Args:
        predictor: finds the mattes.
        clip: what is read.
        output: the film, or the pattern of pictures.
        options: what is written.
        work: keeps what is finished.
        progress: is told of each frame's end, in seconds from the window's start.
    """

    def __init__(
        self,
        predictor: MattePredictor,
        clip: Clip,
        output: Path,
        options: VideoOptions,
        *,
        work: WorkFolder,
        progress: Progress = lambda _: None,
    ) -> None:
        self._predictor = predictor
        self._clip = clip
        self._output = output
        self._options = options
        self._work = work
        self._progress = progress
        self.notes = Notes()
        self._facts = self._written_facts()
        self._maker = SegmentMaker(work, self._facts, output, options)
        self._note_sizes()

    def run(self) -> VideoReport:
        """Do what is not done yet, and put it together.

        Raises:
            VideoError: if nothing can be decoded, or the result not be written. What is finished
                stays in the work folder.
        """
        began = perf_counter()
        segments = self._work.finished()
        num_resumed = sum(len(each.stamps) for each in segments)
        try:
            self._make_segments(segments)
            segments = self._work.finished()
            if not segments:
                raise VideoError(f"{self._clip.facts.name}: no frame lies in the part to be cut")
            self._join(segments)
        except (OSError, FFmpegError) as error:
            raise VideoError(self._failure(error)) from error
        finally:
            if not self._work.finished():  # nothing to go on with
                self._work.remove()
        self._work.remove()
        return VideoReport(
            self._output,
            sum(len(each.stamps) for each in segments),
            num_resumed,
            sum(each.num_cuts for each in segments),
            perf_counter() - began,
            self.notes.lines,
            damage_line(self._clip),
        )

    def _make_segments(self, finished: list[Segment]) -> None:
        """Write the segments behind the finished ones."""
        last = finished[-1] if finished else None
        after = last.stamps[-1] if last else None
        steady = last.last_steady() if last else None
        if last:
            self._tell(last.end)
        stabilised = named_stabiliser(self._options.stabilise)
        decoded = self._clip.frames(self._options.window, after)
        with (
            in_background(decoded, _AHEAD, "decode") as frames,
            in_background(self._matted(frames), _AHEAD, "matte") as matted,
        ):
            rendered = self._rendered(stabilised(matted, steady))
            self._maker.make(rendered, len(finished), self._tell)

    def _matted(self, frames: Iterator[Frame]) -> Iterator[MattedFrame]:
        for frame in frames:
            alpha = subject_alpha(self._predictor, frame.photo, self._clip.facts.pixel_aspect)
            yield MattedFrame(frame, alpha, reduced_view(frame.photo.seen))

    def _rendered(self, matted: Iterator[MattedFrame]) -> Iterator[RenderedFrame]:
        options = self._options
        deep = options.format.deep or (options.format.is_pictures and self._facts.deep)
        renderer = Renderer(options.kind, options.background, deep)
        for item in matted:
            picture = renderer.picture(item.frame.photo, item.alpha)
            yield RenderedFrame(item, picture.resized(self._facts.size))

    def _join(self, segments: list[Segment]) -> None:
        if self._options.format.is_pictures:
            join_pictures(segments, self._output)
            return
        is_film = isinstance(self._clip, ContainerClip)
        has_sound = is_film and self._options.with_sound and self._clip.facts.has_audio
        with written_beside(self._output) as beside:
            join_film(
                segments,
                beside,
                CONTAINERS[self._output.suffix.lower()],
                facts=self._facts,
                window=self._options.window,
                sound=self._clip.files[0] if has_sound else None,
                notes=self.notes,
            )

    def _tell(self, pts: int) -> None:
        self._progress(pts * self._facts.time_base - self._options.window.start)

    def _written_facts(self) -> ClipFacts:
        """What is true of the frames as they are written."""
        facts = self._clip.facts
        keeps_aspect = self._options.format.name == "h264" or (
            not self._options.format.is_pictures and self._output.suffix.lower() == ".mov"
        )
        if self._options.kind == "side-by-side":
            facts = replace(facts, size=(facts.size[0], 3 * facts.size[1]))
        if facts.pixel_aspect == 1 or keeps_aspect:
            return facts
        size = _square_size(facts.size, facts.pixel_aspect)
        self.notes.add(
            f"pixels are {facts.pixel_aspect} as wide as high, which {self._options.format.name} "
            f"cannot say: frames are resized to {size_text(size)}"
        )
        return replace(facts, size=size, pixel_aspect=Fraction(1))

    def _note_sizes(self) -> None:
        height, width = self._facts.size
        if self._options.format.needs_even_sides and (height % 2 or width % 2):
            even = (height + height % 2, width + width % 2)
            self.notes.add(
                f"{self._options.format.name} needs even sides: {size_text((height, width))} is "
                f"padded to {size_text(even)} by repeating the last row or column"
            )
        if self._options.format.is_pictures and self._clip.facts.has_audio:
            self.notes.add("pictures have no sound: it is left out")

    def _failure(self, error: BaseException) -> str:
        kept = len(self._work.finished())
        what = f"{self._output} cannot be written ({reason_of(error)}); "
        if not kept:
            return what + "nothing is left of it; choose a folder with room that you may write to"
        seconds = float(kept * self._options.segment_seconds)
        return what + (
            f"about {seconds:g} s are finished in {self._work.path}: make room and run the same "
            "command again to go on from there"
        )


def subject_alpha(
    predictor: MattePredictor, photo: Photo, pixel_aspect: Fraction
) -> NDArray[np.float32]:
    """(H, W) what the network says of a frame, which it sees with square pixels.

    A frame's own alpha is left out: it is exact, and not to be steadied.
    """
    square = _square_size(photo.size, pixel_aspect)
    bare = replace(photo, seen=resized(photo.seen, square), own_alpha=None)
    return resized(predictor.matte(bare).alpha, photo.size)


def _square_size(size: tuple[int, int], pixel_aspect: Fraction) -> tuple[int, int]:
    """The size with square pixels: one side grows, none shrinks."""
    height, width = size
    if pixel_aspect > 1:
        return height, round(width * pixel_aspect)
    return round(height / pixel_aspect), width


def damage_line(clip: Clip) -> str:
    """Why a result is not all that a clip promised; "" if it is, as far as it was read."""
    damage = clip.damage
    parts = []
    if damage.num_packets:
        parts.append(f"{damage.num_packets} damaged pieces could not be decoded and are left out")
    if damage.num_concealed:
        parts.append(
            f"frames that come from damaged pieces and may look it: {damage.num_concealed}"
        )
    if damage.breaks_off:
        parts.append(f"it breaks off: {damage.breaks_off}")
    if not parts:
        return ""
    return f"{clip.facts.name}: {'; '.join(parts)}; the result holds all that could be read"
