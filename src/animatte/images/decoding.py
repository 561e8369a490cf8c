"""From a file of any supported format to upright integer pixels at their own depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from animatte.images.arrays import (
    ImageError,
    Levels,
    bands,
    checked_pixels,
    levels,
    size_text,
)
from animatte.images.colour import rgb_from_cmyk
from animatte.images.opening import Source, decoder_errors, opened_image

# TIFF tags
_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR, _EXTRA_SAMPLES = 258, 262, 284, 338


@dataclass(frozen=True, eq=False)
class Raster:
    """Pixels as a file stores them, upright.

    Attributes:
        colour: (H, W) grey or (H, W, 3) RGB, uint8 or uint16, in the file's own colour space.
        alpha: (H, W) of the same dtype, straight, or None.
        icc_profile: the file's profile, unchecked.
        name: the file, for messages.
    """

    colour: Levels
    alpha: Levels | None
    icc_profile: bytes | None
    name: str


def decoded(source: Source, max_pixels: int) -> Raster:
    """Read the first frame of an image, upright and at its own bit depth.

    Args:
        source: path, the file's bytes, or a binary stream.
        max_pixels: refuse more than this, decided from the header before anything is decoded.

    Raises:
        ImageError: for a missing, empty, foreign, damaged, truncated or over-large file.
    """
    with opened_image(source, max_pixels) as (image, stream, name):
        return _raster(image, stream, name)


def raster_of_pillow(image: Image.Image) -> Raster:
    """The same for a picture that Pillow has opened already; RGB of 16 bits is 8 bits there."""
    name = str(getattr(image, "filename", "")) or "image"
    if 0 in image.size:
        size = size_text((image.height, image.width))
        raise ImageError(f"{name} is {size}; both sides must be at least 1 pixel")
    with decoder_errors(name):
        return _raster(image, None, name)


def _raster(image: Image.Image, stream: BinaryIO | None, name: str) -> Raster:
    """Decode with Pillow; with OpenCV where that alone keeps the 16 bits of each channel."""
    _check_planes(image, name)
    key = image.info.get("transparency")
    icc_profile = image.info.get("icc_profile")
    is_deep = stream is not None and _has_deep_channels(image, stream)
    channels = len(image.getbands())
    premultiplied = is_deep and _tag(image, _EXTRA_SAMPLES) == (1,)
    image.load()  # finds damage that OpenCV would let pass
    orientation = _orientation(image)  # 1 for a TIFF: load() and OpenCV have turned it
    if is_deep and stream is not None:
        pixels = _deep_pixels(stream, channels)
    else:
        pixels = _pillow_pixels(image, name)
    if stream is not None:
        image.close()  # at once: a large picture is not to be held twice
    colour, alpha = _split_alpha(pixels)
    if premultiplied and alpha is not None:
        colour = _straight(colour, alpha)
    if alpha is None and colour.dtype == np.uint16 and isinstance(key, int | tuple):
        alpha = _keyed_alpha(colour, key)
    icc_profile = None if image.mode in ("CMYK", "LAB") else icc_profile
    return Raster(
        _upright(colour, orientation),
        None if alpha is None else _upright(alpha, orientation),
        icc_profile if isinstance(icc_profile, bytes) else None,
        name,
    )


def _check_planes(image: Image.Image, name: str) -> None:
    """Neither Pillow nor OpenCV reads planes of 16 bits: both give garbage, or find damage."""
    if _tag(image, _PLANAR) == (2,) and 16 in _tag(image, _BITS_PER_SAMPLE):
        raise ImageError(
            f"{name} stores its channels in separate planes of 16 bits (PlanarConfiguration 2), "
            "which cannot be read; save it interleaved (PlanarConfiguration 1)"
        )


def _has_deep_channels(image: Image.Image, stream: BinaryIO) -> bool:
    """Whether the file has 16 bits in each of several channels, which Pillow cuts to 8."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "PNG":
        position = stream.tell()
        stream.seek(24)  # bit depth in the IHDR chunk
        is_deep = stream.read(1) == b"\x10"
        stream.seek(position)
        return is_deep
    return set(_tag(image, _BITS_PER_SAMPLE)) == {16} and _tag(image, _PHOTOMETRIC) == (2,)


