"""Writing frames: into a film of one codec, or as numbered pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from animatte.images import write_image
from animatte.video.colour import Converter, tag
from animatte.video.formats import VideoFormat, encoder_options
from animatte.video.frames import ClipFacts
from animatte.video.rendering import Picture


class FrameWriter(Protocol):
    """Takes the frames of one segment."""

    def add(self, picture: Picture, pts: int) -> None:
        """Write a frame, shown at `pts` from the segment's start."""

    def close(self) -> None:
        """Write what is left, so that the segment is whole."""


class FilmWriter:
    """Encodes frames into a file.

    Args:
        path: the file, whose suffix names the container.
        chosen: its format.
        facts: of the clip: times, colours, proportions of pixels.
    """

    def __init__(self, path: Path, container: str, chosen: VideoFormat, facts: ClipFacts) -> None:
        self._path = path
        self._chosen = chosen
        self._facts = facts
        self._converter = Converter(facts.tags.limited)
        self._container = av.open(str(path), "w", format=container)
        self._stream: VideoStream | None = None

    def add(self, picture: Picture, pts: int) -> None:
        """Encode a frame; the first one says which size and whether there is alpha."""
        chosen = self._chosen
        has_alpha = picture.colour is not None and picture.alpha is not None
        name = chosen.alpha_pixel_format if has_alpha else chosen.pixel_format
        if chosen.needs_even_sides:
            picture = even_sided(picture)
        if self._stream is None:
            self._stream = self._opened(picture.size, name)
        frame = self._converter.frame(picture.colour, picture.alpha, name)
        frame.pts, frame.time_base = pts, self._facts.time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def _opened(self, size: tuple[int, ...], pixel_format: str) -> VideoStream:
        name = self._chosen.encoder()
        stream = self._container.add_stream(
            name,
            rate=self._facts.rate.limit_denominator(100_000),
            options=encoder_options(self._chosen),
        )
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = size
        stream.pix_fmt = pixel_format
        stream.thread_type = "AUTO"
        context = stream.codec_context
        context.time_base = self._facts.time_base
        context.sample_aspect_ratio = self._facts.pixel_aspect
        tag(context, self._facts.tags.limited)
        return stream


class PictureWriter:
    """Writes frames as PNG, numbered from 0, into a folder of their own.

    Args:
        folder: is made.
        chosen: png or png16.
    """

    def __init__(self, folder: Path, chosen: VideoFormat) -> None:
        self._folder = folder
        self._chosen = chosen
        self._number = 0
        folder.mkdir()

    def add(self, picture: Picture, pts: int) -> None:  # noqa: ARG002  pictures have no time
        """Write a frame."""
        path, depth = self._folder / f"{self._number:08d}.png", self._chosen.bit_depth
        if picture.colour is not None:
            write_image(path, picture.colour, picture.alpha, bit_depth=depth)
        elif picture.alpha is not None:
            write_image(path, picture.alpha, bit_depth=depth)
        self._number += 1

    def close(self) -> None:
        """Nothing is left."""


def even_sided(picture: Picture) -> Picture:
    """Repeat the last row or column where a side is odd."""
    return Picture(*(None if plane is None else _even(plane) for plane in picture))


def _even(plane: NDArray[Any]) -> NDArray[Any]:
    more = [(0, side % 2) for side in plane.shape[:2]]
    more += [(0, 0)] * (plane.ndim - 2)
    return np.pad(plane, more, mode="edge") if any(extra for _, extra in more) else plane
