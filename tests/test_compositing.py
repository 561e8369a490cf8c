"""Compositing, foreground colours against pymatting, and backgrounds."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from tests.scenes import Picture, recomposed_error, scene, solid, texture, transition_error

from animatte.compositing import (
    Backdrop,
    blurred_backdrop,
    blurred_background,
    composite,
    composited,
    fitted_backdrop,
    fitted_background,
)
from animatte.foregrounds import estimated_foreground

UNIT = st.floats(0, 1, width=32)


def multi_level_foreground(image: Picture, alpha: Picture) -> Picture:
    """Germer et al. 2020 by pymatting, whose numba may warn while it compiles."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(numba|pymatting)")
        from pymatting import estimate_foreground_ml  # noqa: PLC0415

        estimate = estimate_foreground_ml(image.astype(np.float64), alpha.astype(np.float64))
    return np.asarray(estimate, np.float32)


@given(
    arrays.arrays(np.float32, (4, 5, 3), elements=UNIT),
    arrays.arrays(np.float32, (4, 5, 3), elements=UNIT),
    arrays.arrays(np.float32, (4, 5), elements=UNIT),
)
def test_composite_lies_between_its_layers(
    foreground: Picture, background: Picture, alpha: Picture
) -> None:
    result = composite(foreground, background, alpha)
    assert result.dtype == np.float32
    assert (result >= np.minimum(foreground, background) - 1e-6).all()
    assert (result <= np.maximum(foreground, background) + 1e-6).all()


@given(
    arrays.arrays(np.float32, (4, 5, 3), elements=UNIT),
    arrays.arrays(np.float32, (4, 5, 3), elements=UNIT),
)
def test_composite_with_alpha_one_is_the_foreground_and_with_zero_the_background(
    foreground: Picture, background: Picture
) -> None:
    one, zero = np.ones((4, 5), np.float32), np.zeros((4, 5), np.float32)
    np.testing.assert_array_equal(composite(foreground, background, one), foreground)
    np.testing.assert_array_equal(composite(foreground, background, zero), background)


def test_composite_takes_one_colour_as_background() -> None:
    white, half = np.ones((2, 2, 3), np.float32), np.full((2, 2), 0.5, np.float32)
    result = composite(white, (0.2, 0.4, 0.6), half)
    np.testing.assert_allclose(result, np.broadcast_to([0.6, 0.7, 0.8], (2, 2, 3)), atol=1e-6)


def test_sizes_that_differ_are_refused() -> None:
    picture, alpha = np.zeros((4, 5, 3), np.float32), np.zeros((5, 4), np.float32)
    with pytest.raises(ValueError, match="they must be the same"):
        composite(picture, picture, alpha)
    with pytest.raises(ValueError, match="they must be the same"):
        composite(picture, picture[:2], alpha.T)
    with pytest.raises(ValueError, match="they must be the same"):
        estimated_foreground(picture, alpha)
    with pytest.raises(ValueError, match="they must be the same"):
        blurred_background(picture, alpha)
    with pytest.raises(ValueError, match=r"image has shape \(5, 4\); it must be \(H, W, 3\)"):
        estimated_foreground(alpha, alpha)


@pytest.mark.parametrize("softness", [0.0, 3.0])
@pytest.mark.parametrize("grid", [6, 30])
@pytest.mark.parametrize("size", [(128, 128), (256, 320), (720, 960)])
def test_foreground_colours_are_as_good_as_the_multi_level_estimate(
    size: tuple[int, int], grid: int, softness: float
) -> None:
    truth, _, alpha, image = scene(size, grid, softness)
    ours, theirs = estimated_foreground(image, alpha), multi_level_foreground(image, alpha)
    for error in (transition_error, recomposed_error):
        assert error(ours, truth, alpha) <= 1.2 * error(theirs, truth, alpha)


@pytest.mark.parametrize("softness", [0.0, 1.0])
def test_foreground_colours_are_far_better_than_the_photos_own(softness: float) -> None:
    truth, _, alpha, image = scene((256, 320), 6, softness)
    ours = estimated_foreground(image, alpha)
    for error in (transition_error, recomposed_error):
        assert error(ours, truth, alpha) < 0.35 * error(image, truth, alpha)


def test_foreground_colours_stand_noise_and_an_inexact_alpha() -> None:
    truth, _, alpha, image = scene((256, 320), 6, 0)
    noise = np.random.default_rng(1).normal(0, 0.02, image.shape)
    noisy = np.clip(image + noise, 0, 1).astype(np.float32)
    inexact = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.7), np.float32)
    inexact[inexact < 0.01], inexact[inexact > 0.99] = 0, 1
    ours, theirs = estimated_foreground(noisy, inexact), multi_level_foreground(noisy, inexact)
    for error in (transition_error, recomposed_error):
        assert error(ours, truth, alpha) <= 1.4 * error(theirs, truth, alpha)
        assert error(ours, truth, alpha) < 0.8 * error(noisy, truth, alpha)


