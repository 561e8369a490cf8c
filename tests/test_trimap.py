"""Trimaps against their definition, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from animatte.trimap import (
    BACKGROUND,
    FOREGROUND,
    TRANSITION,
    dilated_foreground,
    eroded_foreground,
    transition_area,
    trimap_around,
    trimap_from_alpha,
    trimap_from_branches,
    validated_trimap,
)

ALPHAS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=40),
    elements=st.sampled_from([0.0, 0.0, 0.0, 2**-20, 0.5, 1 - 2**-23, 1.0, 1.0, 1.0]),
    fill=st.just(1.0),
)
KERNEL_SIZES = st.integers(1, 30)


def disc(side: int = 101, radius: float = 30, softness: float = 4) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:side, :side] - side // 2
    distance = np.hypot(rows, columns)
    return np.asarray(np.clip((radius - distance) / softness, 0, 1), np.float32)


@settings(deadline=None)
@given(ALPHAS, KERNEL_SIZES)
def test_every_soft_pixel_is_inside_the_transition(
    alpha: NDArray[np.float32], kernel_size: int
) -> None:
    area = transition_area(trimap_from_alpha(alpha, kernel_size))
    assert area[(alpha > 0) & (alpha < 1)].all()


@settings(deadline=None)
@given(ALPHAS, KERNEL_SIZES)
def test_foreground_is_opaque_and_background_is_empty(
    alpha: NDArray[np.float32], kernel_size: int
) -> None:
    trimap = trimap_from_alpha(alpha, kernel_size)
    assert (alpha[trimap == FOREGROUND] == 1).all()
    assert (alpha[trimap == BACKGROUND] == 0).all()
    assert set(np.unique(trimap)) <= {0, 128, 255}


@settings(deadline=None)
@given(ALPHAS, KERNEL_SIZES)
def test_trimap_is_made_of_the_two_label_kinds(
    alpha: NDArray[np.float32], kernel_size: int
) -> None:
    trimap = trimap_from_alpha(alpha, kernel_size)
    np.testing.assert_array_equal(trimap == FOREGROUND, eroded_foreground(alpha, kernel_size))
    np.testing.assert_array_equal(trimap != BACKGROUND, dilated_foreground(alpha, kernel_size))


def test_kernel_of_one_pixel_changes_nothing() -> None:
    alpha = disc()
    expected = np.where(alpha == 0, 0, np.where(alpha == 1, 255, 128))
    np.testing.assert_array_equal(trimap_from_alpha(alpha, 1), expected)


def test_borders_move_by_half_the_kernel() -> None:
    alpha = disc(softness=1e-3)
    trimap = trimap_from_alpha(alpha, 25)
    row = trimap[50]
    assert alpha[50].sum() == 59  # columns 21 to 79
    assert np.flatnonzero(row == FOREGROUND).tolist() == list(range(21 + 12, 80 - 12))
    assert np.flatnonzero(row != BACKGROUND).tolist() == list(range(21 - 12, 80 + 12))


def test_dilation_and_erosion_agree_with_scipy() -> None:
    rows, columns = np.mgrid[-12:13, -12:13]
    alpha = disc()
    point = np.zeros((51, 51))
    point[25, 25] = 1
    kernel = dilated_foreground(point, 25)[13:38, 13:38]
    assert np.abs(kernel.sum() - (np.hypot(rows, columns) <= 12.5).sum()) < 30
    np.testing.assert_array_equal(
        dilated_foreground(alpha, 25), ndimage.binary_dilation(alpha > 0, kernel)
    )
    np.testing.assert_array_equal(
        eroded_foreground(alpha, 25), ndimage.binary_erosion(alpha == 1, kernel, border_value=1)
    )


@pytest.mark.parametrize("radius", [0, 3, 20])
def test_the_branches_rule_is_dilation_minus_erosion_by_a_disc(radius: int) -> None:
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    kernel = np.hypot(rows, columns) <= radius
    foreground, background = disc(softness=8), 1 - disc(radius=26, softness=8)
    dilated = ndimage.binary_dilation(foreground > 0.5, kernel)
    eroded = ndimage.binary_erosion(1 - background > 0.5, kernel, border_value=1)
    trimap = trimap_from_branches(foreground, background, radius)
    np.testing.assert_array_equal(trimap == TRANSITION, dilated & ~eroded)
    np.testing.assert_array_equal(trimap == FOREGROUND, eroded)
    np.testing.assert_array_equal(trimap == BACKGROUND, ~dilated)


def test_where_the_branches_contradict_each_other_nothing_is_known() -> None:
    zeros = np.zeros((9, 9), np.float32)
    assert (trimap_from_branches(zeros, zeros, 2) == TRANSITION).all()
    assert (trimap_from_branches(zeros, zeros + 1, 2) == BACKGROUND).all()
    assert (trimap_from_branches(zeros + 1, zeros, 2) == FOREGROUND).all()


def test_around_an_alpha_both_borders_move_by_the_radius() -> None:
    row = trimap_around(disc(softness=1e-3), 20)[50]  # the disc: columns 21 to 79
    assert np.flatnonzero(row == FOREGROUND).tolist() == list(range(41, 60))
    assert np.flatnonzero(row != BACKGROUND).tolist() == list(range(1, 100))


def test_around_an_alpha_faint_errors_do_not_count() -> None:
    alpha = np.where(disc() > 0, 0.97, 0.03)
    assert set(np.unique(trimap_around(alpha, 5))) == {0, 128, 255}
    assert not transition_area(trimap_around(alpha, 0)).any()
    assert transition_area(trimap_around(alpha, 0, possible=0.01)).sum() == (disc() == 0).sum()


@pytest.mark.parametrize(
    ("value", "label"), [(0.0, BACKGROUND), (0.5, TRANSITION), (1.0, FOREGROUND)]
)
def test_a_flat_alpha_has_one_label(value: float, label: int) -> None:
    assert (trimap_around(np.full((7, 300), value), 20) == label).all()


def test_strange_radii_levels_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="radius is -1"):
        trimap_around(disc(), -1)
    with pytest.raises(ValueError, match=r"possible is 0.9 and sure 0.1"):
        trimap_around(disc(), possible=0.9, sure=0.1)
    with pytest.raises(ValueError, match=r"shape \(4, 4, 1\)"):
        trimap_around(np.zeros((4, 4, 1)))
    with pytest.raises(ValueError, match=r"background \(5, 4\)"):
        trimap_from_branches(np.zeros((4, 4)), np.zeros((5, 4)))


def test_subject_cut_by_the_frame_stays_foreground_there() -> None:
    assert (trimap_from_alpha(np.ones((40, 40))) == FOREGROUND).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_valid_trimap_passes_as_uint8(dtype: type[Any]) -> None:
    trimap = np.array([[BACKGROUND, TRANSITION, FOREGROUND]]).astype(dtype)
    assert validated_trimap(trimap).dtype == np.uint8
    np.testing.assert_array_equal(validated_trimap(trimap), [[0, 128, 255]])


def test_other_labels_are_refused_by_value() -> None:
    with pytest.raises(ValueError, match=r"holds 127; .* 128 \(transition\)"):
        validated_trimap(np.array([[0, 127, 255]]))
    with pytest.raises(ValueError, match=r"shape \(2, 2, 3\)"):
        validated_trimap(np.zeros((2, 2, 3)))


def test_wrong_shape_or_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel size is 0; it must be at least 1"):
        trimap_from_alpha(disc(), 0)
    with pytest.raises(ValueError, match=r"alpha has shape \(4, 4, 1\)"):
        dilated_foreground(np.zeros((4, 4, 1)))
