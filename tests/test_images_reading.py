"""Reading: every format and mode, upright, colour managed, and one clear line for the rest."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from animatte.images import (
    ImageError,
    photo_from_array,
    read_alpha,
    read_photo,
)

ORIENTATIONS = range(1, 9)
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


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """An RGB space whose first channel is green and whose second is red."""
    profile = srgb_profile().replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ")
    return profile.replace(b"tmp!", b"gXYZ")


def linear_grey_profile() -> bytes:
    """A grey space whose levels are proportional to light."""
    profile = bytearray(srgb_profile().replace(b"rTRC", b"kTRC"))
    profile[16:20] = b"GRAY"
    curve = profile.index(b"para")
    profile[curve + 8 : curve + 16] = struct.pack(">HHI", 0, 0, 1 << 16)
    return bytes(profile)


def srgb_curve(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


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


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_srgb(kind: str) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    photo = read_photo(saved(image, kind))
    assert np.abs(photo.colour[8, 8].astype(int) - [255, 0, 0]).max() <= 4
    assert photo.icc_profile is None


def test_profile_is_converted_for_the_network_and_kept_for_the_output() -> None:
    pixels = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    photo = read_photo(saved(Image.fromarray(pixels), "PNG", icc_profile=swapped_profile()))
    np.testing.assert_array_equal(photo.colour, pixels)
    np.testing.assert_allclose(photo.image[0, 0], [0, 1, 0], atol=0.02)
    assert photo.icc_profile == swapped_profile()


def test_profile_of_16_bit_colours_is_converted_and_kept_too() -> None:
    pixels = np.full((4, 4, 3), (65535, 257, 1), np.uint16)
    chunk = png_chunk(b"iCCP", b"any\0\0" + zlib.compress(swapped_profile()))
    photo = read_photo(deep_png(pixels, 2, chunk))
    np.testing.assert_array_equal(photo.colour, pixels)
    np.testing.assert_allclose(photo.image[0, 0], [0, 1, 0], atol=0.02)
    assert photo.icc_profile == swapped_profile()


def test_srgb_profile_changes_no_value_and_is_kept() -> None:
    data = saved(Image.fromarray(colours()), "PNG", icc_profile=srgb_profile())
    np.testing.assert_array_equal(read_photo(data).image, colours() / np.float32(255))
    assert read_photo(data).icc_profile == srgb_profile()


def test_grey_profile_is_converted_to_srgb_at_8_and_16_bits() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    expected = srgb_curve(np.linspace(0, 1, 256))
    shallow = saved(Image.fromarray(ramp), "PNG", icc_profile=linear_grey_profile())
    chunk = png_chunk(b"iCCP", b"any\0\0" + zlib.compress(linear_grey_profile()))
    deep = deep_png(ramp.astype(np.uint16)[:, :, None] * 257, 0, chunk)
    for data in (shallow, deep):
        photo = read_photo(data)
        np.testing.assert_allclose(photo.image[0, :, 1], expected, atol=0.008)
        assert photo.icc_profile is None


def test_profile_of_another_colour_space_or_a_broken_one_counts_as_srgb() -> None:
    for profile in (b"no profile at all", linear_grey_profile(), srgb_profile()[:300]):
        photo = read_photo(saved(Image.fromarray(colours()), "PNG", icc_profile=profile))
        np.testing.assert_array_equal(photo.image, colours() / np.float32(255))
        assert photo.icc_profile is None


def test_float_tiff_in_unit_range_is_read_with_16_bits() -> None:
    grey = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    photo = read_photo(saved(Image.fromarray(grey), "TIFF"))
    np.testing.assert_allclose(photo.image[:, :, 0], grey, atol=1e-5)


@pytest.mark.parametrize("highest", [255.0, np.nan])
def test_float_tiff_of_unknown_scale_is_refused(highest: float) -> None:
    data = saved(Image.fromarray(np.full((4, 5), highest, np.float32)), "TIFF")
    with pytest.raises(ImageError, match=r"\[0, 1\]"):
        read_photo(data)


def test_32_bit_integers_beyond_16_bits_are_refused() -> None:
    data = saved(Image.fromarray(np.full((4, 5), 70000, np.int32)), "TIFF")
    with pytest.raises(ImageError, match="from 70000 to 70000"):
        read_photo(data)


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


@pytest.mark.parametrize("depth", [8, 16])
def test_alpha_is_read_from_a_grey_file(depth: int) -> None:
    levels = colours()[:, :, 0] if depth == 8 else deep_colours()[:, :, 0]
    encoded, data = cv2.imencode(".png", levels)
    assert encoded
    np.testing.assert_allclose(read_alpha(data.tobytes()), levels / (2**depth - 1), atol=1e-7)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_read_from_the_alpha_channel(mode: str) -> None:
    image = Image.fromarray(colours(channels=4)).convert(mode)
    expected = colours(channels=4)[:, :, 3] / np.float32(255)
    np.testing.assert_array_equal(read_alpha(saved(image, "PNG")), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_alpha_is_read_from_equal_channels(mode: str) -> None:
    grey = colours()[:, :, 0]
    data = saved(Image.fromarray(grey).convert(mode), "PNG")
    np.testing.assert_array_equal(read_alpha(data), grey / np.float32(255))


def test_alpha_is_not_read_from_colours() -> None:
    with pytest.raises(ImageError, match="colour image without alpha"):
        read_alpha(saved(Image.fromarray(colours()), "PNG"))


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3), (6, 9, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "float16"])
def test_photo_from_array_takes_known_shapes_and_scales(shape: tuple[int, ...], dtype: str) -> None:
    unit = np.random.default_rng(3).random(shape)
    highest = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    array = (unit * highest).astype(dtype)
    photo = photo_from_array(array)
    expected = np.atleast_3d(array / highest)[:, :, :3]
    np.testing.assert_allclose(photo.image, np.broadcast_to(expected, (6, 9, 3)), atol=1e-6)
    np.testing.assert_allclose(
        photo.colour / np.iinfo(photo.colour.dtype).max, photo.image, atol=1e-5
    )
    assert (photo.alpha is not None) == (shape == (6, 9, 4))


def test_photo_from_pillow_is_upright_and_colour_managed() -> None:
    image = Image.new("RGB", (3, 2), (255, 0, 0))
    image.info["icc_profile"] = swapped_profile()
    image.getexif()[0x0112] = 6
    photo = photo_from_array(image)
    assert photo.size == (3, 2)
    np.testing.assert_allclose(photo.image[0, 0], [0, 1, 0], atol=0.02)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 480, 3), np.uint8), "image is 0.480.*; both sides must be at least 1 pixel"),
        (np.zeros((4, 5, 2), np.uint8), r"shape \(4, 5, 2\)"),
        (np.zeros((3, 4, 5), np.uint8), "channels last"),
        (np.zeros(5, np.uint8), r"shape \(5,\)"),
        (np.zeros((4, 5), np.int64), "dtype int64"),
        (np.full((4, 5), np.nan), "NaN or infinity"),
        (np.array([[np.inf, -np.inf]]), "NaN or infinity"),
        (np.full((4, 5), 255.0), "from 255 to 255.*divide 8-bit values by 255"),
        (np.full((4, 5), -0.5), "from -0.5"),
    ],
)
def test_photo_from_array_refuses_what_it_cannot_interpret(
    array: NDArray[Any], message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        photo_from_array(array)


def test_photo_from_pillow_refuses_no_pixels() -> None:
    with pytest.raises(ImageError, match=r"is 0.480; both"):
        photo_from_array(Image.new("RGB", (480, 0)))


def test_rounding_errors_just_outside_the_unit_range_are_clipped() -> None:
    photo = photo_from_array(np.array([[-1e-5, 1 + 1e-5]]))
    np.testing.assert_array_equal(photo.image[0, :, 0], [0, 1])


def test_a_grey_matte_from_lossy_webp_is_still_grey(tmp_path: Path) -> None:
    path = tmp_path / "matte.webp"
    ramp = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    Image.fromarray(ramp).convert("RGB").save(path, quality=60)
    assert np.abs(read_alpha(path) - ramp / 255).mean() < 0.02
