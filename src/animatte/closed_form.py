"""Closed-form matting (Levin, Lischinski and Weiss 2008) behind any trimap, through pymatting.

pymatting comes with the `solver` extra. It compiles itself at its first import, which takes
minutes once on a machine: nothing here imports it before a trimap is to be solved.
"""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from io import StringIO

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.extras import check_installed
from animatte.images.arrays import Pixels
from animatte.refinement import bounded_size, guided_enlargement
from animatte.scales import resized, viewed
from animatte.tiles import Area, Array
from animatte.trimap import BACKGROUND, FOREGROUND, transition_area

# Windows reach two pixels from an unknown one; what is known farther off changes nothing.
_REACH = 2


def closed_form_alpha(
    alpha: Array, image: Pixels, trimap: NDArray[np.uint8], max_pixels: int = 2**20
) -> Array:
    """Solve what a trimap leaves unknown by the colours around it (Levin et al. 2008).

    The equations take about a kilobyte a pixel, so that only the box around the unknown is solved,
    and reduced to `max_pixels` where it is larger: hair finer than that comes from
    `guided_enlargement`. What the trimap knows is kept in full size.

    Args:
        alpha: (H, W) in [0, 1], kept where there is nothing to solve from: in all that is unknown
            if the trimap holds no foreground, or no background.
        image: (H, W, 3): floats in [0, 1], or levels of 8 or 16 bits.
        trimap: (H, W) of 0, 128 and 255.
        max_pixels: the largest size to be solved, at least 1.

    Returns:
        (H, W) float32: 1 in the trimap's foreground, 0 in its background.

    Raises:
        ValueError: if sizes differ.
        ModuleNotFoundError: if pymatting is not installed.
    """
    if not alpha.shape == trimap.shape == image.shape[:2]:
        raise ValueError(
            f"alpha is {alpha.shape}, trimap {trimap.shape}, image {image.shape}; "
            "height and width must be the same"
        )
    unknown = transition_area(trimap)
    solved = np.where(unknown, alpha, trimap == FOREGROUND).astype(np.float32)
    if unknown.any() and (trimap == FOREGROUND).any() and (trimap == BACKGROUND).any():
        box = _box_around(unknown)
        solution = _solution(image[box], trimap[box], max_pixels)
        if solution is not None:
            solved[box] = np.where(unknown[box], solution, solved[box])
    return solved


def check_pymatting() -> None:
    """Say what to install if pymatting is not there, without importing it.

    Raises:
        ModuleNotFoundError: naming the extra.
    """
    check_installed("pymatting", "solver")


def _box_around(unknown: NDArray[np.bool_]) -> Area:
    left, top, width, height = cv2.boundingRect(unknown.astype(np.uint8))
    rows = slice(max(0, top - _REACH), top + height + _REACH)
    return rows, slice(max(0, left - _REACH), left + width + _REACH)


def _solution(image: Pixels, trimap: NDArray[np.uint8], max_pixels: int) -> Array | None:
    """Alpha (H, W), or None where reducing left no foreground or no background."""
    size = bounded_size(trimap.shape, max_pixels)
    labels = _reduced_labels(trimap, size)
    if min(size) <= _REACH or not {0.0, 1.0} <= set(np.unique(labels)):
        return None
    view = viewed(image, size)
    small = _solved(view, labels)
    return small if size == trimap.shape else guided_enlargement(small, view, image)


def _reduced_labels(trimap: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float64]:
    """0, 0.5 and 1; known is a reduced pixel only if all that it covers is known alike."""
    labels = np.full(size, 0.5)
    labels[resized((trimap == FOREGROUND).astype(np.float32), size) >= 1] = 1
    labels[resized((trimap != BACKGROUND).astype(np.float32), size) <= 0] = 0
    return labels


def _solved(image: Array, labels: NDArray[np.float64]) -> Array:
    check_pymatting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba's, as it compiles: no one here could act on them
        from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf  # noqa: PLC0415

    options = {"rtol": 1e-6, "maxiter": 20_000}
    with redirect_stdout(StringIO()):  # it prints when its preconditioner needs a second try
        alpha = estimate_alpha_cf(image.astype(np.float64), labels, cg_kwargs=options)
    return np.asarray(alpha, np.float32)
