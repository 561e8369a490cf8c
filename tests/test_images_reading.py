"""Reading: every format and mode, upright, with all its levels."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
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

from animatte.images import read_photo

ORIENTATIONS = range(1, 9)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_rgb_is_read_exactly(kind: str) -> None:
    pixels = colours()
    photo = read_photo(saved(Image.fromarray(pixels), kind))
    np.testing.assert_array_equal(photo.colour, pixels)
    np.testing.assert_array_equal(photo.image, pixels.astype(np.float32) / 255)
    assert photo.image.dtype == np.float32
    assert photo.size == (6, 9)
    assert photo.alpha is None
    assert photo.icc_profile is None


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", AVIF])
def test_lossy_formats_are_read_closely(kind: str) -> None:
    pixels = np.full((32, 32, 3), (200, 100, 50), np.uint8)
    photo = read_photo(saved(Image.fromarray(pixels), kind, quality=95))
    assert np.abs(photo.colour.astype(int) - pixels).max() <= 4


def test_tiff_of_64_bit_offsets_is_read_too() -> None:
    data = saved(Image.fromarray(colours()), "TIFF", big_tiff=True)
    np.testing.assert_array_equal(read_photo(data).colour, colours())


def test_path_bytes_and_stream_give_the_same_photo(tmp_path: Path) -> None:
    data = saved(Image.fromarray(colours()), "PNG")
    path = tmp_path / "cat.png"
    path.write_bytes(data)
    for source in (path, str(path), data, io.BytesIO(data)):
        np.testing.assert_array_equal(read_photo(source).colour, colours())
    assert read_photo(path).name == str(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    big = np.kron(colours(3, 4), np.ones((16, 16, 1), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(big), kind, exif=exif, quality=95)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(read_photo(data).colour, np.asarray(expected))
    assert read_photo(data).size == ((48, 64) if orientation < 5 else (64, 48))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_orientation_is_applied_to_16_bits(orientation: int) -> None:
    pixels = deep_colours()
    exif = Image.Exif()
    exif[0x0112] = orientation
    shallow = Image.fromarray((pixels >> 8).astype(np.uint8))
    png = deep_png(pixels, 2, png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(shallow, "PNG", exif=exif))))
    for data in (png, deep_tiff(pixels, 2, orientation=orientation)):
        colour = read_photo(data).colour
        assert colour.dtype == np.uint16
        np.testing.assert_array_equal(colour >> 8, np.asarray(expected))


def test_16_bit_rgb_keeps_every_level() -> None:
    pixels = deep_colours()
    for data in (deep_png(pixels, 2), deep_tiff(pixels, 2)):
        photo = read_photo(data)
        np.testing.assert_array_equal(photo.colour, pixels)
        np.testing.assert_allclose(photo.image, pixels / 65535, atol=1e-7)


def test_16_bit_rgba_keeps_every_level_and_its_alpha() -> None:
    pixels = deep_colours(4)
    for data in (deep_png(pixels, 6), deep_tiff(pixels, 2, extra_samples=2)):
        photo = read_photo(data)
        np.testing.assert_array_equal(photo.colour, pixels[:, :, :3])
        assert photo.alpha is not None
        np.testing.assert_allclose(photo.alpha, pixels[:, :, 3] / 65535, atol=1e-7)


@pytest.mark.parametrize("channels", [3, 4])
def test_8_bit_channels_in_planes_of_their_own_are_read_exactly(channels: int) -> None:
    pixels = colours(channels=channels)
    photo = read_photo(planar_tiff(pixels))
    np.testing.assert_array_equal(photo.colour, pixels[:, :, :3])
    if channels == 4:
        np.testing.assert_array_equal(photo.own_alpha, pixels[:, :, 3])


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    pixels = deep_colours(1)
    for data in (deep_png(pixels, 0), deep_tiff(pixels, 1)):
        photo = read_photo(data)
        np.testing.assert_array_equal(photo.colour, np.repeat(pixels, 3, axis=2))


def test_16_bit_grey_with_white_as_zero_is_inverted() -> None:
    pixels = deep_colours(1)
    photo = read_photo(deep_tiff(65535 - pixels, 0, order="<"))
    np.testing.assert_array_equal(photo.colour[:, :, :1], pixels)


def test_16_bit_grey_with_alpha_keeps_both() -> None:
    pixels = deep_colours(2)
    photo = read_photo(deep_png(pixels, 4))
    np.testing.assert_array_equal(photo.colour[:, :, 1], pixels[:, :, 0])
    assert photo.alpha is not None
    np.testing.assert_allclose(photo.alpha, pixels[:, :, 1] / 65535, atol=1e-7)


def test_16_bit_premultiplied_tiff_becomes_straight() -> None:
    pixels = np.array([[[10000, 20000, 30000, 32768], [0, 0, 0, 0]]], np.uint16)
    photo = read_photo(deep_tiff(pixels, 2, extra_samples=1))
    np.testing.assert_allclose(photo.colour[0, 0], [20000, 40000, 60000], atol=2)
    np.testing.assert_array_equal(photo.colour[0, 1], 0)


def test_16_bit_colour_key_becomes_alpha() -> None:
    pixels = deep_colours()
    key = struct.pack(">HHH", *pixels[2, 3].tolist())
    photo = read_photo(deep_png(pixels, 2, png_chunk(b"tRNS", key)))
    expected = np.ones((6, 9))
    expected[2, 3] = 0
    np.testing.assert_array_equal(photo.alpha, expected)
    np.testing.assert_array_equal(photo.colour, pixels)


def test_16_bit_grey_key_becomes_alpha() -> None:
    pixels = deep_colours(1)
    key = struct.pack(">H", int(pixels[2, 3, 0]))
    photo = read_photo(deep_png(pixels, 0, png_chunk(b"tRNS", key)))
    assert photo.alpha is not None
    assert photo.alpha[2, 3] == 0
    assert photo.alpha.sum() == 6 * 9 - 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_8_bit_colour_key_becomes_alpha(mode: str) -> None:
    image = Image.fromarray(colours()).convert(mode)
    image.putpixel((3, 2), 7 if mode == "L" else (7, 8, 9))
    key = 7 if mode == "L" else (7, 8, 9)
    photo = read_photo(saved(image, "PNG", transparency=key))
    assert photo.alpha is not None
    assert photo.alpha[2, 3] == 0
    assert photo.alpha[0, 0] == 1


def test_grey_becomes_three_equal_channels() -> None:
    grey = colours(channels=1)
    photo = read_photo(saved(Image.fromarray(grey[:, :, 0]), "PNG"))
    np.testing.assert_array_equal(photo.colour, np.repeat(grey, 3, axis=2))


def test_one_bit_image_is_black_and_white() -> None:
    bits = np.eye(5, dtype=bool)
    for kind in ("PNG", "TIFF", "BMP"):
        photo = read_photo(saved(Image.fromarray(bits), kind))
        np.testing.assert_array_equal(photo.colour[:, :, 0], bits * np.uint8(255))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_an_alpha_channel_is_kept_apart_from_colour(mode: str, kind: str) -> None:
    image = Image.fromarray(colours(channels=4)).convert(mode)
    photo = read_photo(saved(image, kind))
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, colours(channels=4)[:, :, 3] / np.float32(255))
    np.testing.assert_array_equal(photo.colour, np.asarray(image.convert("RGBA"))[:, :, :3])


def test_palette_with_transparency_has_alpha() -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((0, 0), 0)
    for kind in ("PNG", "GIF"):
        photo = read_photo(saved(image, kind, transparency=0))
        assert photo.alpha is not None
        np.testing.assert_array_equal(photo.alpha, [[0, 1, 1, 1], [1, 1, 1, 1]])
        np.testing.assert_array_equal(photo.colour[1, 1], [0, 255, 0])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_read(kind: str) -> None:
    first, second = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(first, kind, save_all=True, append_images=[second], **options)
    np.testing.assert_array_equal(read_photo(data).colour[4, 4], [255, 0, 0])


def test_float_tiff_in_unit_range_is_read_with_16_bits() -> None:
    grey = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    photo = read_photo(saved(Image.fromarray(grey), "TIFF"))
    np.testing.assert_allclose(photo.image[:, :, 0], grey, atol=1e-5)
