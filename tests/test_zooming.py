"""Crops around small subjects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from animatte.zooming import Box, paste, subject_boxes


def alpha_with(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (300, 400)) -> NDArray:  # type: ignore[type-arg]
    alpha = np.zeros(size, np.float32)
    for top, left, height, width in boxes:
        alpha[top : top + height, left : left + width] = 1
    return alpha


def test_a_small_subject_has_a_crop_with_a_quarter_for_margin() -> None:
    (box,) = subject_boxes(alpha_with((100, 150, 40, 60)), 0.6)
    margin = 15
    expected = (100 - margin, 150 - margin, 40 + 2 * margin, 60 + 2 * margin)
    np.testing.assert_allclose(box, expected, atol=5)


def test_a_crop_ends_where_the_picture_does() -> None:
    (box,) = subject_boxes(alpha_with((260, 0, 40, 40)), 0.6)
    assert (box.left, box.top + box.height) == (0, 300)


@pytest.mark.parametrize(("side", "number"), [(100, 1), (250, 0)])
def test_only_what_is_clearly_smaller_than_the_picture_is_cropped(side: int, number: int) -> None:
    assert len(subject_boxes(alpha_with((20, 20, side, side)), 0.6)) == number


def test_two_subjects_far_apart_are_two_crops_the_larger_first() -> None:
    boxes = subject_boxes(alpha_with((20, 20, 30, 30), (200, 300, 50, 50)), 0.6)
    assert len(boxes) == 2
    assert boxes[0].left > boxes[1].left


def test_crops_that_overlap_become_one_that_holds_both() -> None:
    (box,) = subject_boxes(alpha_with((100, 100, 40, 40), (100, 155, 40, 40)), 0.6)
    assert box.left < 100
    assert box.left + box.width > 195


def test_parts_of_one_animal_belong_together_over_a_narrow_gap() -> None:
    (box,) = subject_boxes(alpha_with((100, 100, 40, 20), (100, 124, 40, 20)), 0.6)
    assert box.width < 44 + 2 * 15


def test_specks_are_no_subjects() -> None:
    boxes = subject_boxes(alpha_with((100, 100, 50, 50), (10, 10, 4, 4), (280, 380, 6, 6)), 0.6)
    assert len(boxes) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (300, 400)])
def test_where_nothing_is_there_is_no_crop(size: tuple[int, int]) -> None:
    assert subject_boxes(np.zeros(size, np.float32), 0.85) == []


def test_no_more_than_six_crops_however_many_subjects() -> None:
    herd = [(row, column, 20, 20) for row in (20, 120, 220) for column in (20, 120, 220, 320)]
    assert len(subject_boxes(alpha_with(*herd), 0.6)) == 6


@given(st.lists(st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(1, 60)] * 2), max_size=5))
def test_crops_lie_in_the_picture_and_never_overlap(parts: list[tuple[int, int, int, int]]) -> None:
    boxes = subject_boxes(alpha_with(*parts, size=(101, 137)), 0.85)
    covered = np.zeros((101, 137), int)
    for box in boxes:
        assert covered[box.area].shape == (box.height, box.width)
        covered[box.area] += 1
    assert covered.max() <= 1


def test_pasting_replaces_the_middle_and_fades_without_a_seam() -> None:
    alpha = np.zeros((100, 100), np.float32)
    paste(alpha, np.ones((60, 60), np.float32), Box(20, 20, 60, 60))
    np.testing.assert_array_equal(alpha[30:70, 30:70], 1)
    assert alpha[:20].max() == 0
    assert np.abs(np.diff(alpha, axis=0)).max() < 0.2


def test_pasting_does_not_fade_along_the_picture_s_own_border() -> None:
    alpha = np.zeros((50, 50), np.float32)
    paste(alpha, np.ones((30, 50), np.float32), Box(20, 0, 30, 50))
    np.testing.assert_array_equal(alpha[-1], 1)
    assert alpha[20].max() < 0.5
