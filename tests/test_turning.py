"""Pictures turned and turned back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from animatte.turning import turned, turned_back

SIDES = st.integers(1, 40)
ANGLES = st.floats(-180, 180)


def smooth(height: int, width: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:height, :width]
    return np.asarray(0.5 + 0.4 * np.sin(rows / 9 + 1) * np.cos(columns / 11), np.float32)


@pytest.mark.parametrize("degrees", [-180, -90, 0, 90, 180])
def test_quarter_turns_and_back_change_no_pixel(degrees: float) -> None:
    alpha = np.random.default_rng(0).random((7, 12), np.float32)
    image = np.repeat(alpha[:, :, None], 3, axis=2)
    back = turned_back(turned(image, degrees)[:, :, 0], degrees, np.zeros_like(alpha))
    np.testing.assert_array_equal(back, alpha)


def test_a_turn_is_counter_clockwise() -> None:
    image = np.zeros((4, 6, 3), np.float32)
    image[0, 5] = 1  # top right goes to top left
    assert turned(image, 90)[0, 0].tolist() == [1, 1, 1]
    image = np.zeros((41, 41, 3), np.float32)
    image[20, 34] = 1  # to the right of the middle goes up
    place = divmod(int(turned(image, 30)[:, :, 0].argmax()), 41)
    assert place == (20 - 7, 20 + round(14 * np.cos(np.pi / 6)))


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, ANGLES)
def test_what_is_everywhere_alike_comes_back_at_every_angle_and_size(
    height: int, width: int, degrees: float
) -> None:
    alpha = np.full((height, width), 0.625, np.float32)
    seen = turned(np.repeat(alpha[:, :, None], 3, axis=2), degrees)
    back = turned_back(seen[:, :, 0], degrees, alpha)
    assert back.shape == (height, width)
    np.testing.assert_allclose(back, alpha, atol=1e-4)


@pytest.mark.parametrize("degrees", [-147.3, -90, -41, 12.5, 45, 100, 179])
def test_an_alpha_comes_back_where_it_was(degrees: float) -> None:
    alpha = smooth(61, 90)
    seen = turned(np.repeat(alpha[:, :, None], 3, axis=2), degrees)[:, :, 0]
    np.testing.assert_allclose(turned_back(seen, degrees, alpha), alpha, atol=0.01)


def test_corners_that_a_tilt_cuts_off_are_those_of_the_other_look() -> None:
    outside = np.zeros((40, 80), np.float32)
    outside[:4, :4] = outside[-4:, -4:] = 1
    back = turned_back(np.full((40, 80), 0.5, np.float32), 45, outside)
    np.testing.assert_array_equal(back[:2, :2], 1)
    np.testing.assert_array_equal(back[-2:, -2:], 1)
    np.testing.assert_allclose(back[16:24, 36:44], 0.5, atol=1e-3)


def test_a_panorama_longer_than_every_opencv_can_warp_keeps_its_size() -> None:
    image = np.full((2, 33_000, 3), 0.25, np.float32)
    seen = turned(image, 3)
    assert turned_back(seen[:, :, 0], 3, image[:, :, 0]).shape == (2, 33_000)