def _tag(image: Image.Image, number: int) -> tuple[Any, ...]:
    value = getattr(image, "tag_v2", {}).get(number, ())
    return value if isinstance(value, tuple) else (value,)


def _deep_pixels(stream: BinaryIO, channels: int) -> Levels:
    """(H, W, C) uint16 by OpenCV; C is 3, or 4 with alpha (grey with alpha comes as RGBA)."""
    stream.seek(0)
    data = np.frombuffer(stream.read(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise ValueError("its 16-bit pixels cannot be decoded")
    for rows in bands(pixels.shape):
        pixels[rows, :, :3] = pixels[rows, :, 2::-1].copy()
    return np.asarray(pixels[:, :, :3] if channels == 3 else pixels, np.uint16)


def _pillow_pixels(image: Image.Image, name: str) -> Levels:
    """(H, W) or (H, W, C) of a loaded picture; C is 2 with grey and alpha, 3, or 4."""
    if image.mode.startswith("I;16"):
        grey = np.asarray(image, np.uint16)
        return np.invert(grey) if _tag(image, _PHOTOMETRIC) == (0,) else grey
    if image.mode in ("I", "F"):
        return _wide_grey(np.asarray(image), name)
    if image.mode == "CMYK":
        return np.asarray(rgb_from_cmyk(image))
    is_grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        return _unpacked(image, "LA" if is_grey else "RGBA")
    return _unpacked(image, "L" if is_grey else "RGB")


def _unpacked(image: Image.Image, mode: str) -> NDArray[np.uint8]:
    """A loaded picture in another mode, or in its own: band by band, as Pillow copies twice."""
    shape = (image.height, image.width, *([len(mode)] if len(mode) > 1 else []))
    pixels = np.empty(shape, np.uint8)
    for rows in bands(shape):
        band = image.crop((0, rows.start, image.width, rows.stop))
        pixels[rows] = np.asarray(band.convert(mode))
    return pixels


def _wide_grey(grey: NDArray[Any], name: str) -> Levels:
    """Grey of 32 bits as uint16: integers up to 65535, or floats in [0, 1]."""
    if grey.dtype.kind == "f":
        return levels(checked_pixels(grey, name), 16)
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 65535:
        raise ImageError(
            f"{name} has 32-bit values from {low} to {high}; only 0 to 65535 has a known scale: "
            "save it with 16 bits"
        )
    return np.asarray(grey, np.uint16)


def _split_alpha(pixels: Levels) -> tuple[Levels, Levels | None]:
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, None
    if pixels.shape[2] == 2:
        return pixels[:, :, 0], pixels[:, :, 1]
    return pixels[:, :, :3], pixels[:, :, 3]


def _straight(colour: Levels, alpha: Levels) -> Levels:
    """Colours divided by the alpha they were stored multiplied with; uint16."""
    weight = np.maximum(alpha, 1)[:, :, None].astype(np.uint32)
    divided = (colour.astype(np.uint32) * 65535 + weight // 2) // weight
    return np.asarray(np.minimum(divided, 65535), np.uint16)


def _keyed_alpha(colour: Levels, key: int | tuple[int, ...]) -> Levels:
    """Alpha of a PNG whose tRNS chunk names one 16-bit colour as transparent."""
    differs = colour != np.asarray(key, np.uint16)
    visible = differs if colour.ndim == 2 else differs.any(axis=2)
    return np.where(visible, np.uint16(65535), np.uint16(0))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where EXIF is absent or broken, for the photo is still good."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(array: Levels, orientation: int) -> Levels:
    """Undo an EXIF orientation; (H, W, ...) contiguous."""
    if orientation in (5, 7):
        array = array.swapaxes(0, 1)
    turns = {3: 2, 6: -1, 7: 2, 8: 1}.get(orientation, 0)
    array = np.rot90(array, turns)
    if orientation in (2, 4):
        array = np.flip(array, 1 if orientation == 2 else 0)
    return np.ascontiguousarray(array)
