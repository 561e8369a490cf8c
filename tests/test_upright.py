"""The way up is found for a network whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.turning import turned
from animatte.upright import sureness, upright_angle

Array = NDArray[np.float32]


def scene(height: int = 120, width: int = 120) -> Array:
    """A bright disc before a ground that is green below and blue above."""
    rows, columns = np.mgrid[:height, :width]
    image = np.zeros((height, width, 3), np.float32)
    image[:, :, 2] = np.linspace(1, 0, height)[:, None]
    image[:, :, 1] = np.linspace(0, 1, height)[:, None]
    distance = np.hypot(rows - height / 2, columns - width / 2)
    image[:, :, 0] = np.clip((min(height, width) / 5 - distance) / 2, 0, 1)
    return image


def tilt_of(image: Array) -> float:
    """How far the green is from being below, in degrees."""
    rows, columns = (np.linspace(-1, 1, side) for side in image.shape[:2])
    down = (image[:, :, 1] * rows[:, None]).mean()
    right = (image[:, :, 1] * columns[None, :]).mean()
    return float(abs(np.degrees(np.arctan2(right, down))))


def only_upright(image: Array) -> Array:
    """Finds the disc, the less certainly the more the picture is turned."""
    doubt = min(1.0, tilt_of(image) / 60)
    return np.asarray(image[:, :, 0] * (1 - doubt) + 0.4 * doubt, np.float32)


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("size", [(120, 120), (90, 151), (600, 410)])
def test_quarter_turns_are_found_and_undone(degrees: int, size: tuple[int, int]) -> None:
    lying = turned(scene(*size), degrees)
    angle = upright_angle(lying, only_upright, 0.1)
    assert tilt_of(turned(lying, angle)) < 12
    assert -180 < angle <= 180


@pytest.mark.parametrize("degrees", [30, -50, 110, 160])
def test_tilts_are_found_to_within_a_few_degrees(degrees: float) -> None:
    rest = abs((upright_angle(turned(scene(), degrees), only_upright, 0.1) + degrees) % 360)
    assert min(rest, 360 - rest) <= 15


def test_a_network_that_is_sure_anyway_leaves_the_picture_as_it_is() -> None:
    lying = turned(scene(), 90)
    assert upright_angle(lying, lambda image: image[:, :, 0], 0.1) == 0


def test_a_network_that_finds_nothing_leaves_the_picture_as_it_is() -> None:
    def blind(image: Array) -> Array:
        return np.zeros(image.shape[:2], np.float32)

    assert upright_angle(scene(), blind, 0.1) == 0


def test_it_looks_ten_times_at_most_and_at_small_pictures_only() -> None:
    seen = []

    def counted(image: Array) -> Array:
        seen.append(image.shape[:2])
        return only_upright(image)

    upright_angle(turned(scene(900, 1500), 35), counted, 0.1)
    assert len(seen) <= 10
    assert max(max(size) for size in seen) <= 256


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (5, 2)])
def test_tiny_and_thin_pictures_have_an_angle(size: tuple[int, int]) -> None:
    assert -180 < upright_angle(scene(*size), only_upright, 0.1) <= 180


def test_a_clear_disc_is_surer_than_doubt_and_than_ground_at_the_border() -> None:
    disc = scene()[:, :, 0]
    assert sureness(disc) > sureness(np.full_like(disc, 0.5))
    assert sureness(disc) > sureness(1 - disc)
