"""Alpha enlarged along the photo's edges, and the tiles it is done in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from animatte.refinement import guided_enlargement
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
