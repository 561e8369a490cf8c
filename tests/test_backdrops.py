"""What stands behind a subject: colours as people write them, pictures, blur."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.scenes import scene, solid, texture

from animatte.compositing import (
    blurred_background,
    composite,
    fitted_background,
    parsed_colour,
)


@pytest.mark.parametrize(
    "text",
    ["#ff8000", "#F80", "rgb(255, 136, 0)", "255,136,0", " 255, 136, 0 ", "hsl(32,100%,50%)"],
)
def test_colours_are_read_as_people_write_them(text: str) -> None:
    np.testing.assert_allclose(parsed_colour(text), [1, 0.53, 0], atol=0.04)


def test_colour_names_are_read() -> None:
    assert parsed_colour("white") == (1, 1, 1)
    assert parsed_colour("Lime") == (0, 1, 0)


@pytest.mark.parametrize("text", ["", "catcolour", "1,2", "256,0,0", "#ff", "#ff000080", "-1,0,0"])
def test_other_colours_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=f"colour '{text}' is not understood; .*#ff8000"):
        parsed_colour(text)


@pytest.mark.parametrize("size", [(30, 40), (40, 30), (300, 50), (7, 200), (1, 1)])
def test_fitted_background_fills_the_size_from_the_middle(size: tuple[int, int]) -> None:
    image = np.zeros((60, 80, 3), np.float32)
    image[:, :, 0] = np.linspace(0, 1, 80)
    image[:, :, 1] = np.linspace(0, 1, 60)[:, None]
    fitted = fitted_background(image, size)
    assert fitted.shape == (*size, 3)
    assert fitted.dtype == np.float32
    np.testing.assert_allclose(fitted[:, :, :2].mean((0, 1)), 0.5, atol=0.02)
    if min(size) > 1:
        scale = max(size[0] / 60, size[1] / 80)
        seen = [size[1] / scale / 80, size[0] / scale / 60]
        np.testing.assert_allclose(np.ptp(fitted[:, :, :2], axis=(0, 1)), seen, atol=0.1)


def test_fitted_background_of_the_same_size_is_the_picture() -> None:
    image = texture(np.random.default_rng(0), (30, 40), 5)
    np.testing.assert_allclose(fitted_background(image, (30, 40)), image, atol=1e-6)


@pytest.mark.parametrize("size", [(90, 120), (600, 800)])
@pytest.mark.parametrize("strength", [0.005, 0.02, 0.2])
def test_subject_does_not_glow_in_the_blurred_background(
    size: tuple[int, int], strength: float
) -> None:
    alpha = scene(size, 6, 1.5).alpha
    image = composite(solid((1, 0, 0), size), (0, 0, 1), alpha)
    blurred = blurred_background(image, alpha, strength)
    assert blurred.shape == image.shape
    seen = alpha < 0.9
    assert np.abs(blurred[seen] - [0, 0, 1]).max() < 0.08


def test_blurred_background_without_subject_is_a_plain_gaussian_blur() -> None:
    image = texture(np.random.default_rng(0), (200, 300), 40)
    blurred = blurred_background(image, np.zeros((200, 300), np.float32), 0.02)
    expected = cv2.GaussianBlur(image, (0, 0), 6)
    assert np.abs(blurred - expected)[20:-20, 20:-20].max() < 0.02
    assert np.abs(blurred - image).max() > 0.1


def test_blurred_background_behind_nothing_but_subject_is_defined() -> None:
    image = texture(np.random.default_rng(0), (20, 30), 4)
    assert np.isfinite(blurred_background(image, np.ones((20, 30), np.float32))).all()


def test_blur_needs_a_strength() -> None:
    image = np.zeros((20, 30, 3), np.float32)
    with pytest.raises(ValueError, match="strength is 0; it must be above 0"):
        blurred_background(image, image[:, :, 0], 0)
