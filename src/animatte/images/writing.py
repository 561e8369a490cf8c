"""Cut-outs, mattes and composites to files: encoded first, written beside, then renamed."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.images.arrays import (
    ImageError,
    Levels,
    bands,
    checked_pixels,
    levels,
    size_text,
    three_channels,
)
from animatte.images.encoding import Buffer, encoded_png, encoded_tiff
from animatte.replacing import written_beside

BitDepth: TypeAlias = Literal[8, 16]

OUTPUT_SUFFIXES = (".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".bmp")

_DEEP_SUFFIXES = (".png", ".tif", ".tiff")
_OPAQUE_SUFFIXES = (".jpg", ".jpeg", ".bmp")
_LONGEST_SIDE = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}
_JPEG_QUALITY = 95


def write_image(
    path: str | os.PathLike[str],
    image: NDArray[Any],
    alpha: NDArray[Any] | None = None,
    *,
    bit_depth: BitDepth = 8,
    icc_profile: bytes | None = None,
    quality: int | None = None,
) -> None:
    """Write a picture; the suffix of `path` chooses the format.

    The file appears whole or not at all: it is written beside the target, then renamed.

    Args:
        path: .png, .tif, .tiff (8 or 16 bits), .webp, .jpg, .jpeg or .bmp (8 bits).
        image: (H, W, 3) RGB or (H, W) grey; uint8, uint16, or float in [0, 1].
        alpha: (H, W), the same kinds; stored straight, not multiplied. Not for JPEG and BMP.
        bit_depth: bits a channel in the file.
        icc_profile: RGB profile of `image`, embedded (BMP has no place for it); None means sRGB.
        quality: 0 to 100 for JPEG (95 if None) and for lossy WebP (lossless if None).

    Raises:
        ImageError: for an unknown suffix, what the format cannot hold, bad arrays, or a folder
            that is missing or not writable.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise ImageError(f"folder {target.parent} does not exist; create it first")
    pieces = _encoded(
        target.suffix, image, alpha, bit_depth=bit_depth, icc_profile=icc_profile, quality=quality
    )
    write_whole(target, pieces)


def write_alpha(
    path: str | os.PathLike[str], alpha: NDArray[Any], *, bit_depth: BitDepth = 8
) -> None:
    """Write an alpha matte (H, W) as a grey picture; see `write_image`.

    Raises:
        ImageError: as `write_image`, and for an alpha that is not (H, W).
    """
    if alpha.ndim != 2:
        raise ImageError(f"alpha has shape {alpha.shape}; it must be (H, W)")
    write_image(path, alpha, bit_depth=bit_depth)


def encoded_image(
    suffix: str,
    image: NDArray[Any],
    alpha: NDArray[Any] | None = None,
    *,
    bit_depth: BitDepth = 8,
    icc_profile: bytes | None = None,
    quality: int | None = None,
) -> bytes:
    """The bytes of the file that `write_image` would write; `suffix` as in ".png"."""
    pieces = _encoded(
        suffix, image, alpha, bit_depth=bit_depth, icc_profile=icc_profile, quality=quality
    )
    return b"".join(pieces)


def _encoded(
    suffix: str,
    image: NDArray[Any],
    alpha: NDArray[Any] | None,
    *,
    bit_depth: BitDepth,
    icc_profile: bytes | None,
    quality: int | None,
) -> list[Buffer]:
    """The file in pieces."""
    suffix = suffix.lower()
    _check_format(suffix, alpha is not None, bit_depth, quality)
    pixels = _pixels(image, alpha, bit_depth, icc_profile, is_bgr=suffix == ".png")
    longest = max(pixels.shape[:2])
    if longest > _LONGEST_SIDE.get(suffix, longest):
        raise ImageError(
            f"image is {size_text(pixels.shape[:2])}; {suffix} holds at most "
            f"{_LONGEST_SIDE[suffix]} pixels a side: write .png or .tif"
        )
    if suffix == ".png":
        return encoded_png(pixels, icc_profile)
    if suffix in (".tif", ".tiff"):
        return encoded_tiff(pixels, icc_profile)
    return [_encoded_by_pillow(suffix, pixels, icc_profile, quality)]


