from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fake_network import FakeNetwork, certain, first_channel, trimap_glance

from animatte.scales import Fraction, LongerSide, resized
from animatte.seeing import full_size_alpha
from animatte.strategies import (
    STRATEGIES,
    Strategy,
    default_strategy,
    named_strategy,
    views,
)

Array = NDArray[np.float32]


def disc(height: int, width: int, softness: float = 12.0) -> Array:
    """A soft-edged disc as the alpha of a picture that shows it in every channel."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((min(height, width) / 3 - distance) / softness + 0.5, 0, 1)
    return np.repeat(alpha[:, :, None], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize(
    ("ratio", "photo", "size"),
    [
        (1 / 3, (1080, 1920), (352, 640)),  # 360 and 640
        (1 / 3, (96, 288), (32, 96)),  # thirds that are whole stay whole
        (1 / 2, (4000, 3001), (1600, 1472)),  # 2000 is capped
        (1 / 2, (5, 500), (32, 224)),  # never below one multiple
    ],
)
def test_a_fraction_is_floored_to_a_multiple_and_capped(
    ratio: float, photo: tuple[int, int], size: tuple[int, int]
) -> None:
    assert Fraction(ratio).size(photo, 32) == size


def test_a_fraction_fits_the_stride_of_the_network_too() -> None:
    assert Fraction(1 / 2, multiple=48).size((1000, 1000), 32) == (480, 480)
    assert Fraction(1.0, cap=1000).size((4000, 4000), 32) == (992, 992)


@pytest.mark.parametrize(
    ("scale", "photo", "size"),
    [
        (LongerSide(416), (2000, 3000), (288, 416)),
        (LongerSide(416), (3000, 2000), (416, 288)),
        (LongerSide(416), (10, 10), (416, 416)),
        (LongerSide(896, max_enlargement=2), (100, 150), (192, 288)),
        (LongerSide(896, max_enlargement=2), (1000, 1500), (608, 896)),
        (LongerSide(416), (1, 500), (32, 416)),
        (LongerSide(10), (50, 50), (32, 32)),
    ],
)
def test_a_longer_side_keeps_the_aspect_as_strides_allow(
    scale: LongerSide, photo: tuple[int, int], size: tuple[int, int]
) -> None:
    assert scale.size(photo, 32) == size


def test_hybrid_runs_the_glance_once_at_a_third_and_the_focus_once_at_half() -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    full_size_alpha(network, disc(600, 900), named_strategy("hybrid"))
    assert network.calls == [("glance", (192, 288)), ("focus", (288, 448))]


def test_views_of_two_sizes_run_each_path_once() -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    plain = views(glance=416, focus=896, mirrored=None)
    full_size_alpha(network, disc(1000, 1500), plain)
    assert network.calls == [("glance", (288, 416)), ("focus", (608, 896))]
    network.calls.clear()
    full_size_alpha(network, disc(1000, 1500), replace(plain, mirrored=LongerSide(512)))
    glances = [("glance", (288, 416)), ("glance", (352, 512))]
    assert sorted(network.calls) == [("focus", (608, 896)), *glances]


@pytest.mark.parametrize(
    ("strategy", "photo"),
    [(named_strategy("resize"), (600, 900)), (named_strategy("hybrid"), (40, 40))],
)
def test_equal_sizes_run_one_forward(strategy: Strategy, photo: tuple[int, int]) -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    full_size_alpha(network, disc(*photo), strategy)
    assert [head for head, _ in network.calls] == ["glance_and_focus"]


def test_samples_sees_the_photo_reduced_to_a_shorter_side_of_1080() -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    alpha = full_size_alpha(network, disc(1620, 2160), named_strategy("hybrid-samples"))
    assert network.calls == [("glance", (352, 480)), ("focus", (512, 704))]  # of 1080×1440
    assert alpha.shape == (1620, 2160)


def test_samples_does_not_enlarge_a_small_photo() -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    full_size_alpha(network, disc(600, 900), named_strategy("hybrid-samples"))
    assert network.calls == [("glance", (192, 288)), ("focus", (288, 448))]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=str)
@pytest.mark.parametrize(
    "photo", [(1, 1), (1, 500), (500, 1), (3, 2), (700, 31), (33, 33), (1, 40000), (1100, 1300)]
)
def test_every_photo_gets_an_alpha_of_its_own_size(
    strategy: Strategy, photo: tuple[int, int]
) -> None:
    rosta = "RIM" if strategy.name.startswith("rim") else "TT"
    network = FakeNetwork(trimap_glance, first_channel, rosta)
    image = np.random.default_rng(0).random((*photo, 3), dtype=np.float32)
    alpha = full_size_alpha(network, image, strategy)
    assert alpha.shape == photo
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1


@pytest.mark.parametrize("merging", ["labels", "soft"])
@pytest.mark.parametrize("photo", [(1200, 1800), (300, 200)])
def test_a_perfect_network_gives_the_true_alpha(merging: str, photo: tuple[int, int]) -> None:
    image = disc(*photo)
    network = FakeNetwork(trimap_glance, first_channel)
    alpha = full_size_alpha(network, image, views(merging=merging))
    assert np.abs(alpha - image[:, :, 0]).mean() < 2e-3


@pytest.mark.parametrize("merging", ["labels", "soft"])
@pytest.mark.parametrize("rosta", ["FT", "BT"])
def test_perfect_heads_of_ft_and_bt_give_the_true_alpha(rosta: str, merging: str) -> None:
    image = disc(640, 640, softness=40)

    def glance(seen: Array) -> Array:
        red = seen[:, :, 0]
        return certain((red > (0.99 if rosta == "FT" else 0.01)).astype(int), 2)

    def focus(seen: Array) -> Array:
        difference: Array = seen[:, :, 0] - glance(seen)[1]
        return np.maximum(difference if rosta == "FT" else -difference, 0)

    network = FakeNetwork(glance, focus, rosta)
    strategy = Strategy("whole", Fraction(1.0), Fraction(1.0), merging)
    alpha = full_size_alpha(network, image, strategy)
    assert np.abs(alpha - image[:, :, 0]).max() < 0.02


def test_between_labels_all_is_transition_and_inside_them_the_focus_does_not_count() -> None:
    """The published program counts every value between two labels as transition."""

    def glance(seen: Array) -> Array:
        labels = np.zeros(seen.shape[:2], int)
        labels[:, seen.shape[1] // 2 :] = 2  # background beside foreground, no transition
        return certain(labels)

    network = FakeNetwork(glance, lambda seen: np.full(seen.shape[:2], 0.25, np.float32))
    alpha = full_size_alpha(network, disc(384, 384), named_strategy("hybrid"))
    row = alpha[100]
    assert (row[:185] == 0).all()
    assert (row[199:] == 1).all()
    assert (row[191:193] == 0.25).all()


def test_soft_merging_weighs_the_focus_by_the_probability_of_transition() -> None:
    scores = np.array([0.1, 0.6, 0.3], np.float32)
    network = FakeNetwork(
        lambda seen: np.broadcast_to(scores[:, None, None], (3, *seen.shape[:2])).copy(),
        lambda seen: np.full(seen.shape[:2], 0.5, np.float32),
    )
    plain = replace(views(), sharpness=1.0)
    alpha = full_size_alpha(network, disc(200, 300), plain)
    np.testing.assert_allclose(alpha, 0.3 + 0.6 * 0.5, atol=1e-5)
    squared = full_size_alpha(network, disc(200, 300), replace(views(), sharpness=2.0))
    np.testing.assert_allclose(squared, (0.09 + 0.36 * 0.5) / 0.46, atol=1e-5)


def test_a_large_photo_is_enlarged_along_its_edges_and_a_small_one_is_not() -> None:
    network = FakeNetwork(trimap_glance, first_channel)
    guided, plain = views(96, 96), replace(views(96, 96), guided=False)
    large, small = disc(400, 600), disc(60, 80)
    assert (full_size_alpha(network, large, guided) != full_size_alpha(network, large, plain)).any()
    assert (full_size_alpha(network, small, guided) == full_size_alpha(network, small, plain)).all()


def test_a_mirrored_glance_has_no_preferred_side() -> None:
    def believes_in_the_right(seen: Array) -> Array:
        share = np.broadcast_to(np.linspace(0, 1, seen.shape[1]), seen.shape[:2])
        return np.stack([1 - share, 0 * share, share]).astype(np.float32)

    network = FakeNetwork(believes_in_the_right, lambda seen: np.zeros(seen.shape[:2], np.float32))
    soft = replace(views(96, 96, mirrored=96), sharpness=1.0)
    alpha = full_size_alpha(network, disc(80, 120), soft)
    np.testing.assert_allclose(alpha, 0.5, atol=1e-4)
    alone = full_size_alpha(network, disc(80, 120), replace(soft, mirrored=None))
    assert alone[:, 0].max() < 0.05
    assert alone[:, -1].min() > 0.95


def test_a_mirrored_glance_of_another_size_counts_half() -> None:
    def says_its_width(seen: Array) -> Array:
        foreground = np.full(seen.shape[:2], 0.2 if seen.shape[1] == 96 else 0.6)
        return np.stack([1 - foreground, 0 * foreground, foreground]).astype(np.float32)

    network = FakeNetwork(says_its_width, lambda seen: np.zeros(seen.shape[:2], np.float32))
    soft = replace(views(96, 96, mirrored=128), sharpness=1.0)
    np.testing.assert_allclose(full_size_alpha(network, disc(80, 120), soft), 0.4, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"sharpness": 0.5}, {"merging": "labels"}])
def test_what_does_not_fit_soft_merging_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"sharpness is 0\.5|needs soft merging"):
        replace(views(), **wrong)


def test_soft_merging_takes_sigmoid_scores_for_probabilities() -> None:
    scores = np.array([0.2, 0.8, 0.6], np.float32)  # as published networks give: sum 1.6
    network = FakeNetwork(
        lambda seen: np.broadcast_to(scores[:, None, None], (3, *seen.shape[:2])).copy(),
        lambda seen: np.full(seen.shape[:2], 0.5, np.float32),
    )
    alpha = full_size_alpha(network, disc(200, 300), replace(views(), sharpness=1.0))
    np.testing.assert_allclose(alpha, (0.6 + 0.8 * 0.5) / 1.6, atol=1e-5)


def test_integrated_alpha_is_clipped() -> None:
    network = FakeNetwork(trimap_glance, lambda seen: 3 * first_channel(seen) - 1, "RIM")
    alpha = full_size_alpha(network, disc(200, 300), named_strategy("rim"))
    assert (alpha.min(), alpha.max()) == (0, 1)
    assert [head for head, _ in network.calls] == ["alpha"]


def test_integration_refuses_two_sizes() -> None:
    network = FakeNetwork(trimap_glance, first_channel, "RIM")
    with pytest.raises(ValueError, match=r"'hybrid' asks for glance and focus.*choose rim"):
        full_size_alpha(network, disc(200, 300), named_strategy("hybrid"))


def test_resizing_one_axis_down_and_the_other_up_averages_where_it_shrinks() -> None:
    stripes = np.tile(np.array([[0.0, 1.0]], np.float32), (4, 200))
    result = resized(stripes, (16, 40))
    assert result.shape == (16, 40)
    np.testing.assert_allclose(result, 0.5, atol=1e-6)


def test_cubic_brings_a_matte_nearer_to_the_true_one_than_linear() -> None:
    """The reason for the choice, on an edge that is known exactly."""
    true = disc(1200, 1200, softness=20)[:, :, 0]
    small = resized(true, (256, 256))
    cubic, linear = (
        np.abs(np.clip(resized(small, true.shape, how), 0, 1) - true).mean()
        for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)
    )
    assert cubic < linear


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=str)
def test_a_strategy_survives_json(strategy: Strategy) -> None:
    assert Strategy.from_dict(json.loads(json.dumps(strategy.as_dict()))) == strategy


@pytest.mark.parametrize(
    "change",
    [{"merging": "hard"}, {"glance": {"kind": "area"}}, {"shorter_side": 0}, {"extra": 1}],
    ids=str,
)
def test_a_damaged_strategy_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"merging|not a strategy|shorter_side"):
        Strategy.from_dict({**views().as_dict(), **change})


def test_an_unknown_strategy_is_answered_with_the_known() -> None:
    with pytest.raises(ValueError, match="'best' is unknown; choose one of view, resize, hybrid"):
        named_strategy("best")


@pytest.mark.parametrize("ratio", [0, 1.5, float("nan")])
def test_a_ratio_outside_its_range_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="ratio must be"):
        Fraction(ratio)


def test_the_default_strategy_is_the_published_one() -> None:
    assert default_strategy("RIM").name == "rim"
    assert default_strategy("TT").name == "hybrid"


def test_networks_of_ours_see_views_whatever_the_photo_and_rim_one_size() -> None:
    seen, merged = (default_strategy(rosta, published=False) for rosta in ("TT", "RIM"))
    assert seen == named_strategy("view")
    # Glance and focus of one size, as a network that merges by itself wants; small photos enlarged.
    assert merged.glance == merged.focus
    assert merged.focus.size((100, 100), 32) == (416, 416)
