"""Confidence: its signs against what is known of two glances, its fit, and where it is told."""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from benchmarks import confidence as fitting
from numpy.typing import NDArray
from PIL import Image

from animatte.catalogue import shipped_models
from animatte.confidence import CARD_ENTRY, Calibration, Signs, signs_of_error
from animatte.data.folders import Truth
from animatte.onnx_file import file_bytes, model_card, with_card
from animatte.predictor import load
from animatte.scales import LongerSide
from animatte.strategies import named_strategy, views

Array = NDArray[np.float32]
GLANCES = LongerSide(96), LongerSide(128)
CALIBRATION = Calibration(-1.5, -0.5, 0.3, 0.6, 0.85, *GLANCES)


def glance(left: int, right: int, doubt: float = 0.0, edge: int = 0) -> Array:
    """Foreground between two columns of 40 × 80, unsure of it by `doubt`, with a transition."""
    scores = np.zeros((3, 40, 80), np.float32)
    scores[0] = 1
    scores[:, :, left:right] = np.array([doubt, 0, 1 - doubt], np.float32)[:, None, None]
    if edge:
        scores[:, :, right : right + edge] = np.array([0, 1, 0], np.float32)[:, None, None]
    return scores


def test_sure_glances_that_agree_have_the_least_signs() -> None:
    signs = signs_of_error(glance(20, 60), glance(20, 60))
    assert signs.confusion == pytest.approx(math.log(1e-4))
    assert signs.disagreement == pytest.approx(math.log(1e-3), abs=1e-3)
    assert tuple(signs_of_error(glance(20, 60))) == pytest.approx(signs, abs=1e-3)


def test_confusion_is_the_doubt_over_the_subject_s_area_and_no_transition() -> None:
    doubted = signs_of_error(glance(20, 60, doubt=0.2))
    assert math.exp(doubted.confusion) == pytest.approx(0.2 / 0.8, abs=1e-3)
    soft = signs_of_error(glance(20, 60, edge=10))
    assert soft.confusion == pytest.approx(math.log(1e-4))


def test_disagreement_is_what_two_subjects_do_not_share() -> None:
    signs = signs_of_error(glance(20, 60), glance(30, 70))
    assert math.exp(signs.disagreement) == pytest.approx(1 - 30 / 50, abs=2e-3)
    # Where one says background and the other foreground, the mean is in doubt: 20 columns of half.
    assert math.exp(signs.confusion) == pytest.approx(20 * 0.5 / (30 + 20 * 0.5), abs=1e-3)


def test_two_classes_are_read_alike_and_the_size_of_a_glance_counts_little() -> None:
    one, other = glance(20, 60, 0.2), glance(24, 60, 0.1)
    two_classes = signs_of_error(one[[0, 2]], other[[0, 2]])
    assert two_classes == signs_of_error(one, other)
    large = [each.repeat(12, axis=1).repeat(12, axis=2) for each in (one, other)]
    assert tuple(signs_of_error(*large)) == pytest.approx(two_classes, abs=0.02)
    assert tuple(signs_of_error(large[0], other)) == pytest.approx(two_classes, abs=0.1)


def test_nothing_at_all_has_signs() -> None:
    nothing = np.zeros((3, 1, 1), np.float32)
    assert np.isfinite(signs_of_error(nothing, nothing)).all()


def test_a_calibration_survives_its_plain_values_and_falls_with_either_sign() -> None:
    assert Calibration.from_dict(CALIBRATION.as_dict()) == CALIBRATION
    alone = replace(CALIBRATION, mirrored=None)
    assert Calibration.from_dict(alone.as_dict()) == alone
    odds = math.exp(-1.5 * -2 - 0.5 * -3 + 0.3)
    assert CALIBRATION.confidence(Signs(-2, -3)) == pytest.approx(odds / (1 + odds))
    assert CALIBRATION.confidence(Signs(-2, -3)) > CALIBRATION.confidence(Signs(-1, -3))
    assert CALIBRATION.confidence(Signs(-2, -3)) > CALIBRATION.confidence(Signs(-2, -2))
    assert 0 < CALIBRATION.confidence(Signs(99.0, 99.0)) < 1e-20
    with pytest.raises(ValueError, match="confidence cannot be read"):
        Calibration.from_dict({"bias": 1.0})


