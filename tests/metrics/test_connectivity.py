"""Conn against a flood fill in plain Python, by the letter of each published program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from animatte.metrics import PROTOCOLS, alpha_scores
from animatte.metrics.connectivity import connected_level, connectivity_error
from animatte.metrics.protocols import ConnRule

Alpha = NDArray[np.float64]


def components(inside: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Flood fill with four neighbours, the components by rows of their first pixel."""
    left = {(int(row), int(column)) for row, column in np.argwhere(inside)}
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        left.remove(start)
        component, border = [start], [start]
        while border:
            row, column = border.pop()
            for pixel in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if pixel in left:
                    left.remove(pixel)
                    component.append(pixel)
                    border.append(pixel)
        found.append(component)
    return found


def chosen(inside: NDArray[np.bool_], rule: ConnRule) -> NDArray[np.bool_] | None:
    omega = np.zeros(inside.shape, bool)
    parts = components(inside)
    if rule.by_columns:
        parts.sort(key=lambda part: min((column, row) for row, column in part))
    if rule.background_competes:
        parts.insert(0, [(int(row), int(column)) for row, column in np.argwhere(~inside)])
    if not parts:
        return None
    for row, column in max(parts, key=len):
        omega[row, column] = True
    return omega


def brute_force(predicted: Alpha, true: Alpha, rule: ConnRule, levels: list[float]) -> Alpha:
    reached = np.full(true.shape, -1.0)
    for below, level in zip([0.0, *levels], levels, strict=False):
        omega = chosen((predicted >= level) & (true >= level), rule)
        if omega is None:
            if rule.empty == "passed":
                continue
            omega = np.zeros(true.shape, bool)
        reached[(reached == -1) & ~omega] = below
    reached[reached == -1] = 1
    phi = [
        np.where(alpha - reached >= 0.15, 1 - (alpha - reached), 1.0) for alpha in (predicted, true)
    ]
    return np.asarray(np.abs(phi[0] - phi[1]), np.float64)


def published_levels(name: str) -> list[float]:
    """Of the programs: products in double precision, or tenths."""
    if name in ("gfm", "gca-legacy"):
        return [float(level) for level in np.arange(0, 1.1, 0.1)[1:]]
    return [index / 10 for index in range(1, 11)]


@pytest.mark.parametrize("name", PROTOCOLS)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 9), width=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_conn_is_that_of_a_flood_fill(name: str, seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.choice([0, 51, 102, 153, 180, 204, 255], (height, width)) / 255
    predicted = np.where(rng.random(true.shape) < 0.5, true, rng.integers(0, 256, true.shape) / 255)
    rule = PROTOCOLS[name].conn
    expected = brute_force(predicted, true, rule, published_levels(name))
    assert connectivity_error(predicted, true, rule) == pytest.approx(expected, abs=1e-7)
    single = connectivity_error(predicted.astype(np.float32), true.astype(np.float32), rule)
    assert single == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["dim", "rvm", "gfm"])
def test_a_speck_that_is_not_connected_costs_its_excess(name: str) -> None:
    true = np.zeros((5, 7))
    true[1:4, 0:3] = 1  # the subject: nine pixels
    predicted = true.copy()
    predicted[2, 5] = 0.9  # a speck: φ = 1 − 0.9 where truth has 1
    scores = alpha_scores(predicted, true, protocol=name, area="image")
    assert scores["conn"] == pytest.approx(0.9 / 1000)


def test_an_excess_below_the_slack_is_forgiven() -> None:
    true = np.zeros((3, 3))
    predicted = true.copy()
    predicted[1, 1] = 0.14
    assert alpha_scores(predicted, true, protocol="rvm")["conn"] == 0
    predicted[1, 1] = 0.16
    assert alpha_scores(predicted, true, protocol="rvm")["conn"] == pytest.approx(0.16 / 1000)


def test_gfms_conn_forgives_everything_where_nothing_reaches_a_tenth_in_both() -> None:
    true = np.zeros((3, 3))
    assert alpha_scores(np.ones((3, 3)), true, protocol="gfm")["conn"] == 0
    assert alpha_scores(np.ones((3, 3)), true, protocol="rvm")["conn"] == pytest.approx(9 / 1000)


def test_an_alpha_too_low_counts_by_the_level_that_both_reach() -> None:
    true = np.ones((4, 4))
    predicted = true.copy()
    predicted[0, 0] = 0.55  # l = 0.5: φ is 1 by the prediction, 1 − 0.5 by the truth
    assert alpha_scores(predicted, true)["conn"] == pytest.approx(0.5 / 1000)


def test_a_subject_without_opaque_pixels_is_passed_up_only_by_gfm() -> None:
    true = np.full((4, 4), 0.9)
    predicted = np.full((4, 4), 0.5)
    gfm, rvm = (connected_level(predicted, true, PROTOCOLS[name].conn) for name in ("gfm", "rvm"))
    assert (rvm == 0.5).all()  # and so φ differs by 0.4
    assert (gfm == 1).all()  # all empty levels skipped: φ is 1 for both
    assert alpha_scores(predicted, true, protocol="gfm")["conn"] == 0
    assert alpha_scores(predicted, true, protocol="rvm")["conn"] == pytest.approx(16 * 0.4 / 1000)


def test_the_background_may_be_the_largest_component_of_gca_legacy() -> None:
    true = np.zeros((10, 10))
    true[4:6, 4:6] = 1
    predicted = true.copy()
    predicted[0, 0] = 0.9
    # The four pixels inside are outside the largest component; the speck is connected by it.
    legacy = alpha_scores(predicted, true, protocol="gca-legacy", area="image")
    assert legacy["conn"] == 0
    assert alpha_scores(predicted, true, protocol="rvm")["conn"] == pytest.approx(0.9 / 1000)


def test_of_equal_components_the_first_by_columns_is_dims_and_by_rows_rvms() -> None:
    true = np.zeros((5, 5))
    true[0, 4] = true[4, 0] = 1
    by_columns = connected_level(true, true, PROTOCOLS["dim"].conn)
    by_rows = connected_level(true, true, PROTOCOLS["rvm"].conn)
    assert (by_columns[4, 0], by_columns[0, 4]) == (1, 0)
    assert (by_rows[4, 0], by_rows[0, 4]) == (0, 1)


def test_the_level_of_six_tenths_is_just_missed_in_double_precision() -> None:
    alpha = np.full((2, 2), 153 / 255)
    dtypes: tuple[type[np.floating[Any]], ...] = (np.float32, np.float64)
    for dtype in dtypes:
        typed, opaque = np.asarray(alpha, dtype), np.ones((2, 2), dtype)
        assert connected_level(typed, typed, PROTOCOLS["dim"].conn)[0, 0] == pytest.approx(0.6)
        gca = connected_level(typed, opaque, PROTOCOLS["gca-legacy"].conn)
        assert gca[0, 0] == 1  # the background, all there is at 0.6, is passed on
        rule = ConnRule(levels=PROTOCOLS["gfm"].conn.levels)
        assert connected_level(typed, typed, rule)[0, 0] == pytest.approx(0.5)