def test_foreground_is_the_image_where_alpha_is_one() -> None:
    _, _, alpha, image = scene((500, 450), 12, 2)
    estimate = estimated_foreground(image, alpha)
    assert estimate.dtype == np.float32
    np.testing.assert_array_equal(estimate[alpha == 1], image[alpha == 1])


def test_no_halo_of_a_uniform_background_remains() -> None:
    alpha = scene((450, 500), 6, 1.5).alpha
    red, blue = solid((0.8, 0.1, 0.1), (450, 500)), np.array([0.1, 0.1, 0.8])
    estimate = estimated_foreground(composite(red, np.broadcast_to(blue, red.shape), alpha), alpha)
    assert np.abs(estimate - red)[alpha > 0.1].max() < 0.05
    assert np.abs(estimate - red)[alpha == 0].max() < 0.05


def test_hard_edge_leaves_no_background_beside_it() -> None:
    alpha = np.zeros((80, 100), np.float32)
    alpha[20:60, 30:70] = 1
    image = composite(np.full((80, 100, 3), 0.9), (0, 0, 0), alpha)
    np.testing.assert_allclose(estimated_foreground(image, alpha), 0.9, atol=0.02)


def test_tiles_leave_no_seam() -> None:
    height, width = 90, 1000
    ramp = np.linspace(0.1, 0.9, width, dtype=np.float32)
    image = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (height, width, 3)))
    alpha = np.full((height, width), 0.5, np.float32)
    steps = np.diff(estimated_foreground(image, alpha)[:, :, 0], axis=1)
    assert np.abs(steps - 0.8 / (width - 1)).max() < 2e-3


@settings(max_examples=30, deadline=None)
@given(
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=50).flatmap(
        lambda size: st.tuples(
            arrays.arrays(np.float32, (*size, 3), elements=UNIT),
            arrays.arrays(np.float32, size, elements=UNIT),
        )
    )
)
def test_foreground_of_anything_is_finite_and_in_range(pair: tuple[Picture, Picture]) -> None:
    image, alpha = pair
    estimate = estimated_foreground(image, alpha)
    assert estimate.shape == image.shape
    assert ((estimate >= 0) & (estimate <= 1)).all()


@pytest.mark.parametrize("level", [0, 1])
def test_foreground_of_nothing_or_everything_is_defined(level: int) -> None:
    image = texture(np.random.default_rng(0), (40, 60), 5)
    estimate = estimated_foreground(image, np.full((40, 60), level, np.float32))
    assert np.isfinite(estimate).all()
    assert level == 0 or np.array_equal(estimate, image)


@pytest.mark.parametrize(("dtype", "bit_depth"), [(np.uint8, 8), (np.uint16, 16), (np.uint8, 16)])
def test_levels_give_the_foreground_that_floats_give(
    dtype: type[np.unsignedinteger[Any]], bit_depth: Literal[8, 16]
) -> None:
    generator = np.random.default_rng(0)
    coarse = generator.random((9, 13, 3), np.float32)
    smooth = np.clip(cv2.resize(coarse, (500, 410)), 0, 1)
    image = (smooth * np.iinfo(dtype).max).astype(dtype)
    alpha = np.clip(np.linspace(-1, 2, 500, dtype=np.float32), 0, 1)[None].repeat(410, axis=0)
    floats = estimated_foreground(np.asarray(image / np.iinfo(dtype).max, np.float32), alpha)
    found = estimated_foreground(image, alpha, bit_depth)
    assert found.dtype == (np.uint8 if bit_depth == 8 else np.uint16)
    np.testing.assert_allclose(found / np.iinfo(found.dtype).max, floats, atol=1 / 255)


@pytest.mark.parametrize("behind", ["colour", "picture", "blur"])
def test_compositing_area_by_area_is_compositing_the_whole(behind: str) -> None:
    generator = np.random.default_rng(1)
    levels = generator.integers(0, 256, (400, 500, 3), np.uint8)
    alpha = np.clip(np.linspace(-1, 2, 500, dtype=np.float32), 0, 1)[None].repeat(400, axis=0)
    small = cv2.resize(levels, (50, 40))
    backdrop: Backdrop
    background: NDArray[np.float32] | tuple[float, float, float]
    if behind == "colour":
        background = (0.2, 0.4, 0.6)
        backdrop = lambda _: (0.2, 0.4, 0.6)  # noqa: E731
    elif behind == "picture":
        backdrop, background = (
            fitted_backdrop(small, (400, 500)),
            fitted_background(small, (400, 500)),
        )
    else:
        backdrop, background = blurred_backdrop(levels, alpha), blurred_background(levels, alpha)
    whole = composite((levels / np.float32(255)).astype(np.float32), background, alpha)
    tiled = composited(levels, backdrop, alpha, 8)
    np.testing.assert_allclose(tiled, whole * 255, atol=1.01)