def calibrated(model: Path, folder: Path, calibration: Calibration = CALIBRATION) -> Path:
    """A copy of a model with a calibration in its card."""
    path = folder / "calibrated.onnx"
    card = {**model_card(model), CARD_ENTRY: calibration.as_dict()}
    path.write_bytes(with_card(model.read_bytes(), card))
    return path


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)


def test_a_matte_has_the_confidence_of_its_signs(tiny_model: Path, tmp_path: Path) -> None:
    strategy = views(glance=96, focus=128, mirrored=128)
    predictor = load(calibrated(tiny_model, tmp_path), "cpu", strategy)
    found = predictor.matte(noise())
    (signs,) = found.signs
    assert not found.is_empty
    assert found.confidence == CALIBRATION.confidence(signs)
    assert found.needs_review == (found.confidence < 0.6)
    plain = load(tiny_model, "cpu", strategy).matte(noise())
    assert (plain.confidence, plain.needs_review, plain.signs) == (None, False, found.signs)
    np.testing.assert_array_equal(plain.alpha, found.alpha)


def test_nothing_found_has_confidence_0(tiny_model: Path, tmp_path: Path) -> None:
    strategy = views(glance=96, focus=128, mirrored=128)
    predictor = load(calibrated(tiny_model, tmp_path), "cpu", strategy)
    transparent = np.dstack([noise(), np.zeros((60, 90), np.uint8)])
    found = predictor.matte(transparent)
    assert (found.is_empty, found.confidence, found.needs_review) == (True, 0.0, True)


@pytest.mark.parametrize("strategy", ["hybrid", "view", "rim"])
def test_glances_of_other_sizes_than_the_fit_s_have_no_confidence(
    tiny_model: Path, tmp_path: Path, strategy: str
) -> None:
    predictor = load(calibrated(tiny_model, tmp_path), "cpu", strategy)
    assert predictor.calibration is None
    assert predictor.matte(noise()).confidence is None


def test_the_focus_may_be_another_than_the_fit_s(tiny_model: Path, tmp_path: Path) -> None:
    native = replace(named_strategy("native"), glance=GLANCES[0], mirrored=GLANCES[1])
    predictor = load(calibrated(tiny_model, tmp_path), "cpu", native)
    assert predictor.calibration == CALIBRATION


def test_a_network_that_merges_by_itself_discloses_no_signs(
    tiny_rim_model: Path, tmp_path: Path
) -> None:
    fitted_for = replace(CALIBRATION, glance=named_strategy("rim").glance, mirrored=None)
    found = load(calibrated(tiny_rim_model, tmp_path, fitted_for), "cpu").matte(noise())
    assert (found.signs, found.confidence, found.needs_review) == ((), None, False)


def test_another_card_leaves_the_network_byte_for_byte(tiny_model: Path) -> None:
    """By the onnx package, which reads the format in its own way."""
    before = onnx.load(tiny_model)
    after = onnx.load_from_string(with_card(file_bytes(tiny_model), {"name": "é"}))
    assert after.graph.SerializeToString() == before.graph.SerializeToString()
    assert after.opset_import == before.opset_import
    assert {entry.key: entry.value for entry in after.metadata_props} == {
        "animatte": '{"name": "\\u00e9"}'
    }


@pytest.mark.parametrize("name", [card.name for card in shipped_models()])
def test_a_shipped_model_is_calibrated_for_its_own_strategy(name: str) -> None:
    predictor = load(name, "cpu")
    assert predictor.calibration is not None
    assert 0 < predictor.calibration.review < 1
    assert predictor.calibration.confusion < 0  # doubt is no good sign


@pytest.mark.parametrize("strategy", ["view", "native"])
def test_the_default_model_is_calibrated_for_both_strategies_of_views(strategy: str) -> None:
    assert load(None, "cpu", strategy).calibration is not None


