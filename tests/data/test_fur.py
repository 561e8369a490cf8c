"""Fur grown on masks: where it grows, what alpha and colours it has."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.compositing import composite
from animatte.data.fur import FurConfig, Furred, furred

RED, BLUE = (200, 40, 30), (20, 60, 220)
PLAIN = FurConfig(length=(0.2, 0.2), shade=(0, 0))
Array = NDArray[np.uint8]


def disc(blur: float = 0) -> tuple[Array, Array]:
    """A red disc before blue, and its mask."""
    mask = np.zeros((200, 240), np.uint8)
    cv2.circle(mask, (120, 100), 55, 255, -1)
    if blur:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.uint8)
    weight = mask[..., None] / 255
    return np.rint(weight * RED + (1 - weight) * BLUE).astype(np.uint8), mask


def grown(seed: int = 0, config: FurConfig = PLAIN, blur: float = 0) -> Furred:
    return furred(*disc(blur), config, np.random.default_rng(seed))


def distance(centre: tuple[int, int] = (120, 100)) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:200, :240]
    return np.asarray(np.hypot(columns - centre[0], rows - centre[1]))


@pytest.mark.parametrize("blur", [0, 2.5])
def test_hair_stands_on_the_contour_and_nowhere_else(blur: float) -> None:
    for seed in range(6):
        alpha = grown(seed, blur=blur).alpha
        side = np.sqrt(np.pi) * 55
        assert (alpha[distance() < 50] == 1).all()
        assert (alpha[distance() > 55 + 3 * PLAIN.length[1] * side] == 0).all()
        ring = alpha[(distance() > 58) & (distance() < 62)]
        assert ((ring > 0) & (ring < 1)).mean() > 0.05


def test_longer_hair_reaches_further() -> None:
    reach = [
        distance()[grown(3, replace(PLAIN, length=(length, length))).alpha > 0.1].max()
        for length in (0.02, 0.08, 0.3)
    ]
    assert reach[0] + 3 < reach[1] < reach[2] - 3


def test_hair_has_the_subjects_colour_and_none_of_the_backgrounds() -> None:
    foreground, alpha = grown()
    hair = (alpha > 0.1) & (distance() > 58)
    assert hair.sum() > 50
    assert np.abs(foreground[hair] * 255 - RED).max() < 16


def test_shade_varies_the_colour_from_hair_to_hair() -> None:
    foreground, alpha = grown(config=replace(PLAIN, shade=(0.2, 0.2)))
    hair = (alpha > 0.3) & (distance() > 57)
    assert foreground[hair][:, 0].std() > 0.05


def test_alpha_is_what_the_hairs_cover() -> None:
    """On black, white foreground colours composite to alpha itself: the layers are one drawing."""
    image, mask = disc()
    white = np.full_like(image, 255)
    foreground, alpha = furred(white, mask, PLAIN, np.random.default_rng(0))
    shown = composite(foreground, (0, 0, 0), alpha)
    assert np.abs(shown - alpha[..., None]).max() < 2 / 255


def test_the_same_generator_grows_the_same_fur_and_another_one_does_not() -> None:
    first, again, other = grown(1), grown(1), grown(2)
    assert np.array_equal(first.alpha, again.alpha)
    assert np.array_equal(first.foreground, again.foreground)
    assert not np.array_equal(first.alpha, other.alpha)


def test_upright_hair_is_radial_and_leaning_hair_is_not() -> None:
    """Alpha changes across hairs, so around an upright coat it changes along the circle."""
    rows, columns = np.mgrid[:200, :240]
    around = np.stack([-(rows - 100), columns - 120]) / np.maximum(distance(), 1)
    ring = (distance() > 59) & (distance() < 70)

    def share_along_the_circle(lean: float) -> float:
        straight = replace(PLAIN, curl=(0, 0), wave=(0, 0), clumping=(0, 0), unruly=(0, 0))
        shares = []
        for seed in range(6):
            alpha = grown(seed, replace(straight, lean=(lean, lean))).alpha
            slope = np.stack([cv2.Sobel(alpha, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))])
            along = ((slope * around).sum(0)[ring] ** 2).sum()
            shares.append(along / (slope**2).sum(0)[ring].sum())
        return float(np.mean(shares))

    upright, leaning = share_along_the_circle(0), share_along_the_circle(2)
    assert upright > 0.6
    assert upright > leaning + 0.1


def test_no_hair_grows_where_the_frame_cuts_the_subject() -> None:
    mask = np.zeros((120, 160), np.uint8)
    mask[50:, :] = 255
    image = np.where(mask[..., None] > 0, 180, 20).astype(np.uint8).repeat(3, axis=2)
    alpha = furred(image, mask, PLAIN, np.random.default_rng(0)).alpha
    assert (alpha[60:] == 1).all()
    assert (alpha[:5] == 0).all()
    assert ((alpha[40:50] > 0) & (alpha[40:50] < 1)).any()


@pytest.mark.parametrize("level", [0, 255])
def test_without_a_contour_nothing_grows(level: int) -> None:
    image = np.full((40, 50, 3), 90, np.uint8)
    mask = np.full((40, 50), level, np.uint8)
    foreground, alpha = furred(image, mask, FurConfig(), np.random.default_rng(0))
    assert (alpha == level / 255).all()
    assert np.abs(foreground * 255 - 90).max() < 1


def test_hair_on_a_part_is_as_long_as_on_the_whole() -> None:
    image, mask = disc()
    part = np.s_[:, 100:240]
    whole = float(np.sqrt((mask > 127).sum()))

    def hair(side: float | None) -> float:
        alpha = furred(image[part], mask[part], PLAIN, np.random.default_rng(0), side).alpha
        return float((alpha * (distance((20, 100))[:, :140] > 57)).sum())

    assert hair(whole) > 3 * hair(whole / 3)
