"""The one entry: areas, trimaps and bands, worked out by hand, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.metrics import PROTOCOLS, alpha_scores, named_protocol

TRUE = np.array([[0.0, 0.0, 0.5, 1.0], [0.0, 0.2, 0.9, 1.0]])
PREDICTED = np.array([[0.1, 0.0, 0.7, 1.0], [0.0, 0.4, 0.5, 0.9]])
TRIMAP = np.array([[0, 0, 128, 255], [0, 128, 128, 255]], np.uint8)


def test_the_whole_image_by_hand() -> None:
    scores = alpha_scores(PREDICTED, TRUE)
    assert scores["sad"] == pytest.approx(1.0 / 1000)
    assert scores["mad"] == pytest.approx(1.0 / 8)
    assert scores["mse"] == pytest.approx((0.01 + 0.04 + 0.04 + 0.16 + 0.01) / 8)
    assert set(scores) == {"sad", "mse", "mad", "grad", "conn"}


def test_the_trimaps_areas_by_hand() -> None:
    scores = alpha_scores(PREDICTED, TRUE, TRIMAP)
    assert scores["sad_transition"] == pytest.approx(0.8 / 1000)
    assert scores["mad_transition"] == pytest.approx(0.8 / 3)
    assert scores["mse_transition"] == pytest.approx(0.24 / 3)
    assert scores["sad_foreground"] == pytest.approx(0.1 / 1000)
    assert scores["sad_background"] == pytest.approx(0.1 / 1000)
    assert scores["sad"] == pytest.approx(1.0 / 1000)


def test_dim_scores_the_unknown_area() -> None:
    scores = alpha_scores(PREDICTED, TRUE, TRIMAP, "dim")
    for metric in ("sad", "mse", "mad", "grad", "conn"):
        assert scores[metric] == scores[f"{metric}_transition"]
    assert scores["sad"] == pytest.approx(0.8 / 1000)
    whole = alpha_scores(PREDICTED, TRUE, TRIMAP, "dim", area="image")
    assert whole["sad"] == pytest.approx(1.0 / 1000)
    assert whole["sad_transition"] == scores["sad"]


def test_rvm_multiplies_its_means_by_a_thousand() -> None:
    scores = alpha_scores(PREDICTED, TRUE, protocol="rvm")
    assert scores["mad"] == pytest.approx(125)
    assert scores["mse"] == pytest.approx(1000 * 0.26 / 8)


def test_any_value_between_is_unknown() -> None:
    other = np.where(TRIMAP == 128, 77, TRIMAP).astype(np.uint8)
    assert alpha_scores(PREDICTED, TRUE, other) == alpha_scores(PREDICTED, TRUE, TRIMAP)


def test_gfm_takes_the_trimap_for_the_prediction_outside_the_transition() -> None:
    """Its program overwrites the prediction, and so counts where trimap and truth disagree."""
    true = TRUE.copy()
    true[0, 3] = 0.6  # the trimap calls it foreground
    gfm, dim = (alpha_scores(PREDICTED, true, TRIMAP, name) for name in ("gfm", "dim"))
    assert gfm["sad_transition"] == pytest.approx((0.8 + 0.4) / 1000)
    assert gfm["mad_transition"] == pytest.approx((0.8 + 0.4) / 3)
    assert gfm["mse_transition"] == pytest.approx((0.24 + 0.16) / 3)
    assert dim["sad_transition"] == pytest.approx(0.8 / 1000)


def test_the_band_is_what_lies_within_its_radius_of_the_unknown_area() -> None:
    rng = np.random.default_rng(0)
    predicted, true = rng.random((20, 30)), np.zeros((20, 30))
    trimap = np.zeros((20, 30), np.uint8)
    trimap[10, 12] = 128
    rows, columns = np.indices(true.shape)
    near = (rows - 10) ** 2 + (columns - 12) ** 2 <= 25
    scores = alpha_scores(predicted, true, trimap, "dim", band=5)
    assert scores["sad_band"] == pytest.approx(predicted[near].sum() / 1000)
    assert scores["mse_band"] == pytest.approx((predicted[near] ** 2).mean())
    assert {"mad_band", "grad_band", "conn_band"} <= set(scores)


def test_the_band_without_a_trimap_is_around_what_is_translucent() -> None:
    trimap = np.where((TRUE > 0) & (TRUE < 1), 128, 0).astype(np.uint8)
    alone = alpha_scores(PREDICTED, TRUE, band=1)
    given = alpha_scores(PREDICTED, TRUE, trimap, band=1)
    assert alone["sad_band"] == given["sad_band"] > 0
    assert alone["grad_band"] == given["grad_band"]


def test_an_area_without_a_pixel_scores_nothing() -> None:
    trimap = np.where(TRUE > 0.5, 255, 0).astype(np.uint8)
    scores = alpha_scores(PREDICTED, TRUE, trimap, "dim", band=3)
    assert {scores[key] for key in ("sad", "mse", "mad", "grad", "conn", "sad_band")} == {0}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_perfect_matte_scores_zero(name: str) -> None:
    scores = alpha_scores(TRUE, TRUE, TRIMAP, name, band=2)
    assert set(scores.values()) == {0}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_views_and_types_do_not_change_a_score(name: str) -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(0, 256, (24, 31)) / 255
    predicted = rng.integers(0, 256, (24, 31)) / 255
    trimap = np.asarray(rng.choice([0, 128, 255], (24, 31)), np.uint8)
    expected = alpha_scores(predicted, true, trimap, name, band=2)
    turned = np.ascontiguousarray(predicted.T).T, np.ascontiguousarray(true.T).T
    assert alpha_scores(*turned, trimap, name, band=2) == pytest.approx(expected)
    large = np.zeros((48, 62))
    large[::2, ::2] = predicted
    assert alpha_scores(large[::2, ::2], true, trimap, name, band=2) == pytest.approx(expected)
    singles = predicted.astype(np.float32), true.astype(np.float32)
    assert alpha_scores(*singles, trimap, name, band=2) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_picture_of_one_pixel_has_scores(name: str) -> None:
    scores = alpha_scores(np.ones((1, 1)), np.zeros((1, 1)), protocol=name, area="image")
    assert scores["sad"] == pytest.approx(0.001)
    assert scores["grad"] == pytest.approx(0, abs=1e-30)


def bad_inputs() -> list[tuple[dict[str, Any], str]]:
    nan, high = PREDICTED.copy(), PREDICTED * 255
    nan[0, 0] = np.nan
    eight_bits: NDArray[Any] = np.zeros((2, 4), np.uint8)
    return [
        ({"predicted": PREDICTED[:1]}, r"predicted alpha is \(1, 4\), true alpha \(2, 4\)"),
        ({"predicted": PREDICTED[None]}, r"predicted alpha is \(1, 2, 4\); it must be \(H, W\)"),
        ({"predicted": np.zeros((0, 4))}, "each at least 1"),
        ({"predicted": nan}, "predicted alpha holds NaN"),
        ({"true": high}, r"true alpha lies in \[0, .*divide by its scale"),
        ({"predicted": -PREDICTED}, r"predicted alpha lies in \[-1"),
        ({"true": eight_bits}, "true alpha is uint8; .*divide 8 bits by 255"),
        ({"trimap": TRIMAP[:, :2]}, r"trimap is \(2, 2\), alpha \(2, 4\)"),
        ({"trimap": TRIMAP / 255}, "trimap is float64; it must be uint8"),
        ({"protocol": "matlab"}, "'matlab'; it must be one of gfm, dim, rvm, gca-legacy"),
        ({"protocol": "dim"}, "pass a trimap, or area='image'"),
        ({"area": "fur"}, "'fur'; it must be 'image' or 'transition'"),
        ({"band": -1}, "band is -1; it must be at least 0"),
    ]


@pytest.mark.parametrize(("changed", "message"), bad_inputs())
def test_what_does_not_fit_is_refused_in_a_line(changed: dict[str, Any], message: str) -> None:
    arguments = {"predicted": PREDICTED, "true": TRUE, **changed}
    with pytest.raises(ValueError, match=message) as error:
        alpha_scores(**arguments)
    assert "\n" not in str(error.value)


def test_rounding_beyond_one_is_forgiven() -> None:
    alpha_scores(PREDICTED + 1e-7, TRUE)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_column_turns_a_score_into_what_a_table_says(name: str) -> None:
    scores = alpha_scores(PREDICTED, TRUE, TRIMAP, name, area="image", band=1)
    protocol = named_protocol(name)
    column = protocol.column("mad_transition")
    assert column.heading == "MAD·10³ transition"
    assert scores["mad_transition"] * column.factor == pytest.approx(1000 * 0.8 / 3)
    assert protocol.column("sad").heading == "SAD"
    for score in scores:
        assert protocol.column(score).scale


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_no_protocol_rules_reads_alike_in_all(name: str) -> None:
    column = named_protocol(name).column
    assert [column(score).heading for score in ("iou", "boundary_f")] == ["IoU", "boundary F"]
    assert column("iou").factor == column("boundary_f").factor == 1
