"""Finished segments become the result: their packets in one file, with the clip's sound."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.video.stream import VideoStream

from animatte.video.audio import Sound
from animatte.video.containers import has_alpha_beside
from animatte.video.frames import ClipFacts, Notes, VideoError, Window
from animatte.video.segments import Segment
from animatte.video.sequences import numbered_path

CONTAINERS: Final = {
    ".mov": "mov",
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mkv": "matroska",
    ".webm": "webm",
}
_OPTIONS: Final = {"mov": {"movflags": "faststart"}, "mp4": {"movflags": "faststart"}}


def join_film(
    segments: Sequence[Segment],
    target: Path,
    container: str,
    *,
    facts: ClipFacts,
    window: Window,
    sound: Path | None,
    notes: Notes,
) -> None:
    """Copy the packets of segments into one file; no frame is encoded anew.

    Args:
        segments: at least one.
        target: the file.
        container: a value of `CONTAINERS`.
        facts: of the clip.
        window: the part that was wanted.
        sound: the clip whose sound goes with it; None for silence.
        notes: is told what became of the sound.
    """
    with (
        av.open(str(target), "w", format=container, options=_OPTIONS.get(container, {})) as output,
        av.open(str(segments[0].path)) as first,
    ):
        template = first.streams.video[0]
        stream = output.add_stream_from_template(template)
        stream.time_base = facts.time_base
        stream.codec_context.sample_aspect_ratio = facts.pixel_aspect
        if has_alpha_beside(template):
            stream.metadata["alpha_mode"] = "1"
        pictures = _packets(segments, stream, facts, window)
        sounds = iter(()) if sound is None else Sound(sound, output, window, notes).packets()
        for _, packet in heapq.merge(pictures, sounds, key=_time):
            output.mux(packet)


def _time(item: tuple[Fraction, av.Packet[Any]]) -> Fraction:
    return item[0]


def _packets(
    segments: Sequence[Segment], stream: VideoStream, facts: ClipFacts, window: Window
) -> Iterator[tuple[Fraction, av.Packet[Any]]]:
    """The pictures' packets with the time stamps that their frames had in the clip."""
    start = window.first_pts(facts.time_base)
    for segment in segments:
        ends = [*segment.stamps[1:], segment.end]
        with av.open(str(segment.path)) as container:
            packets = (each for each in container.demux(video=0) if each.size)
            for packet, pts, end in zip(packets, segment.stamps, ends, strict=True):
                packet.pts = packet.dts = pts - start
                packet.time_base = facts.time_base
                packet.duration = end - pts
                packet.stream = stream
                yield (pts - start) * facts.time_base, packet


def join_pictures(segments: Sequence[Segment], pattern: Path) -> None:
    """Move the pictures of segments to where they belong, numbered from 1.

    Those that an earlier run has moved already keep their numbers. Those that follow on the last
    one are left from an earlier, longer result, and go.

    Args:
        segments: with pictures, some of which may have been moved.
        pattern: fits no file that is read, see `animatte.video.running.check_output`.

    Raises:
        VideoError: if the folder cannot be made.
    """
    try:
        pattern.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"folder {pattern.parent} cannot be made ({error.strerror}); "
            "make way for it and run the same command again"
        ) from error
    first = 1
    for segment in segments:
        for picture in segment.path.iterdir():
            picture.replace(numbered_path(pattern, first + int(picture.stem)))
        first += len(segment.stamps)
    while (left := numbered_path(pattern, first)).is_file():
        left.unlink()
        first += 1