def simulated(count: int = 40_000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Signs, and whether a matte is right, which they foretell as 1.5 - 1.2 a - 0.4 b."""
    rng = np.random.default_rng(0)
    signs = rng.normal([-2, -3], [1, 0.5], (count, 2))
    odds = 1.5 - 1.2 * (signs[:, 0] + 2) - 0.4 * (signs[:, 1] + 3)
    return signs, (rng.random(count) < 1 / (1 + np.exp(-odds))).astype(np.float64)


def test_the_fit_finds_what_was_simulated_and_says_what_is_seen() -> None:
    signs, is_right = simulated()
    fit = fitting.fitted(signs, is_right)
    np.testing.assert_allclose(fit.weights, [-1.2, -0.4], atol=0.1)
    assert fit.bias == pytest.approx(1.5 - 2.4 - 1.2, abs=0.2)
    # Of a logistic regression with a bias, the mean said is the share seen.
    assert fit.probabilities(signs).mean() == pytest.approx(is_right.mean(), abs=1e-6)
    unseen = fitting.unseen_probabilities(signs, is_right, rounds=1)
    for low in (0.2, 0.5, 0.8):
        inside = (unseen >= low) & (unseen < low + 0.2)
        assert is_right[inside].mean() == pytest.approx(unseen[inside].mean(), abs=0.02)


def test_the_area_under_the_curve_counts_pairs() -> None:
    scores, is_right = np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])
    assert fitting.area_under_curve(scores, is_right) == pytest.approx(3.5 / 4)


def test_the_threshold_is_the_lowest_that_catches_enough_of_the_wrong() -> None:
    signs, is_right = simulated()
    probabilities = fitting.fitted(signs, is_right).probabilities(signs)
    threshold = fitting.review_threshold(probabilities, is_right)
    wrong = probabilities[is_right == 0]
    assert (wrong < threshold).mean() >= fitting.LEAST_CAUGHT > (wrong < threshold - 0.01).mean()
    # Here the ten wrong ones lie a tenth apart: six of them below 0.56.
    few = np.append(np.arange(10) / 10 + 0.05, 0.99)
    assert fitting.review_threshold(few, np.append(np.zeros(10), 1.0)) == 0.56
    assert fitting.review_threshold(np.array([1.0, 0.2]), np.array([0.0, 1.0])) == 1


def test_views_beside_a_subject_hold_none_of_it() -> None:
    alpha = np.zeros((200, 400), np.float32)
    alpha[50:150, 20:150] = 1
    image = np.repeat(alpha[:, :, None], 3, axis=2)
    known = np.ones(alpha.shape, np.bool_)
    view = fitting.beside_the_subject(Truth(image, alpha, known))
    assert view is not None
    assert view.shape == (200, 250, 3)
    assert view.max() == 0
    alpha[:, 300] = 1
    assert fitting.beside_the_subject(Truth(image, alpha, known)) is None


def test_the_script_fits_and_stores(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Truth is the model's own matte of half of the pictures, and its opposite of the others."""
    model = tmp_path / "fitted.onnx"
    shutil.copy(tiny_model, model)
    for part in ("image", "alpha"):
        (tmp_path / "set" / part).mkdir(parents=True)
    predictor = load(model, "cpu")
    for number in range(6):
        rng = np.random.default_rng(number)
        image = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8)).resize((56, 40))
        image.save(tmp_path / "set" / "image" / f"{number}.png")
        alpha = predictor.alpha(np.asarray(image)) > 0.5
        Image.fromarray(np.where(alpha ^ bool(number % 2), 255, 0).astype(np.uint8)).save(
            tmp_path / "set" / "alpha" / f"{number}.png"
        )
    monkeypatch.setattr(fitting, "ROUNDS", 2)
    monkeypatch.setattr(fitting, "FOLDS", 2)
    without = str(tmp_path / "set" / "image")
    arguments = [str(tmp_path / "set"), "--model", str(model), "--without", without, "--write"]
    monkeypatch.setattr(sys, "argv", ["confidence.py", *arguments])
    fitting.main()
    said = capsys.readouterr().out
    assert "6 pictures with a subject found, 0 without; 0.500 of the mattes" in said
    assert "pictures of image: 6; in 0 nothing is found" in said
    again = load(model, "cpu")
    assert again.calibration is not None
    assert f"needs review below {again.calibration.review:.2f}" in said
    assert again.matte(noise()).confidence is not None
    np.testing.assert_array_equal(again.alpha(noise()), predictor.alpha(noise()))
