"""Sound: copied as it is where the new container takes it, else encoded anew, else said."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

from animatte.video.containers import opened_clip, reason_of
from animatte.video.frames import Notes, Window

_ENCODERS: Final = {"webm": "libopus"}
_OPUS_RATE: Final = 48_000


class Sound:
    """The sound of a clip on its way into a result.

    Args:
        path: the clip.
        output: the result, in which streams are made for it.
        window: the part that is wanted.
        notes: is told what could not be kept as it is.
    """

    def __init__(self, path: Path, output: OutputContainer, window: Window, notes: Notes) -> None:
        self._path = path
        self._window = window
        self._notes = notes
        self._targets: dict[int, tuple[AudioStream, bool]] = {}
        # Matroska begins at 0: what an encoder wrote before, to warm up, would shift all the rest.
        self._from_zero: set[int] = set()
        with opened_clip(path) as container:
            for stream in container.streams.audio:
                self._add_target(stream, output)

    def packets(self) -> Iterator[tuple[Fraction, av.Packet[Any]]]:
        """Packets for the result, each with its time in seconds, in their order."""
        if not self._targets:
            return
        with opened_clip(self._path) as container:
            origin = Fraction(max(0, container.start_time or 0), av.time_base) + self._window.start
            if self._window.start > 0:
                container.seek(int(origin * av.time_base))
            try:
                yield from self._moved(container, origin)
            except FFmpegError as error:
                self._notes.add(f"the sound breaks off: {reason_of(error)}")

    def _moved(
        self, container: InputContainer, origin: Fraction
    ) -> Iterator[tuple[Fraction, av.Packet[Any]]]:
        streams = [container.streams[index] for index in self._targets]
        length = None if self._window.end is None else self._window.end - self._window.start
        clocks: dict[int, Fraction] = {}
        for packet in container.demux(streams):
            target, is_copied = self._targets[packet.stream.index]
            moved = (
                _copied(packet, target, origin) if is_copied else _encoded(packet, target, origin)
            )
            for each in moved:
                seconds = (each.dts or 0) * each.time_base
                if seconds < 0 and (self._window.start > 0 or target.index in self._from_zero):
                    continue
                if length is not None and seconds >= length:
                    continue
                # Interleaving wants times that never fall, whatever a file says.
                seconds = max(seconds, clocks.get(target.index, seconds))
                clocks[target.index] = seconds
                yield seconds, each

    def _add_target(self, stream: AudioStream, output: OutputContainer) -> None:
        context = stream.codec_context
        if cast(object, context) is None:  # no decoder knows it
            self._notes.add("sound of an unknown codec is left out")
            return
        if _is_taken(stream, output.format.name):
            target, is_copied = output.add_stream_from_template(stream), True
        else:
            encoder = _ENCODERS.get(output.format.name, "aac")
            rate = _OPUS_RATE if encoder == "libopus" else context.sample_rate
            try:
                added = output.add_stream(encoder, rate=rate, layout=context.layout.name)
            except (FFmpegError, ValueError) as error:
                self._notes.add(f"{context.name} sound is left out: {reason_of(error)}")
                return
            target, is_copied = cast(AudioStream, added), False
            name = encoder.removeprefix("lib")
            self._notes.add(
                f"{context.name} sound does not go into {output.format.name}: encoded as {name}"
            )
        if stream.language:
            target.metadata["language"] = stream.language
        self._targets[stream.index] = (target, is_copied)
        if output.format.name == "matroska" and context.name not in ("opus", "libopus"):
            self._from_zero.add(target.index)


def _is_taken(stream: AudioStream, container: str) -> bool:
    """Whether a container takes a codec as it is: tried, as its list of codecs is generous."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def _copied(
    packet: av.Packet[Any], target: AudioStream, origin: Fraction
) -> Iterator[av.Packet[Any]]:
    if packet.dts is None or packet.pts is None:  # what marks the end
        return
    shift = round(origin / packet.time_base)
    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
    packet.stream = target
    yield packet


def _encoded(
    packet: av.Packet[Any], target: AudioStream, origin: Fraction
) -> Iterator[av.Packet[Any]]:
    try:
        frames = cast(list[av.AudioFrame], packet.decode())
    except FFmpegError:  # a damaged piece; the next ones carry on
        return
    for frame in frames:
        if frame.pts is not None and frame.time_base is not None:
            frame.pts -= round(origin / frame.time_base)
        yield from target.encode(frame)
    if packet.size == 0:
        yield from target.encode(None)
