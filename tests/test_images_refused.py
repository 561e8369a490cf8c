"""Reading: what is no picture, damaged or too large gets one clear line."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.image_files import (
    AVIF,
    colours,
    deep_colours,
    deep_png,
    deep_tiff,
    planar_tiff,
    png_chunk,
    saved,
)

from animatte.images import ImageError, photo_from_array, read_photo


@pytest.mark.parametrize("highest", [255.0, np.nan])
def test_float_tiff_of_unknown_scale_is_refused(highest: float) -> None:
    data = saved(Image.fromarray(np.full((4, 5), highest, np.float32)), "TIFF")
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        read_photo(data)


def test_32_bit_integers_beyond_16_bits_are_refused() -> None:
    data = saved(Image.fromarray(np.full((4, 5), 70000, np.int32)), "TIFF")
    with pytest.raises(ImageError, match="from 70000 to 70000"):
        read_photo(data)


@pytest.mark.parametrize(("channels", "photometric"), [(1, 1), (3, 2), (4, 2), (4, 5)])
def test_16_bit_channels_in_planes_of_their_own_are_refused(
    channels: int, photometric: int
) -> None:
    data = planar_tiff(deep_colours(channels), photometric)
    message = r"separate planes of 16 bits \(PlanarConfiguration 2\).*; save it interleaved"
    with pytest.raises(ImageError, match=f"image stores its channels in {message}"):
        read_photo(data)
    with pytest.raises(ImageError, match=message):
        photo_from_array(Image.open(io.BytesIO(data)))


def test_image_over_the_limit_is_refused_with_the_option_that_raises_it() -> None:
    data = saved(Image.fromarray(colours()), "PNG")
    assert read_photo(data, max_pixels=54).size == (6, 9)
    with pytest.raises(ImageError, match=r"6.9, 54 pixels; the limit is 53: .*--max-pixels"):
        read_photo(data, max_pixels=53)


def test_huge_header_is_refused_before_anything_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")
    with pytest.raises(ImageError, match="--max-pixels"):
        read_photo(data)


def test_pillows_own_limit_neither_warns_nor_stays_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_photo(saved(Image.fromarray(colours()), "PNG")).size == (6, 9)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", AVIF])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_truncated_file_is_refused(kind: str, part: float) -> None:
    data = saved(Image.fromarray(colours(64, 64)), kind)
    with pytest.raises(ImageError, match="image is truncated or damaged"):
        read_photo(data[: int(len(data) * part)])


def test_truncated_16_bit_file_is_refused() -> None:
    for data in (deep_png(deep_colours(), 2), deep_tiff(deep_colours(), 2)):
        with pytest.raises(ImageError, match="truncated or damaged"):
            read_photo(data[: len(data) - 150])


def test_empty_file_says_that_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.touch()
    with pytest.raises(ImageError, match=r"cat\.jpg is empty"):
        read_photo(path)


@pytest.mark.parametrize("data", [b"hello, world", b"%PDF-1.4", b"<svg/>", b"\0" * 99])
def test_file_that_is_no_image_names_what_is_supported(data: bytes) -> None:
    with pytest.raises(ImageError, match="not an image animatte can read; supported: JPEG, PNG"):
        read_photo(data)


def test_heic_is_refused_by_name() -> None:
    with pytest.raises(ImageError, match="HEIC image; save it as JPEG or PNG"):
        read_photo(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_missing_path_folder_and_odd_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cat\.jpg does not exist"):
        read_photo(tmp_path / "cat.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_photo(tmp_path)
    with pytest.raises(ImageError, match="cannot be opened"):
        read_photo("a\0b.png")
    with pytest.raises(ImageError, match="cannot be opened"):
        read_photo("x" * 5000)


def test_a_folder_is_said_to_be_one_where_the_system_calls_it_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cat.jpg").touch()

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")  # Windows, opening a folder

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(ImageError, match="is a folder"):
        read_photo(tmp_path)
    with pytest.raises(ImageError, match="may not be read; check its permissions"):
        read_photo(tmp_path / "cat.jpg")


def test_messages_are_one_line(tmp_path: Path) -> None:
    data = saved(Image.fromarray(colours(64, 64)), "JPEG")
    for source in (data[:300], b"", b"text", tmp_path):
        with pytest.raises(ImageError) as caught:
            read_photo(source)
        assert "\n" not in str(caught.value)
