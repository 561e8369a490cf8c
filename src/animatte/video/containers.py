"""Clips in one file, of any container and codec that FFmpeg reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from animatte.images import Photo, photo_from_array
from animatte.images.arrays import size_text
from animatte.images.opening import DEFAULT_MAX_PIXELS
from animatte.video.colour import Converter, colour_tags
from animatte.video.frames import ClipFacts, Damage, Frame, VideoError, Window
from animatte.video.orientation import Orientation, rotation_matrix

_DEFAULT_RATE: Final = Fraction(25)
# FFmpeg's own decoders read these without their alpha.
_ALPHA_DECODERS: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# PyAV frees names of side data twice, and these give their colour profile one: not to be touched.
_NAMED_SIDE_DATA: Final = ("png", "apng")
# Containers whose index leads to the right frame; others are read from the start.
_SEEKABLE: Final = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")

_DURATION: Final = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
# Less than this may be missing at the end, in seconds. Where all of the file was read, a last frame
# may be shown so many times as long as any other before it counts as damage.
_LEAST_MISSING: Final = Fraction(1, 2)
_SHOWN_LONG: Final = 5
_ALL_BUT_INDEX: Final = 0.9


def reason_of(error: BaseException) -> str:
    """What FFmpeg says of a failure, shortly."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:120]


@contextmanager
def opened_clip(path: Path) -> Iterator[InputContainer]:
    """Open a file to be read.

    Raises:
        VideoError: if it is missing or no film that FFmpeg can read.
    """
    try:
        if not path.exists():
            raise VideoError(f"{path} does not exist; check the path")
        if path.stat().st_size == 0:
            raise VideoError(f"{path} is empty (0 bytes); copy or download it again")
        container = av.open(str(path), metadata_errors="replace")
    except PermissionError as error:
        raise VideoError(f"{path} may not be read; check its permissions") from error
    except FFmpegError as error:
        raise VideoError(
            f"{path} is damaged, or no video that can be read ({reason_of(error)}); "
            "copy or download it again"
        ) from error
    with container:
        yield container


class _Shown:
    """Until when the frames that were seen are shown, and for how long one was at most."""

    def __init__(self) -> None:
        self.end = self.longest = 0
        self._last: int | None = None

    def add(self, pts: int, duration: int) -> None:
        """A frame, of a duration in the same units; 0 if it says none."""
        if self._last is not None:
            self.longest = max(self.longest, pts - self._last)
        self._last, self.end = pts, pts + duration


