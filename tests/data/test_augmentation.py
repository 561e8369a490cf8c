"""Views: what they show of a picture; and changes of colour."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from scipy import stats

from animatte.data.augmentation import ColourConfig, ViewConfig, drawn_view, grain, recoloured
from animatte.images.arrays import unit_pixels

GFM = ViewConfig(crops=(640, 960, 1280), centred=0.5, aspect=1, tilt=0, turned=0)
LFM = ViewConfig(crops=(512, 800), centred=1, aspect=1, swing=15, turned=0)


def hairy(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An alpha whose only half-transparent pixels are one short line."""
    alpha = np.zeros((height, width), np.uint8)
    alpha[height // 2 :] = 255
    alpha[300, 700:710] = 128
    return alpha


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.2, 1.8), turned=st.booleans())
def test_a_view_is_the_warp_of_the_whole_blurred_picture(
    seed: int, scale: float, turned: bool
) -> None:
    """The plain way, at full size: whatever part a view reads must not show."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*rng.integers(50, 200, 2), 3)).astype(np.uint8)
    config = ViewConfig(scale=(scale, scale), tilt=20, turned=float(turned))
    view = drawn_view(np.zeros(image.shape[:2], np.uint8), 48, config, rng)
    smooth = cv2.GaussianBlur(image, (0, 0), 0.3 * view.shrink) if view.shrink > 1.5 else image
    flags, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT_101
    expected = cv2.warpAffine(smooth, view.matrix, (48, 48), flags=flags, borderMode=border)
    assert np.array_equal(view.of(image), expected)


def test_gfms_crops_have_its_sides_stay_inside_and_find_the_transition() -> None:
    alpha = hairy(1080, 1620)
    sides, found = [], 0
    for seed in range(60):
        view = drawn_view(alpha, 320, GFM, np.random.default_rng(seed))
        corners = view.matrix @ np.array([[-0.5, 319.5], [-0.5, 319.5], [1, 1]])
        low, high = corners.min(1) + 0.5, corners.max(1) + 0.5
        assert (low >= 0).all()
        assert (high <= [1620, 1080]).all()
        sides.append(round(float(high[0] - low[0])))
        found += bool((((view.of(alpha) > 12) & (view.of(alpha) < 243)).any(1)).any())
    assert set(sides) == {640, 960, 1080}
    assert found > 30


def test_an_upright_crop_averages_whole_pixels() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (700, 700, 3)).astype(np.uint8)
    view = drawn_view(image[..., 0], 320, replace(GFM, crops=(640,)), rng)
    left, top = np.rint(view.matrix[:, 2] + (view.matrix[:, :2] @ [-0.5, -0.5]) + 0.5).astype(int)
    flipped = view.matrix[0, 0] < 0
    part = (
        image[top : top + 640, left - 640 : left]
        if flipped
        else image[top : top + 640, left : left + 640]
    )
    expected = part.reshape(320, 2, 320, 2, 3).mean((1, 3))
    shown = view.of(image)[:, ::-1] if flipped else view.of(image)
    assert np.abs(shown - expected).max() <= 0.5


def test_lfms_rotation_stays_within_its_swing() -> None:
    alpha = hairy(1080, 1620)
    angles = []
    for seed in range(60):
        view = drawn_view(alpha, 512, LFM, np.random.default_rng(seed))
        angles.append(np.degrees(np.arctan2(-view.matrix[0, 1], view.matrix[1, 1])))
        side = np.linalg.norm(view.matrix[:, 1]) * 512
        assert min(abs(side - 512), abs(side - 800)) < 1e-6
    assert 12 < np.abs(angles).max() <= 15
    assert np.std(angles) == pytest.approx(15 / np.sqrt(3), rel=0.25)


def test_a_view_through_to_a_larger_picture_shows_the_same_place() -> None:
    rng = np.random.default_rng(0)
    small = cv2.GaussianBlur(rng.integers(0, 256, (60, 80)).astype(np.uint8), (0, 0), 3)
    large = cv2.resize(small, (240, 180), interpolation=cv2.INTER_CUBIC)
    around = cv2.copyMakeBorder(large, 10, 40, 20, 0, cv2.BORDER_REFLECT_101)
    view = drawn_view(np.asarray(small, np.uint8), 32, ViewConfig(scale=(0.5, 0.5)), rng)
    through = view.through(3.0, (20, 10))
    difference = view.of(np.asarray(small, np.uint8)).astype(int) - through.of(
        np.asarray(around, np.uint8)
    )
    assert np.abs(difference).mean() < 1.5


def test_grey_is_the_grey_of_pillow() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    grey = recoloured(unit_pixels(image), ColourConfig(0, 1, 0, 0, 0, 0), np.random.default_rng(0))
    expected = np.asarray(Image.fromarray(image).convert("L"))
    assert np.abs(grey[..., 0] * 255 - expected).max() < 1


def test_light_contrast_and_saturation_are_those_of_pillow_one_after_the_other() -> None:
    """Pillow's enhancements take the same mean and the same grey; few steps of 8 bits remain."""
    rng = np.random.default_rng(3)
    image = (0.35 + 0.3 * rng.random((64, 64, 3))).astype(np.float32)  # nothing is clipped
    found = recoloured(image, ColourConfig(1, 0, 0, 0, 0, 0), np.random.default_rng(5))
    drawn = np.random.default_rng(5)
    drawn.random()
    gains = drawn.uniform(0.75, 1.3) * np.exp(drawn.normal(0, 0.06, 3))
    contrast, saturation = drawn.uniform(0.7, 1.35), drawn.uniform(0.5, 1.5)
    lit = Image.fromarray(np.rint(image * gains * 255).astype(np.uint8))
    expected = ImageEnhance.Color(ImageEnhance.Contrast(lit).enhance(contrast)).enhance(saturation)
    assert np.abs(found * 255 - np.asarray(expected)).max() < 4


def test_grain_is_normal() -> None:
    values = grain((200, 200), 1.0, np.random.default_rng(0)).ravel()
    assert values.dtype == np.float32
    assert stats.kstest(values, "norm").pvalue > 0.01
