"""Parts of pictures that are magnified without the rest."""

import cv2
import numpy as np
import pytest

from animatte.tiles import flat_level, linear_area, tiles


@pytest.mark.parametrize("side", [100, 384])
def test_tiles_cover_each_pixel_once_and_halos_stay_inside(side: int) -> None:
    covered = np.zeros((450, 801), int)
    for inner, outer in tiles(covered.shape, halo=9, side=side):
        covered[inner] += 1
        for part, wide, whole in zip(inner, outer, covered.shape, strict=True):
            assert wide.start == max(0, part.start - 9)
            assert wide.stop == min(whole, part.stop + 9)
    assert (covered == 1).all()


@pytest.mark.parametrize("shape", [(1000, 700), (61, 83), (60, 80)])
def test_a_linear_area_is_what_resizing_the_whole_has_there(shape: tuple[int, int]) -> None:
    coarse = np.random.default_rng(0).random((60, 80), np.float32)
    whole = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for area, _ in tiles(shape, side=150):
        np.testing.assert_allclose(linear_area(coarse, shape, area), whole[area], atol=1e-5)


def test_an_area_is_flat_only_if_all_that_reaches_into_it_is() -> None:
    coarse = np.zeros((40, 40), np.float32)
    coarse[:, 20:] = 1
    shape = (400, 400)
    enlarged = cv2.resize(coarse, shape, interpolation=cv2.INTER_CUBIC)
    levels = {}
    for area, _ in tiles(shape, side=50):
        level = flat_level(coarse, shape, area)
        levels[area[1].start] = level
        if level is not None:
            np.testing.assert_allclose(enlarged[area], level, atol=1e-6)
    assert levels[0] == 0
    assert levels[350] == 1
    assert levels[200] is None
