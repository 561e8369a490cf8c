"""Closed-form matting behind a trimap: what is solved, what is kept, and at which size."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.closed_form import check_pymatting, closed_form_alpha
from animatte.compositing import composite
from animatte.tiles import Array
from animatte.trimap import BACKGROUND, FOREGROUND, TRANSITION, trimap_around


def soft_disc(side: int) -> Array:
    rows, columns = np.mgrid[:side, :side] - side / 2
    depth = (side / 5 - np.hypot(rows, columns)) / (side / 10)
    return np.asarray(np.clip(depth, 0, 1), np.float32)


def scene(side: int = 60) -> tuple[Array, Array, NDArray[np.uint8]]:
    """True alpha, the composite of two smooth colours by it, and a wide trimap."""
    alpha = soft_disc(side)
    fade = np.linspace(0, 0.2, side, dtype=np.float32)[:, None, None] * np.ones((1, side, 3))
    foreground = np.array([0.7, 0.5, 0.1]) + fade
    image = composite(foreground.astype(np.float32), (0.1, 0.2, 0.6), alpha)
    return alpha, image, trimap_around(alpha, side // 20)


def test_an_alpha_between_two_plain_colours_is_found_again() -> None:
    true, image, trimap = scene()
    solved = closed_form_alpha(np.full_like(true, 0.5), image, trimap)
    assert np.abs(solved - true).max() < 0.02
    assert (trimap == TRANSITION).sum() > 500


def test_solving_the_box_alone_is_solving_the_whole() -> None:
    from pymatting import estimate_alpha_cf  # noqa: PLC0415

    _, image, trimap = scene()
    noise = np.random.default_rng(0).normal(0, 0.02, image.shape)
    image = np.clip(image + noise, 0, 1).astype(np.float32)
    whole = estimate_alpha_cf(image.astype(np.float64), trimap / 255.0)
    solved = closed_form_alpha(np.zeros(trimap.shape, np.float32), image, trimap)
    np.testing.assert_allclose(solved, whole, atol=1e-3)


def test_a_large_photo_is_solved_reduced_and_its_known_kept() -> None:
    true, image, trimap = scene(240)
    solved = closed_form_alpha(np.full_like(true, 0.5), image, trimap, max_pixels=4000)
    assert np.abs(solved - true).mean() < 0.01
    assert (solved[trimap == FOREGROUND] == 1).all()
    assert (solved[trimap == BACKGROUND] == 0).all()


@pytest.mark.parametrize("label", [BACKGROUND, FOREGROUND])
def test_without_foreground_or_background_alpha_is_kept_where_unknown(label: int) -> None:
    alpha, image, _ = scene()
    trimap = np.full(alpha.shape, TRANSITION)
    trimap[:10] = label
    solved = closed_form_alpha(alpha, image, trimap)
    np.testing.assert_array_equal(solved[10:], alpha[10:])
    assert (solved[:10] == (label == FOREGROUND)).all()


def test_a_trimap_without_unknown_is_the_alpha() -> None:
    alpha, image, _ = scene()
    trimap = np.where(alpha > 0.5, FOREGROUND, BACKGROUND)
    np.testing.assert_array_equal(closed_form_alpha(alpha, image, trimap), alpha > 0.5)


def test_known_specks_that_reducing_loses_leave_alpha_as_it_is() -> None:
    alpha, image, _ = scene()
    trimap = np.full(alpha.shape, TRANSITION)
    trimap[20, 20], trimap[40, 40] = FOREGROUND, BACKGROUND
    solved = closed_form_alpha(alpha, image, trimap, max_pixels=400)
    np.testing.assert_array_equal(solved[trimap == TRANSITION], alpha[trimap == TRANSITION])


def test_sizes_must_agree() -> None:
    alpha, image, trimap = scene()
    with pytest.raises(ValueError, match=r"trimap \(59, 60\)"):
        closed_form_alpha(alpha, image, trimap[1:])


def test_without_pymatting_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'animatte\[solver\]'"):
        check_pymatting()
    alpha, image, trimap = scene()
    with pytest.raises(ModuleNotFoundError, match=r"animatte\[solver\]"):
        closed_form_alpha(alpha, image, trimap)
