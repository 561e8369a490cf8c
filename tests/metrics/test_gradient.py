"""Grad against scipy's filters, which GFM's program calls, and against sums in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from animatte.metrics import PROTOCOLS, alpha_scores
from animatte.metrics.gradient import derivative_filter, gradient_error, gradient_magnitude

Alpha = NDArray[np.float64]


@pytest.fixture
def pair() -> tuple[Alpha, Alpha]:
    rng = np.random.default_rng(3)
    true = np.zeros((40, 53))
    true[8:30, 11:53] = 1
    true = ndimage.gaussian_filter(true, 1.0)
    predicted = true.copy()
    predicted[15:33, 5:30] = rng.random((18, 25))  # the rest is the same: nothing may come of it
    return predicted, true


def test_gfms_grad_is_scipys(pair: tuple[Alpha, Alpha]) -> None:
    magnitudes = [
        np.hypot(*(ndimage.gaussian_filter(alpha, 1.4, order=o) for o in ((1, 0), (0, 1))))
        for alpha in pair
    ]
    expected = np.square(magnitudes[0] - magnitudes[1]).sum() / 10
    assert alpha_scores(*pair, protocol="gfm")["grad"] == pytest.approx(expected, rel=1e-9)
    single = pair[0].astype(np.float32), pair[1].astype(np.float32)
    assert alpha_scores(*single)["grad"] == pytest.approx(expected, rel=1e-5)


def matlab_kernel() -> list[list[float]]:
    """Gaussgradient.m: 9 × 9, its squares add up to 1."""
    sigma, epsilon = 1.4, 1e-2
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * epsilon)))
    assert half == 4

    def bell(x: float) -> float:
        return math.exp(-(x**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))

    offsets = range(-half, half + 1)
    kernel = [[bell(u) * -v * bell(v) / sigma**2 for v in offsets] for u in offsets]
    norm = math.sqrt(sum(weight**2 for row in kernel for weight in row))
    return [[weight / norm for weight in row] for row in kernel]


def replicated(alpha: Alpha, row: int, column: int) -> float:
    height, width = alpha.shape
    return float(alpha[min(max(row, 0), height - 1), min(max(column, 0), width - 1)])


def brute_force_magnitude(alpha: Alpha) -> Alpha:
    kernel = matlab_kernel()
    magnitude = np.zeros(alpha.shape)
    for row, column in np.ndindex(*alpha.shape):
        across = down = 0.0
        for i, j in np.ndindex(9, 9):
            value = replicated(alpha, row - i + 4, column - j + 4)
            across += kernel[i][j] * value
            down += kernel[j][i] * value
        magnitude[row, column] = math.hypot(across, down)
    return magnitude


@pytest.mark.parametrize("name", ["dim", "rvm", "gca-legacy"])
def test_the_other_protocols_grad_is_that_of_gaussgradient(name: str) -> None:
    rng = np.random.default_rng(4)
    alpha = rng.random((12, 15))
    rule = PROTOCOLS[name].grad
    low, high = (alpha.min(), alpha.max()) if rule.stretched else (0, 1)
    expected = brute_force_magnitude((alpha - low) / (high - low))
    assert gradient_magnitude(alpha, rule) == pytest.approx(expected, abs=1e-12)


def test_dim_stretches_each_alpha_to_its_range_first() -> None:
    true = np.zeros((20, 20))
    true[:, 10:] = 1
    faint = true * 0.5
    assert alpha_scores(faint, true, protocol="dim", area="image")["grad"] == 0
    assert alpha_scores(faint, true, protocol="gca-legacy", area="image")["grad"] > 0.05


def test_the_filters_differ_by_the_norm_of_the_derivative() -> None:
    """What GFM divides by 10, the others divide by 1000 times the square of its norm: 10.36."""
    smooth, slope = derivative_filter(PROTOCOLS["gfm"].grad)
    squares = (np.outer(smooth, slope) ** 2).sum()
    assert 1000 * squares == pytest.approx(10.36, abs=0.01)


def test_gfms_grad_is_some_percent_more_than_the_same_by_gca(pair: tuple[Alpha, Alpha]) -> None:
    predicted, true = (ndimage.gaussian_filter(alpha, 1.0) for alpha in pair)
    gfm = alpha_scores(predicted, true)["grad"]
    other = alpha_scores(predicted, true, protocol="gca-legacy", area="image")["grad"]
    assert gfm / other == pytest.approx(1.036, abs=0.02)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_is_cut_out_for_speed_is_the_same_as_the_whole(
    name: str, pair: tuple[Alpha, Alpha]
) -> None:
    rule = PROTOCOLS[name].grad
    predicted, true = pair
    difference = gradient_magnitude(predicted, rule) - gradient_magnitude(true, rule)
    whole = np.square(difference)
    assert gradient_error(predicted, true, rule) == pytest.approx(whole, abs=1e-15)


def test_an_edge_moved_by_a_pixel_is_seen_at_the_edge_alone() -> None:
    true = np.zeros((30, 30))
    true[:, 15:] = 1
    error = gradient_error(np.roll(true, 1, axis=1), true, PROTOCOLS["gca-legacy"].grad)
    assert error[:, 12:20].sum() > 0
    assert error[:, :10].sum() > 0  # rolled round: the left border has an edge now
    assert error[:, 21:].sum() == 0
