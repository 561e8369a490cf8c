"""Opening image files: streams, headers, and one clear line for whatever is wrong with them."""

from __future__ import annotations

import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from PIL import Image, UnidentifiedImageError

from animatte.images.arrays import ImageError, ImageTooLargeError, size_text


class Held(NamedTuple):
    """What came out of a pipe, which can be read but once; and the pipe's name, for messages."""

    data: bytes
    name: str


Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Held

DEFAULT_MAX_PIXELS = 256_000_000
READABLE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif",
)  # fmt: skip

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_SUPPORTED = "supported: JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF"
_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"GIF8",
)  # fmt: skip
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")


class _QuietPillow:
    """While any thread reads: no Pillow warnings or log, and no pixel limit but our own.

    All are settings of the whole process, so they are counted: the first reader sets them,
    the last one puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._readers == 0:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                self._undo.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
                Image.MAX_IMAGE_PIXELS = None
                logger = logging.getLogger("PIL")
                self._undo.callback(logger.setLevel, logger.level)
                logger.setLevel(logging.CRITICAL)
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._undo.close()


_quiet_pillow = _QuietPillow()


@contextmanager
def opened_image(source: Source, max_pixels: int) -> Iterator[tuple[Image.Image, BinaryIO, str]]:
    """An image whose header is read and whose pixels are not, its stream, and its name.

    Inside the block, too, whatever a decoder raises becomes an ImageError.

    Raises:
        ImageError: for a missing, empty, foreign, damaged or over-large file.
    """
    with _opened(source) as (stream, name), decoder_errors(name):
        Image.init()
        _check_header(stream, name)
        known = [each for each in _FORMATS if each in Image.OPEN]
        with Image.open(stream, formats=known) as image:
            _check_size(image, name, max_pixels)
            yield image, stream, name


class Header(NamedTuple):
    """What the header of an image tells: (height, width) as stored, and whether it has an alpha."""

    size: tuple[int, int]
    has_alpha: bool


def image_header(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Header:
    """What can be said of an image without decoding it.

    Raises:
        ImageError: for a missing, empty, foreign or over-large file.
    """
    with opened_image(source, max_pixels) as (image, _, _):
        return Header((image.height, image.width), image.has_transparency_data)


def image_size(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> tuple[int, int]:
    """(height, width) as stored, from the header alone.

    Raises:
        ImageError: for a missing, empty, foreign or over-large file.
    """
    return image_header(source, max_pixels).size


def lasting_source(path: Path) -> Path | Held:
    """A file that can be opened again and again; a pipe (`<(...)`, /dev/stdin, a FIFO) is read.

    Raises:
        ImageError: if there is none, or it cannot be opened.
    """
    if os.path.isfile(path):  # noqa: PTH113  Path.is_file raises where the folder above is closed
        return path
    with _opened_file(path) as stream:
        return path if stream.seekable() else Held(stream.read(), os.fspath(path))


@contextmanager
def decoder_errors(name: str) -> Iterator[None]:
    """Whatever a decoder raises becomes one ImageError; its warnings are not shown.

    Damaged files make Pillow's plugins raise nearly every type there is, from SyntaxError to
    struct.error, so this one boundary catches Exception.
    """
    try:
        with _quiet_pillow:
            yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"{name} does not fit into memory; make the image smaller") from error
    except UnidentifiedImageError as error:
        raise _damaged(name, "its header is broken") from error
    except Exception as error:
        raise _damaged(name, str(error) or type(error).__name__) from error


def _damaged(name: str, reason: str) -> ImageError:
    reason = " ".join(reason.split())[:120]
    return ImageError(f"{name} is truncated or damaged ({reason}); copy or download it again")


@contextmanager
def _opened(source: Source) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable stream of the source, and its name for messages."""
    if isinstance(source, Held):
        yield io.BytesIO(source.data), source.name
    elif isinstance(source, bytes):
        yield io.BytesIO(source), "image"
    elif isinstance(source, str | os.PathLike):
        with _opened_file(source) as stream:
            yield stream if stream.seekable() else io.BytesIO(stream.read()), os.fspath(source)
    else:
        yield io.BytesIO(source.read()), str(getattr(source, "name", "image"))


def _opened_file(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist; check the path") from error
    except (IsADirectoryError, PermissionError) as error:  # for a folder Windows has the latter
        if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where the folder above is closed
            raise ImageError(f"{path} is a folder; give an image file in it") from error
        raise ImageError(f"{path} may not be read; check its permissions") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{path!r} cannot be opened ({error}); check the path") from error


def _check_header(stream: BinaryIO, name: str) -> None:
    header = stream.read(48)
    stream.seek(0)
    if not header:
        raise ImageError(f"{name} is empty (0 bytes); copy or download it again")
    is_avif = header[4:8] == b"ftyp" and b"avif" in header
    if header[4:8] == b"ftyp" and header[8:12] in _HEIF_BRANDS and not is_avif:
        raise ImageError(f"{name} is a HEIC image; save it as JPEG or PNG first ({_SUPPORTED})")
    if is_avif and "AVIF" not in Image.OPEN:
        raise ImageError(f"{name} is an AVIF image; update with: pip install 'pillow>=11.3'")
    if not header.startswith(_MAGIC) and not is_avif:
        raise ImageError(f"{name} is not an image animatte can read; {_SUPPORTED}")


def _check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"{name} is {size_text((height, width))}, {width * height} pixels; "
            f"the limit is {max_pixels}: "
            "make it smaller, or raise the limit with --max-pixels"
        )