class ContainerClip:
    """A clip in one file.

    Args:
        path: the file.

    Raises:
        VideoError: if it cannot be read, has no video, or its first frame cannot be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damage = Damage()
        self._read_to = 0
        with opened_clip(path) as container:
            stream = _video_stream(container, path)
            self._start = _start_of(container, stream)
            self._can_seek = container.format.name in _SEEKABLE
            first = next(self._decoded(container, stream), None)
            if first is None:
                why = self.damage.breaks_off or "it holds no frame, or only damaged ones"
                raise VideoError(
                    f"{path}: no frame can be decoded ({why}); copy or download it again"
                )
            self.damage = Damage()
            self._orientation = Orientation(_display_matrix(first, stream.codec_context.name))
            self._stored_size = (first.height, first.width)
            self._missing_end = _missing_end(stream, path)
            self._stated = _track_seconds(stream)
            self._has_alpha = any(part.is_alpha for part in first.format.components)
            self.is_interlaced = bool(first.interlaced_frame)
            self.facts = self._facts(container, stream, first)

    @property
    def files(self) -> list[Path]:
        """The one file."""
        return [self._path]

    def frames(self, window: Window, after: int | None = None, step: int = 1) -> Iterator[Frame]:
        """Decode the frames of a window; see `animatte.video.frames.Clip`."""
        self.damage = Damage()
        first, end = window.first_pts(self.facts.time_base), window.end_pts(self.facts.time_base)
        first = first if after is None else max(first, after + 1)
        with opened_clip(self._path) as container:
            stream = _video_stream(container, self._path)
            if first > 0 and self._can_seek:
                container.seek(first + self._start, stream=stream)
            converter = Converter(self.facts.tags)
            number, shown = 0, _Shown()
            for decoded, pts in self._stamped(container, stream):
                shown.add(pts, decoded.duration or 0)
                if pts < first:
                    continue
                if end is not None and pts >= end:
                    return
                if (decoded.height, decoded.width) != self._stored_size:
                    other = size_text((decoded.height, decoded.width))
                    self.damage.breaks_off = (
                        f"from {float(pts * self.facts.time_base):.2f} s on its frames are {other} "
                        f"instead of {size_text(self._stored_size)}"
                    )
                    return
                if number % step == 0:
                    yield Frame(pts, decoded.duration or 0, self._photo(converter, decoded))
                number += 1
        self.damage.breaks_off = (
            self.damage.breaks_off or self._missing_end or self._lost_end(shown)
        )

    def _lost_end(self, shown: _Shown) -> str:
        """Whether the film ends before its track says, though its reader met no error."""
        if self._stated is None:
            return ""
        is_read = self._read_to > _ALL_BUT_INDEX * self._path.stat().st_size
        usual = (_SHOWN_LONG if is_read else 1) * shown.longest * self.facts.time_base
        end = shown.end * self.facts.time_base
        if self._stated - end < max(_LEAST_MISSING, usual):
            return ""
        return f"it ends at {float(end):.2f} s of {float(self._stated):.2f} s, the rest is lost"

    def _photo(self, converter: Converter, decoded: av.VideoFrame) -> Photo:
        pixels = converter.pixels(decoded, self.facts.deep, self._has_alpha)
        return photo_from_array(self._orientation.upright(pixels))

    def _stamped(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[av.VideoFrame, int]]:
        """Frames with their time stamps from the clip's start, which always rise."""
        last: int | None = None
        for frame in self._decoded(container, stream):
            if frame.pts is not None:
                pts = frame.pts - self._start
            else:
                pts = 0 if last is None else last + self.facts.frame_duration
            if last is not None and pts <= last:
                pts = last + 1
            last = pts
            yield frame, pts

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        """Frames as they are stored; what is damaged is left out and counted."""
        decoder = _decoder(stream)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self.damage.breaks_off = reason_of(error)
                packet = None
            try:
                for frame in decoder.decode(packet):
                    self.damage.num_concealed += frame.is_corrupt
                    yield frame
            except EOFError:
                return  # the decoder has been told of the end before
            except FFmpegError:
                self.damage.num_packets += 1
            if packet is None:
                return
            self._read_to = max(self._read_to, (packet.pos or 0) + packet.size)

    def _facts(
        self, container: InputContainer, stream: VideoStream, first: av.VideoFrame
    ) -> ClipFacts:
        size = (first.height, first.width)
        if size[0] * size[1] > DEFAULT_MAX_PIXELS:
            raise VideoError(
                f"{self._path} is {size_text(size)}; the limit is {DEFAULT_MAX_PIXELS} pixels"
            )
        aspect = stream.sample_aspect_ratio or Fraction(1)
        time_base = stream.time_base
        if time_base is None:
            raise VideoError(f"{self._path}: its video has no time base; remux it with ffmpeg")
        tags = colour_tags(
            size, first.colorspace, first.color_primaries, first.color_trc, first.color_range
        )
        return ClipFacts(
            name=str(self._path),
            size=self._orientation.upright_size(size),
            time_base=time_base,
            rate=stream.average_rate or stream.guessed_rate or _DEFAULT_RATE,
            seconds=_seconds(container, stream),
            pixel_aspect=1 / aspect if self._orientation.is_transposed else aspect,
            tags=tags,
            deep=max(part.bits for part in first.format.components) > 8,
            has_audio=bool(container.streams.audio),
        )


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first track of moving pictures: a cover picture is none."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None:
            stream.thread_type = "AUTO"
            return stream
    kinds = sorted({stream.type for stream in container.streams})
    raise VideoError(
        f"{path} has no video track that can be decoded (it has: {', '.join(kinds) or 'nothing'}); "
        "give a file with pictures"
    )


def has_alpha_beside(stream: VideoStream) -> bool:
    """Whether a VP8 or VP9 stream has its alpha beside the pictures."""
    return any(
        key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items()
    )


def _decoder(stream: VideoStream) -> VideoCodecContext:
    """The stream's own decoder, or the one that also reads its alpha."""
    own = stream.codec_context
    name = _ALPHA_DECODERS.get(own.name)
    if name is None or not has_alpha_beside(stream):
        return own
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return decoder


def _start_of(container: InputContainer, stream: VideoStream) -> int:
    """The time stamp at which the clip, sound and all, begins; in the stream's units."""
    start = container.start_time
    if not start or start < 0 or stream.time_base is None:
        return 0
    return round(Fraction(start, av.time_base) / stream.time_base)


def _seconds(container: InputContainer, stream: VideoStream) -> Fraction | None:
    stated = _track_seconds(stream)
    if stated is None and container.duration is not None:
        return Fraction(container.duration, av.time_base)
    return stated


def _track_seconds(stream: VideoStream) -> Fraction | None:
    """How long a track says that it is; its container may be longer, as its sound may."""
    if stated := _DURATION.fullmatch(stream.metadata.get("DURATION", "")):  # Matroska's
        hours, minutes, seconds = map(Fraction, stated.groups())
        return 3600 * hours + 60 * minutes + seconds
    if stream.duration is None or stream.time_base is None:
        return None
    return stream.duration * stream.time_base


def _missing_end(stream: VideoStream, path: Path) -> str:
    """Whether the file's index names pictures behind the file's end."""
    size = path.stat().st_size
    missing = sum(entry.pos + entry.size > size for entry in stream.index_entries)
    return f"the file is cut off, {missing} frames are missing" if missing else ""


def _display_matrix(frame: av.VideoFrame, codec: str) -> bytes | None:
    if codec in _NAMED_SIDE_DATA:
        return rotation_matrix(frame.rotation)
    # Its stub says that it is a dict of names.
    parts = cast(Sequence[SideData], list(frame.side_data))
    return next((bytes(part) for part in parts if part.type == SideDataType.DISPLAYMATRIX), None)
