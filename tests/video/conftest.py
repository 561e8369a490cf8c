"""Small films, made here, and a predictor whose mattes are known: alpha is the picture's red."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.images import Photo
from animatte.looks import Matte

SIZE = (48, 64)
RATE = 25


@dataclass
class RedPredictor:
    """Takes red for alpha; remembers the sizes that it saw."""

    seen: list[tuple[int, int]] = field(default_factory=list)

    def matte(self, image: Photo, /) -> Matte:
        self.seen.append(image.size)
        own = 1 if image.alpha is None else image.alpha
        return Matte(np.ascontiguousarray(image.image[:, :, 0] * own))


@pytest.fixture
def red() -> RedPredictor:
    return RedPredictor()


def scene(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A frame: red to the right, less green downward, and a blue bar that tells its number."""
    height, width = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width)
    pixels[:, :, 1] = np.linspace(200, 40, height)[:, None]
    pixels[:, :, 2] = 60
    pixels[:, : max(1, number * width // 40), 2] = 200
    return pixels


@dataclass(frozen=True)
class Film:
    """How a small film is written.

    Attributes:
        size: (height, width).
        stamps: time of each frame in units of 1/1000 s.
        codec: of the pictures.
        pixel_format: of the pictures.
        sound: codec of the sound; "" for none.
        rotation: display matrix, degrees counter-clockwise.
        tags: matrix and range; None for untagged.
        pixel_aspect: of a pixel.
        frames: what they show; None for `scene`.
    """

    size: tuple[int, int] = SIZE
    stamps: Sequence[int] = tuple(range(0, 480, 40))
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    sound: str = ""
    rotation: int = 0
    tags: tuple[int, int] | None = (1, 1)
    pixel_aspect: Fraction | None = None
    frames: Callable[[int, tuple[int, int]], NDArray[Any]] = scene


def write_film(path: Path, film: Film = Film()) -> Path:
    matrix, colour_range = film.tags or (5, 1)
    options = {"crf": "8", "bf": "0"} if film.codec == "libx264" else {}
    time_base = Fraction(1, 1000)
    with av.open(str(path), "w") as output:
        stream = output.add_stream(film.codec, rate=RATE, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = film.size
        stream.pix_fmt = film.pixel_format
        stream.codec_context.time_base = time_base
        if film.pixel_aspect:
            stream.codec_context.sample_aspect_ratio = film.pixel_aspect
        if film.tags:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = colour_range
        if film.rotation:
            stream.set_display_rotation(film.rotation)
        sound = output.add_stream(film.sound, rate=48_000, layout="mono") if film.sound else None
        for number, stamp in enumerate(film.stamps):
            pixels = np.ascontiguousarray(film.frames(number, film.size))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format=film.pixel_format,
                dst_colorspace=matrix,
                src_color_range=2,
                dst_color_range=colour_range,
            )
            if not film.tags:
                frame.colorspace, frame.color_range = 2, 0
            frame.pts, frame.time_base = stamp, time_base
            output.mux(stream.encode(frame))
            if isinstance(sound, av.AudioStream):
                output.mux(sound.encode(noise(number)))
        output.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            output.mux(sound.encode(None))
    return path


def noise(number: int) -> av.AudioFrame:
    count = 48_000 // RATE
    values = np.random.default_rng(number).normal(0, 0.1, (1, count)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(values, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 48_000, number * count
    return frame


def stamps_of(path: Path) -> list[float]:
    """Times of a film's frames in seconds, rounded to a millisecond."""
    with av.open(str(path)) as film:
        packets = [each for each in film.demux(video=0) if each.size]
        times = [(each.pts or 0) * each.time_base for each in packets]
    return sorted(round(float(time), 3) for time in times)


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    """A film's packets of sound: time in seconds, and content."""
    with av.open(str(path)) as film:
        packets = [each for each in film.demux(audio=0) if each.size]
        return [(round(float((p.pts or 0) * p.time_base), 4), bytes(p)) for p in packets]


def pixels_of(path: Path, decoder: str | None = None) -> list[NDArray[Any]]:
    """A film's frames as RGBA of 8 bits, by FFmpeg's own reading of their tags."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        context = stream.codec_context
        if decoder is not None:
            made = av.CodecContext.create(decoder, "r")
            assert isinstance(made, av.VideoCodecContext)
            context = made
        frames = [frame for packet in film.demux(stream) for frame in context.decode(packet)]
        return [
            frame.reformat(
                format="rgba",
                src_colorspace=frame.colorspace,
                src_color_range=frame.color_range,
                dst_color_range=2,
            ).to_ndarray()
            for frame in frames
        ]
