"""Mattes from files, and photos from arrays and from Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.image_files import colours, deep_colours, saved, swapped_profile

from animatte.images import ImageError, photo_from_array, read_alpha


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
