"""Rendered frames become segments, each whole before it counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from av.error import FFmpegError

from animatte.video.encoding import FilmWriter, FrameWriter, PictureWriter
from animatte.video.frames import ClipFacts, Frame
from animatte.video.joining import CONTAINERS
from animatte.video.options import VideoOptions
from animatte.video.rendering import Picture
from animatte.video.segments import WorkFolder
from animatte.video.stabilisation import MattedFrame


class RenderedFrame(NamedTuple):
    """A frame as it is written.

    Attributes:
        matted: the frame with its alpha.
        picture: what is written of it.
    """

    matted: MattedFrame
    picture: Picture

    @property
    def pts(self) -> int:
        """When it is shown."""
        return self.matted.frame.pts


class SegmentMaker:
    """Writes the segments of one film.

    Args:
        work: where to.
        facts: of the frames as they are written.
        output: the film that they become.
        options: what is wanted.
    """

    def __init__(
        self, work: WorkFolder, facts: ClipFacts, output: Path, options: VideoOptions
    ) -> None:
        self._work = work
        self._facts = facts
        self._output = output
        self._options = options

    def make(
        self, items: Iterator[RenderedFrame], number: int, tell: Callable[[int], None]
    ) -> None:
        """Write segments from `number` on; one that is not whole is removed.

        Args:
            items: frames in their order.
            number: of the first segment.
            tell: is told where each frame ends, in units of the clip's time.
        """
        segment: _OpenSegment | None = None
        try:
            for item in items:
                place = self._segment_of(item.pts)
                if segment is not None and place != segment.place:
                    segment.close(self._work, end=item.pts)
                    segment, number = None, number + 1
                if segment is None:
                    segment = _OpenSegment(number, place, self._writer(number))
                segment.add(item)
                tell(item.pts + self._duration(item.matted.frame))
            if segment is not None:
                assert segment.last is not None
                last = segment.last.frame
                segment.close(self._work, end=last.pts + self._duration(last))
        except BaseException:
            if segment is not None:
                segment.abandon(self._work)
            raise

    def _writer(self, number: int) -> FrameWriter:
        path, chosen = self._work.unfinished(number), self._options.format
        if chosen.is_pictures:
            return PictureWriter(path, chosen)
        return FilmWriter(path, CONTAINERS[self._output.suffix.lower()], chosen, self._facts)

    def _segment_of(self, pts: int) -> int:
        """Which segment a frame belongs to: by time, so that every run divides alike."""
        seconds = pts * self._facts.time_base - self._options.window.start
        return int(seconds // self._options.segment_seconds)

    def _duration(self, frame: Frame) -> int:
        return frame.duration or self._facts.frame_duration


class _OpenSegment:
    """A segment being written."""

    def __init__(self, number: int, place: int, writer: FrameWriter) -> None:
        self.place = place
        self.last: MattedFrame | None = None
        self._number = number
        self._writer = writer
        self._stamps: list[int] = []
        self._num_cuts = 0

    def add(self, item: RenderedFrame) -> None:
        """Write a frame."""
        self._writer.add(item.picture, item.pts - (self._stamps or [item.pts])[0])
        self._stamps.append(item.pts)
        self._num_cuts += item.matted.is_cut
        self.last = item.matted

    def close(self, work: WorkFolder, end: int) -> None:
        """Finish it."""
        assert self.last is not None
        self._writer.close()
        work.finish(self._number, self._stamps, end, self._num_cuts, self.last.steady)

    def abandon(self, work: WorkFolder) -> None:
        """Leave nothing of it."""
        with suppress(OSError, ValueError, FFmpegError):  # what cannot be finished goes as well
            self._writer.close()
        path = work.unfinished(self._number)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
