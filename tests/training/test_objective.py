"""What networks are trained for: zero for a perfect prediction, and what is true of each RoSTa."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from animatte.losses import weighted_total
from animatte.models.gfm import GFMOutput, RIMOutput
from animatte.models.registry import gfm_config, network_config
from animatte.models.rosta import Rosta, collaborative_matting, focus_target, glance_label
from animatte.training.objective import (
    GFM_TERMS,
    Batch,
    RostaTruth,
    asked_planes,
    gfm_loss_terms,
    rim_loss_terms,
    term_names,
)
from animatte.training.stage_sections import PhaseSection, StageSection
from animatte.trimap import dilated_foreground, eroded_foreground, trimap_from_alpha

SIZE = 128


def batch(narrow: int = 9, wide: int | None = 25) -> Batch:
    """A soft disc on another ground, the transition of two widths."""
    disc = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(disc, (60, 66), 38, 255, -1)
    alpha = cv2.GaussianBlur(disc, (0, 0), 2).astype(np.float32) / 255
    labels = [
        torch.from_numpy(trimap_from_alpha(alpha, kernel).astype(np.int64) // 127)[None]
        for kernel in (narrow, wide or narrow)
    ]
    foreground, background = torch.rand(2, 1, 3, SIZE, SIZE, generator=torch.manual_seed(0))
    plane = torch.from_numpy(alpha)[None, None]
    return Batch(
        plane * foreground + (1 - plane) * background,
        plane,
        labels[0],
        (labels[0] == 1)[:, None].float(),
        foreground,
        background,
        labels[1] if wide else torch.zeros(1, 0, dtype=torch.int64),
    )


def perfect(true: Batch, rosta: Rosta) -> GFMOutput:
    classes = true.label if rosta is Rosta.TT or not true.wide_label.numel() else true.wide_label
    label = glance_label(classes, rosta)
    one_hot = torch.nn.functional.one_hot(label, rosta.num_classes).permute(0, 3, 1, 2).float()
    focus = focus_target(true.alpha, label, rosta)
    logits = 60 * one_hot - 30
    glance = logits.sigmoid()
    return GFMOutput(glance, focus, collaborative_matting(glance, focus, rosta), logits)


def values(terms: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(term) for name, term in terms.items()}


@pytest.mark.parametrize("rosta", list(Rosta))
@pytest.mark.parametrize("wide", [25, None])
def test_a_perfect_prediction_costs_nothing(rosta: Rosta, wide: int | None) -> None:
    true = batch(wide=wide)
    terms = values(gfm_loss_terms(perfect(true, rosta), true, rosta, GFM_TERMS))
    published = terms.pop("glance_published")
    assert max(terms.values()) < 2e-6
    # Sigmoids taken for logits: the loss of a perfect glance stays above zero.
    classes = rosta.num_classes
    assert published == pytest.approx(-np.log(np.e / (np.e + classes - 1)), abs=1e-5)


@pytest.mark.parametrize("rosta", list(Rosta))
def test_every_term_sees_a_prediction_of_nothing(rosta: Rosta) -> None:
    true = batch()
    nothing = torch.zeros(1, 1, SIZE, SIZE)
    logits = torch.zeros(1, rosta.num_classes, SIZE, SIZE)
    logits[:, 0] = 9
    focus = 1 - focus_target(true.alpha, RostaTruth(perfect(true, rosta), true, rosta).label, rosta)
    output = GFMOutput(logits.sigmoid(), focus, nothing, logits)
    assert min(values(gfm_loss_terms(output, true, rosta, GFM_TERMS)).values()) > 1e-3


def test_foreground_and_background_labels_are_eroded_and_dilated_by_the_wide_kernel() -> None:
    true = batch(narrow=25, wide=50)
    alpha = true.alpha[0, 0].numpy()
    for rosta, expected in (
        (Rosta.FT, eroded_foreground(alpha, 50)),
        (Rosta.BT, dilated_foreground(alpha, 50)),
    ):
        known = RostaTruth(perfect(true, rosta), true, rosta)
        assert np.array_equal(known.label[0].numpy().astype(bool), expected)
        between = dilated_foreground(alpha, 50) & ~eroded_foreground(alpha, 50)
        assert np.array_equal(known.band[0, 0].numpy().astype(bool), between)
    narrow = RostaTruth(perfect(true, Rosta.TT), true, Rosta.TT)
    between = dilated_foreground(alpha, 25) & ~eroded_foreground(alpha, 25)
    assert np.array_equal(narrow.band[0, 0].numpy().astype(bool), between)
    assert np.array_equal(narrow.label[0].numpy() == 1, between)


def test_the_composition_term_compares_with_the_image() -> None:
    true = batch()
    predicted = torch.rand(1, 1, SIZE, SIZE)
    output = perfect(true, Rosta.TT)._replace(alpha=predicted)
    terms = gfm_loss_terms(output, true, Rosta.TT, ["alpha_composition"])
    composite = predicted * true.foreground + (1 - predicted) * true.background
    expected = (composite - true.image).abs().mean()
    assert float(terms["alpha_composition"]) == pytest.approx(float(expected), abs=1e-5)


def test_rim_adds_the_sets_of_all_three_to_its_own() -> None:
    true = batch()
    heads = [perfect(true, rosta) for rosta in Rosta]
    worse = heads[1]._replace(focus=heads[1].focus + 0.1)
    names = term_names(gfm_config("r34", "RIM"))
    outputs = [RIMOutput(heads[0], each, heads[2], true.alpha) for each in (heads[1], worse)]
    good, bad = (values(rim_loss_terms(output, true, names)) for output in outputs)
    assert set(good) == set(names)
    assert max(value for name, value in good.items() if "published" not in name) < 2e-6
    changed = {name for name in names if bad[name] != good[name]}
    assert changed
    assert all(name.startswith("ft_") for name in changed)
    ones = dict.fromkeys(("tt_glance", "ft_focus_l1", "alpha_l1"), 1.0)
    terms = rim_loss_terms(outputs[1], true, ones)
    assert set(terms) == set(ones)
    assert float(weighted_total(terms, ones)) == pytest.approx(0.1, abs=1e-3)


def test_the_integrated_alpha_is_judged_unclipped() -> None:
    true = batch()
    heads = [perfect(true, rosta) for rosta in Rosta]
    output = RIMOutput(heads[0], heads[1], heads[2], true.alpha + 0.5)
    terms = rim_loss_terms(output, true, ["alpha_l1"])
    assert float(terms["alpha_l1"]) == pytest.approx(0.5, abs=1e-3)


def stage(loss: dict[str, float]) -> StageSection:
    return StageSection(phases=(PhaseSection(steps=1, size=64, batch=1),), loss=loss)


@pytest.mark.parametrize(
    ("rosta", "term", "planes"),
    [
        ("TT", "glance", set()),
        ("TT", "merged_l1", set()),
        ("TT", "alpha_composition", {"foreground", "background"}),
        ("FT", "glance", {"wide_label"}),
        ("RIM", "bt_merged_composition", {"foreground", "background", "wide_label"}),
    ],
)
def test_planes_are_asked_for_by_the_losses_that_need_them(
    rosta: str, term: str, planes: set[str]
) -> None:
    assert (
        asked_planes(gfm_config("r34", rosta), [stage({"glance": 1}), stage({term: 1})]) == planes
    )


def test_late_fusion_asks_for_nothing() -> None:
    config = network_config("lfm-s")
    assert asked_planes(config, [stage(dict.fromkeys(term_names(config), 1.0))]) == set()
