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
    trimap_from_alpha,
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
