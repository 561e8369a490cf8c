"""PNG and TIFF with 8 or 16 bits a channel, straight alpha and an ICC profile."""

from __future__ import annotations

import struct
import zlib
from typing import TypeAlias

import cv2
import numpy as np

from animatte.images.arrays import ImageError, Levels, size_text

Buffer: TypeAlias = bytes | memoryview

_ROWS_PER_STRIP = 64
_PNG_HEADER_LENGTH = 33  # signature and IHDR chunk
_SHORT, _LONG, _UNDEFINED = 3, 4, 7


def encoded_png(pixels: Levels, icc_profile: bytes | None) -> list[Buffer]:
    """A PNG file by OpenCV, which alone writes 16-bit RGBA; the profile is put in afterwards.

    Args:
        pixels: (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, uint8 or uint16.
        icc_profile: goes into an iCCP chunk (PNG specification, 11.3.2.3).

    Returns:
        the file in pieces, none of them copied.
    """
    encoded, data = cv2.imencode(".png", pixels)
    if not encoded:
        raise ImageError(f"a PNG of {size_text(pixels.shape[:2])} cannot be encoded")
    png = np.ascontiguousarray(data).data.cast("B")
    if not icc_profile:
        return [png]
    content = b"iCCP" + b"ICC profile\0\0" + zlib.compress(icc_profile)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return [png[:_PNG_HEADER_LENGTH], chunk, png[_PNG_HEADER_LENGTH:]]


def encoded_tiff(pixels: Levels, icc_profile: bytes | None) -> list[Buffer]:
    """A little-endian TIFF 6.0 file, deflated with horizontal differencing.

    Written here because Pillow has no 16-bit RGB and OpenCV neither marks alpha as straight
    nor embeds profiles.

    Args:
        pixels: (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16.
        icc_profile: goes into tag 34675.

    Returns:
        the file in pieces.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    strips = _deflated_strips(pixels.reshape(height, width, channels))
    offsets = np.cumsum([8] + [len(strip) for strip in strips]).tolist()
    fields: list[tuple[int, int, list[int] | bytes]] = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [pixels.dtype.itemsize * 8] * channels),
        (259, _SHORT, [8]),  # compression: deflate
        (262, _SHORT, [1 if channels == 1 else 2]),  # black is zero, or RGB
        (273, _LONG, offsets[:-1]),
        (277, _SHORT, [channels]),
        (278, _LONG, [_ROWS_PER_STRIP]),
        (279, _LONG, [len(strip) for strip in strips]),
        (317, _SHORT, [2]),  # predictor: horizontal differences
    ]
    if channels == 4:
        fields.append((338, _SHORT, [2]))  # the extra sample is straight alpha
    if icc_profile:
        fields.append((34675, _UNDEFINED, icc_profile))
    start = offsets[-1] + offsets[-1] % 2  # a directory begins on an even byte
    if start + len(icc_profile or b"") >= 2**32 - 2**20:
        raise ImageError(f"a TIFF of {size_text((height, width))} is over 4 GiB; write .png")
    padding = bytes(start - offsets[-1])
    header = struct.pack("<2sHI", b"II", 42, start)
    return [header, *strips, padding, _directory(fields, start)]


def _deflated_strips(pixels: Levels) -> list[bytes]:
    strips = []
    for top in range(0, pixels.shape[0], _ROWS_PER_STRIP):
        rows = pixels[top : top + _ROWS_PER_STRIP]
        differences = rows.astype(rows.dtype.newbyteorder("<"))
        differences[:, 1:] -= rows[:, :-1]  # wraps around, as the predictor wants
        strips.append(zlib.compress(differences.tobytes(), 1))
    return strips


def _directory(fields: list[tuple[int, int, list[int] | bytes]], start: int) -> bytes:
    """An image file directory at byte `start`, followed by the values too long for it."""
    entries, values = b"", b""
    after = start + 2 + 12 * len(fields) + 4
    for tag, kind, content in fields:
        letter = "H" if kind == _SHORT else "I"
        value = (
            content
            if isinstance(content, bytes)
            else struct.pack(f"<{len(content)}{letter}", *content)
        )
        entries += struct.pack("<HHI", tag, kind, len(content))
        if len(value) <= 4:
            entries += value.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", after + len(values))
            values += value + bytes(len(value) % 2)
    return struct.pack("<H", len(fields)) + entries + bytes(4) + values
