"""Alpha enlarged along the photo's edges or filtered by them, and the tiles it is done in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from animatte.refinement import bounded_size, guided_enlargement, guided_filter
from animatte.tiles import Array, magnified, tiles


def reduced(array: Array, factor: int) -> Array:
    size = (array.shape[1] // factor, array.shape[0] // factor)
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.float32)


def cubic(array: Array, shape: tuple[int, ...]) -> Array:
    enlarged = cv2.resize(array, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(enlarged, 0, 1).astype(np.float32)


@pytest.fixture
def furry() -> tuple[Array, Array]:
    """A disc with hairs on a two-coloured ground: its picture and its true alpha."""
    rng = np.random.default_rng(0)
    alpha = np.zeros((480, 420), np.float32)
    cv2.circle(alpha, (210, 240), 110, 1.0, -1, cv2.LINE_AA)
    for angle in rng.uniform(0, 2 * np.pi, 120):
        ends = [(int(210 + r * np.cos(angle)), int(240 + r * np.sin(angle))) for r in (100, 160)]
        cv2.line(alpha, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    ground = np.linspace(0.1, 0.4, 420, dtype=np.float32)[None, :, None] * np.ones((480, 1, 3))
    image = alpha[..., None] * np.array([0.9, 0.7, 0.5]) + (1 - alpha[..., None]) * ground
    return (image + rng.normal(0, 0.005, image.shape)).astype(np.float32), np.clip(alpha, 0, 1)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_hairs_come_back_better_than_by_interpolation(
    furry: tuple[Array, Array], factor: int
) -> None:
    image, true = furry
    coarse = reduced(true, factor)
    guided = guided_enlargement(coarse, reduced(image, factor), image)
    plain = cubic(coarse, true.shape)
    assert np.abs(guided - true).mean() < 0.85 * np.abs(plain - true).mean()


def test_where_alpha_is_certain_texture_leaves_no_trace() -> None:
    image = np.random.default_rng(0).random((300, 300, 3)).astype(np.float32)
    alpha = np.zeros((100, 100), np.float32)
    alpha[30:70, 30:70] = 1
    result = guided_enlargement(alpha, reduced(image, 3), image)
    assert (result[110:190, 110:190] == 1).all()
    assert (result[:70] == 0).all()


def test_the_result_has_the_photos_size_and_stays_in_range() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((411, 769, 3)).astype(np.float32)
    result = guided_enlargement(
        rng.random((32, 64)).astype(np.float32), rng.random((32, 64, 3)).astype(np.float32), image
    )
    assert result.shape == (411, 769)
    assert result.min() >= 0
    assert result.max() <= 1


def regressed(alpha: Array, image: Array, radius: int, smoothing: float) -> Array:
    """The guided filter by its definition: one ridge regression a window, all windows averaged."""
    sides = [(radius, radius), (radius, radius)]
    colours = np.pad(image.astype(np.float64), [*sides, (0, 0)], "reflect")
    alphas = np.pad(alpha.astype(np.float64), sides, "reflect")
    side = 2 * radius + 1
    ridge = np.hstack([np.eye(3) * np.sqrt(smoothing * side**2), np.zeros((3, 1))])
    fits = np.empty((*alpha.shape, 4))
    for row, column in np.ndindex(alpha.shape):
        window = slice(row, row + side), slice(column, column + side)
        equations = np.column_stack([colours[window].reshape(-1, 3), np.ones(side**2)])
        values = np.append(alphas[window].ravel(), np.zeros(3))
        fits[row, column] = np.linalg.lstsq(np.vstack([equations, ridge]), values, rcond=None)[0]
    fits = np.pad(fits, [*sides, (0, 0)], "reflect")
    means = np.empty((*alpha.shape, 4))
    for row, column in np.ndindex(alpha.shape):
        means[row, column] = fits[row : row + side, column : column + side].mean(axis=(0, 1))
    filtered = (means[..., :3] * image).sum(axis=2) + means[..., 3]
    return np.asarray(np.clip(filtered, 0, 1), np.float32)


@pytest.mark.parametrize(("radius", "smoothing"), [(1, 1e-2), (3, 1e-3), (6, 1e-4)])
def test_the_filter_is_a_regression_in_every_window(radius: int, smoothing: float) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((23, 31, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(rng.random((23, 31)), (0, 0), 2)
    alpha: Array = np.clip((smooth - 0.4) * 5, 0, 1).astype(np.float32)
    expected = regressed(alpha, image, radius, smoothing)
    np.testing.assert_allclose(guided_filter(alpha, image, radius, smoothing), expected, atol=2e-4)


def test_a_blurred_edge_takes_the_sharpness_of_the_photos() -> None:
    true = np.zeros((120, 140), np.float32)
    cv2.circle(true, (70, 60), 35, 1.0, -1, cv2.LINE_AA)
    image = true[..., None] * np.array([0.8, 0.4, -0.3], np.float32) + np.float32(0.1)
    blurred = np.asarray(cv2.GaussianBlur(true, (0, 0), 2), np.float32)
    filtered = guided_filter(blurred, np.clip(image, 0, 1), 6, 1e-4)
    assert np.abs(np.diff(filtered)).max() > 3 * np.abs(np.diff(blurred)).max()


def test_a_flat_alpha_stays_whatever_the_texture() -> None:
    image = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    for value in (0.0, 0.25, 1.0):
        flat = np.full((40, 50), value, np.float32)
        np.testing.assert_allclose(guided_filter(flat, image, 5), flat, atol=1e-6)


def test_a_large_photo_is_fitted_reduced_with_nearly_the_same_result() -> None:
    rows, columns = np.mgrid[:600, :500].astype(np.float32)
    alpha = np.clip((150 - np.hypot(rows - 300, columns - 250)) / 40 + 0.5, 0, 1)
    image = np.stack([0.2 + 0.6 * alpha, 0.7 - 0.4 * alpha, rows / 600], axis=2)
    soft = cv2.GaussianBlur(alpha, (0, 0), 6).astype(np.float32)
    whole = guided_filter(soft, image.astype(np.float32), 16, 1e-4)
    fast = guided_filter(soft, image.astype(np.float32), 16, 1e-4, max_pixels=20_000)
    assert np.abs(fast - whole).mean() < 0.003


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (3, 2)])
def test_a_photo_smaller_than_the_window_is_filtered(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    alpha = rng.random(size).astype(np.float32)
    result = guided_filter(alpha, rng.random((*size, 3)).astype(np.float32), 20)
    assert result.shape == size
    assert np.isfinite(result).all()


def test_what_cannot_be_filtered_is_refused() -> None:
    alpha, image = np.zeros((4, 5), np.float32), np.zeros((4, 5, 3), np.float32)
    with pytest.raises(ValueError, match=r"image \(5, 5, 3\)"):
        guided_filter(alpha, np.zeros((5, 5, 3), np.float32), 2)
    with pytest.raises(ValueError, match="radius is 0"):
        guided_filter(alpha, image, 0)
    with pytest.raises(ValueError, match=r"smoothing is 0.0; it must be above 0"):
        guided_filter(alpha, image, 2, 0.0)


def test_a_bounded_size_keeps_the_aspect_and_never_grows() -> None:
    assert bounded_size((3000, 4000, 3), 1_000_000) == (866, 1155)
    assert bounded_size((30, 40), 1_000_000) == (30, 40)
    assert bounded_size((1, 10_000), 100) == (1, 1000)


def test_tiles_cover_a_picture_once_and_halos_stay_inside() -> None:
    covered = np.zeros((700, 400), int)
    for inner, outer in tiles(covered.shape, halo=8):
        covered[inner] += 1
        assert outer[0].start >= 0
        assert outer[1].stop <= 400
    assert (covered == 1).all()


@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_a_magnified_area_is_that_area_of_the_magnified_whole(interpolation: int) -> None:
    coarse = np.random.default_rng(0).random((40, 30, 3)).astype(np.float32)
    whole = cv2.resize(coarse, (95, 130), interpolation=interpolation)
    area = slice(50, 90), slice(20, 61)
    difference = np.abs(magnified(coarse, (130, 95), area, interpolation) - whole[area])
    assert difference.max() < 0.03  # OpenCV's warp rounds positions to 1/32 pixel
