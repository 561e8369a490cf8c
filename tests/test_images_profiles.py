"""Reading: colours of any profile and of CMYK become sRGB."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.image_files import colours, deep_png, png_chunk, saved, srgb_profile, swapped_profile

from animatte.images import read_photo


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
