"""Faint islands go, with the haze around them; an animal, its hair and other animals stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fake_network import FakeNetwork, first_channel, trimap_glance

from animatte.islands import drop_faint_islands
from animatte.predictor import Predictor
from animatte.scales import LongerSide
from animatte.strategies import Strategy

SIZES = [(60, 90), (300, 500), (1200, 900)]
EVERY_SIZE = pytest.mark.parametrize("size", SIZES, ids=str)


def disc(size: tuple[int, int], row: float, column: float, radius: float) -> NDArray[np.float32]:
    """A disc with a soft rim; in shares of the height, the width and the longer side."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    away = np.hypot(rows - row * size[0], columns - column * size[1])
    rim = max(1.0, 0.01 * max(size))
    return np.asarray(np.clip((radius * max(size) - away) / rim, 0, 1), np.float32)


def left_of(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """What stays of an alpha."""
    left = np.array(alpha, np.float32)
    drop_faint_islands(left)
    return left


@EVERY_SIZE
def test_a_faint_island_goes_and_the_animal_is_untouched(size: tuple[int, int]) -> None:
    animal, ghost = disc(size, 0.5, 0.3, 0.15), 0.45 * disc(size, 0.5, 0.8, 0.12)
    np.testing.assert_array_equal(left_of(animal + ghost), animal)


@EVERY_SIZE
def test_the_haze_around_a_faint_island_goes_with_it(size: tuple[int, int]) -> None:
    animal = disc(size, 0.5, 0.2, 0.1)
    haze = np.maximum(0.4 * disc(size, 0.5, 0.8, 0.08), 0.05 * disc(size, 0.5, 0.8, 0.16))
    np.testing.assert_array_equal(left_of(animal + haze), animal)


@EVERY_SIZE
def test_a_second_animal_stays_however_small(size: tuple[int, int]) -> None:
    alpha = disc(size, 0.5, 0.3, 0.15)
    alpha[size[0] // 10, size[1] * 9 // 10] = 0.71
    np.testing.assert_array_equal(left_of(alpha), alpha)


@EVERY_SIZE
def test_a_small_island_has_to_be_surer_than_a_large_one(size: tuple[int, int]) -> None:
    animal, large = disc(size, 0.5, 0.3, 0.15), 0.6 * disc(size, 0.5, 0.8, 0.1)
    small = (0.6 * disc(size, 0.1, 0.6, 0.02)).astype(np.float32)
    both = animal + large.astype(np.float32)
    np.testing.assert_array_equal(left_of(both + small), both)


@EVERY_SIZE
def test_loose_hair_beside_the_animal_stays(size: tuple[int, int]) -> None:
    alpha = disc(size, 0.5, 0.5, 0.2)
    hair = 0.3 * disc(size, 0.5, 0.5, 0.215) * (disc(size, 0.5, 0.5, 0.208) == 0)
    alpha += hair.astype(np.float32)
    far = 0.3 * disc(size, 0.1, 0.05, 0.03)
    np.testing.assert_array_equal(left_of(alpha + far), alpha)


@EVERY_SIZE
def test_where_nothing_is_sure_nothing_stays(size: tuple[int, int]) -> None:
    assert not left_of(np.float32(0.49) * disc(size, 0.5, 0.5, 0.3)).any()


def test_a_matte_without_islands_is_as_it_was() -> None:
    rng = np.random.default_rng(0)
    alpha = cv2.GaussianBlur(rng.random((200, 300)).astype(np.float32), (0, 0), 20)
    alpha = np.clip((alpha - alpha.min()) / np.ptp(alpha) + 0.2, 0, 1).astype(np.float32)
    np.testing.assert_array_equal(left_of(alpha), alpha)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (900, 2)])
def test_pictures_of_any_size_pass(size: tuple[int, int]) -> None:
    opaque, faint = np.ones(size, np.float32), np.full(size, 0.2, np.float32)
    assert left_of(opaque).all()
    assert not left_of(faint).any()


@pytest.mark.parametrize(
    ("rosta", "merging", "stays"),
    [("TT", "soft", False), ("TT", "labels", True), ("RIM", "soft", True)],
)
def test_a_predictor_drops_them_unless_it_shows_what_was_published(
    rosta: str, merging: str, stays: bool
) -> None:
    size = LongerSide(320)
    predictor = Predictor(
        FakeNetwork(trimap_glance, first_channel, rosta), Strategy("one", size, size, merging)
    )
    red = disc((320, 320), 0.5, 0.3, 0.15) + 0.4 * disc((320, 320), 0.5, 0.8, 0.1)
    found = predictor.matte(np.repeat(red[:, :, None], 3, axis=2).astype(np.float32))
    assert found.alpha[160, 96] == pytest.approx(1, abs=0.01)
    assert found.alpha[160, 256] == pytest.approx(0.4 * stays, abs=0.01)