def _check_format(suffix: str, has_alpha: bool, bit_depth: int, quality: int | None) -> None:
    if suffix not in OUTPUT_SUFFIXES:
        known = ", ".join(OUTPUT_SUFFIXES)
        raise ImageError(f"suffix {suffix!r} names no format animatte can write; use {known}")
    if bit_depth not in (8, 16):
        raise ImageError(f"bit depth is {bit_depth}; it must be 8 or 16")
    if bit_depth == 16 and suffix not in _DEEP_SUFFIXES:
        raise ImageError(f"{suffix} holds 8 bits, not 16; write .png or .tif, or 8 bits")
    if has_alpha and suffix in _OPAQUE_SUFFIXES:
        raise ImageError(
            f"{suffix} cannot hold transparency; write .png, .webp or .tif, "
            "or put the subject on a background with --background"
        )
    if quality is not None and not 0 <= quality <= 100:
        raise ImageError(f"quality is {quality}; it must be from 0 to 100")


def _pixels(
    image: NDArray[Any],
    alpha: NDArray[Any] | None,
    bit_depth: BitDepth,
    icc_profile: bytes | None,
    is_bgr: bool,
) -> Levels:
    """(H, W), (H, W, 3) or (H, W, 4); grey becomes RGB to go with alpha or an RGB profile.

    Filled band by band, as a float picture is four times as large as its 8-bit levels.
    """
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ImageError(f"image has shape {image.shape}; it must be (H, W) or (H, W, 3)")
    checked_pixels(image, "image")
    if alpha is not None and alpha.shape != image.shape[:2]:
        raise ImageError(
            f"alpha has shape {alpha.shape}, the image {image.shape[:2]}; they must be the same"
        )
    if alpha is not None:
        checked_pixels(alpha, "alpha")
    is_grey = image.ndim == 2 and alpha is None and not icc_profile
    shape = image.shape[:2] if is_grey else (*image.shape[:2], 3 if alpha is None else 4)
    pixels: Levels = np.empty(shape, np.uint8 if bit_depth == 8 else np.uint16)
    for rows in bands(shape):
        colour = levels(image[rows], bit_depth)
        if is_grey:
            pixels[rows] = colour
            continue
        pixels[rows, :, :3] = three_channels(colour)[:, :, :: -1 if is_bgr else 1]
        if alpha is not None:
            pixels[rows, :, 3] = levels(alpha[rows], bit_depth)
    return pixels


def _encoded_by_pillow(
    suffix: str, pixels: Levels, icc_profile: bytes | None, quality: int | None
) -> bytes:
    options: dict[str, Any] = {"icc_profile": icc_profile} if icc_profile else {}
    if suffix == ".webp" and quality is None:
        # For lossless files quality is effort; this pair is 3 times faster than the default.
        options |= {"lossless": True, "exact": True, "method": 1, "quality": 20}
    elif suffix == ".webp":
        options |= {"quality": quality}
    elif suffix != ".bmp":
        options |= {"quality": _JPEG_QUALITY if quality is None else quality, "subsampling": 0}
    stream = io.BytesIO()
    picture = Image.fromarray(three_channels(pixels) if suffix == ".webp" else pixels)
    picture.save(stream, Image.registered_extensions()[suffix], **options)
    return stream.getvalue()


def write_whole(target: Path, pieces: Sequence[Buffer]) -> None:
    """Write a file beside the target, then rename it; nothing is left behind on failure.

    Raises:
        ImageError: if it cannot be written.
    """
    try:
        with written_beside(target, target.with_name(f".{secrets.token_hex(8)}.part")) as beside:
            _write_pieces(beside, pieces)
    except OSError as error:
        raise ImageError(
            f"{target} cannot be written ({error.strerror}); "
            "choose a folder with room that you may write to"
        ) from error


def _write_pieces(beside: Path, pieces: Sequence[Buffer]) -> None:
    """Write a file, where the system can without a name until it is whole: a kill leaves none."""
    descriptor = _nameless_file(beside.parent)
    with beside.open("xb") if descriptor is None else os.fdopen(descriptor, "wb") as stream:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
        if descriptor is not None:
            # With a folder's descriptor, which an absolute path ignores, links are followed.
            os.link(f"/proc/self/fd/{descriptor}", beside, src_dir_fd=descriptor)


def _nameless_file(folder: Path) -> int | None:
    """The descriptor of a file in a folder without a name, or None where there is no such thing."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError:  # not on every file system; what else is wrong, opening by name will tell
        return None
