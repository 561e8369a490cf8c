"""Pictures in files, for tests of reading."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

AVIF = pytest.param(
    "AVIF", marks=pytest.mark.skipif(".avif" not in Image.registered_extensions(), reason="no AVIF")
)


def colours(height: int = 6, width: int = 9, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype=np.uint8)


def deep_colours(channels: int = 3) -> NDArray[np.uint16]:
    return np.random.default_rng(2).integers(0, 65536, (6, 9, channels), dtype=np.uint16)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def deep_png(pixels: NDArray[np.uint16], colour_type: int, extra: bytes = b"") -> bytes:
    """A 16-bit PNG by the letter of its specification, independent of any library."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def deep_tiff(pixels: NDArray[np.uint16], photometric: int, order: str = ">", **tags: int) -> bytes:
    """An uncompressed 16-bit TIFF by the letter of its specification."""
    height, width, channels = pixels.shape
    data = pixels.astype(f"{order}u2").tobytes()

    def short(value: int) -> tuple[int, int, bytes]:
        return 3, 1, struct.pack(f"{order}HH", value, 0)

    def long(value: int) -> tuple[int, int, bytes]:
        return 4, 1, struct.pack(f"{order}I", value)

    entries = {256: long(width), 257: long(height), 258: (3, channels, long(8)[2])}
    entries |= {259: short(1), 262: short(photometric), 273: long(16), 277: short(channels)}
    entries |= {278: long(height), 279: long(len(data))}
    if channels == 1:
        entries[258] = short(16)
    numbers = {"orientation": 274, "extra_samples": 338}
    entries |= {numbers[name]: short(value) for name, value in tags.items()}
    directory = struct.pack(f"{order}H", len(entries))
    for number, (kind, count, value) in sorted(entries.items()):
        directory += struct.pack(f"{order}HHI", number, kind, count) + value
    mark = b"MM" if order == ">" else b"II"
    header = struct.pack(f"{order}2sHI4H", mark, 42, 16 + len(data), *[16] * 4)
    return header + data + directory + bytes(4)


def planar_tiff(pixels: NDArray[np.uint8 | np.uint16], photometric: int = 2) -> bytes:
    """An uncompressed TIFF whose channels lie one after the other, as its specification allows."""
    height, width, channels = pixels.shape
    planes = [
        pixels[:, :, channel].astype(pixels.dtype.newbyteorder("<")) for channel in range(channels)
    ]
    lengths = [plane.nbytes for plane in planes]
    data = b"".join(plane.tobytes() for plane in planes)
    offsets = (8 + np.cumsum([0, *lengths[:-1]])).tolist()
    entries = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [pixels.dtype.itemsize * 8] * channels),
        259: (3, [1]),
        262: (3, [photometric]),
        273: (4, offsets),
        277: (3, [channels]),
        278: (4, [height]),
        279: (4, lengths),
        284: (3, [2]),
    }
    if channels == 4 and photometric == 2:
        entries[338] = (3, [2])
    directory, values, start = b"", b"", 8 + len(data)
    for number, (kind, numbers) in sorted(entries.items()):
        value = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(value) > 4:
            values, value = values + value, struct.pack("<I", start + len(values))
        directory += struct.pack("<HHI", number, kind, len(numbers)) + value.ljust(4, b"\0")
    header = struct.pack("<2sHI", b"II", 42, start + len(values))
    return header + data + values + struct.pack("<H", len(entries)) + directory + bytes(4)


@cache  # a profile names the second it was made in
def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """An RGB space whose first channel is green and whose second is red."""
    profile = srgb_profile().replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ")
    return profile.replace(b"tmp!", b"gXYZ")
