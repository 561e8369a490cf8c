"""Pictures turned and subjects made smaller, and the curves that come of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.data.folders import Truth
from animatte.evaluation.cases import folder_pictures
from animatte.evaluation.changes import CANVAS, pasted, rotated, shrunk
from animatte.evaluation.contestants import Contestant, ModelOptions, folder_contestant
from animatte.evaluation.evaluating import CurveOptions, check_curves, robustness_curves
from animatte.evaluation.plots import curve_plot
from animatte.evaluation.robustness import curves, planned
from animatte.evaluation.tables import robustness_csv
from animatte.looks import Looks
from animatte.metrics import mean_absolute_difference


@pytest.fixture
def truth(folder: Path) -> Truth:
    return folder_pictures(folder).cases[0].pair.truth()


def test_four_quarter_turns_are_none(truth: Truth) -> None:
    turned = truth
    for _ in range(4):
        turned = rotated(turned, 90)
    assert all(np.array_equal(one, other) for one, other in zip(turned, truth, strict=True))


def test_turning_goes_counter_clockwise_whatever_the_angle(truth: Truth) -> None:
    square = Truth(truth.image[:, :48], truth.alpha[:, :48], truth.known[:, :48])
    nearly, exactly = rotated(square, 89.999), rotated(square, 90)
    assert np.abs(nearly.alpha - exactly.alpha).max() < 0.02


def test_a_photo_shrunk_keeps_its_subject_s_share_of_it(truth: Truth) -> None:
    small = shrunk(truth, 2, np.random.default_rng(0))
    assert small.alpha.shape == truth.alpha.shape
    assert small.alpha.sum() == pytest.approx(truth.alpha.sum() / 4, rel=0.02)
    assert small.known.all()
    inside = small.alpha > 0.99
    assert (
        np.abs(
            small.image[inside].mean(axis=0) - truth.image[truth.alpha > 0.99].mean(axis=0)
        ).max()
        < 0.1
    )


def test_what_a_trimap_leaves_open_stays_open_in_a_photo_shrunk(truth: Truth) -> None:
    known = np.ones_like(truth.known)
    known[:, :32] = False
    small = shrunk(truth._replace(known=known), 2, np.random.default_rng(0))
    assert (~small.known).sum() == pytest.approx((~known).sum() / 4, rel=0.1)


def test_a_subject_pasted_has_the_size_asked_for(truth: Truth) -> None:
    background = np.zeros((40, 50, 3), np.float32)
    scene = pasted(truth, background, 4, np.random.default_rng(0))
    rows, columns = (np.flatnonzero(scene.alpha.max(axis=axis) > 0.05) for axis in (1, 0))
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longer == pytest.approx(CANVAS / 4, rel=0.03)
    assert scene.image[scene.alpha == 0].max() == 0


def test_without_a_subject_there_is_nothing_to_paste(truth: Truth) -> None:
    empty = truth._replace(alpha=np.zeros_like(truth.alpha))
    with pytest.raises(ValueError, match="is empty"):
        pasted(empty, np.zeros((9, 9, 3), np.float32), 4, np.random.default_rng(0))


def entered(tiny_model: Path, looks: Looks) -> Contestant:
    return Contestant("tiny", f"{tiny_model}", "digest", ModelOptions(looks=looks))


def test_every_model_is_planned_with_and_without_its_looks(folder: Path, tiny_model: Path) -> None:
    cases = folder_pictures(folder).cases[:2]
    model = entered(tiny_model, Looks(straighten=90.0, zoom="auto"))
    scenes = list(planned([model], cases, (0, 180), (1, 2, 4)))
    assert len(scenes) == 2 * (2 * 2 + 2 * 3)
    seen = {
        (scene.change, scene.contestant.options.looks)
        for scene in scenes
        if scene.contestant.options
    }
    assert seen == {
        ("rotation", Looks()),
        ("rotation", Looks(straighten=90.0)),
        ("size", Looks()),
        ("size", Looks(zoom="auto")),
    }


def test_points_are_means_over_the_pictures_turned(folder: Path, tiny_model: Path) -> None:
    cases = folder_pictures(folder).cases[:2]
    model = entered(tiny_model, Looks())
    points, faults = curves(list(planned([model], cases, (0, 90), ())), jobs=1)
    assert faults == []
    assert [(point.change, point.amount, point.count) for point in points] == [
        ("rotation", 0, 2),
        ("rotation", 90, 2),
    ]
    from animatte.predictor import load  # noqa: PLC0415

    expected = []
    for case in cases:
        photo = cv2.imread(str(case.pair.image))
        alpha = cv2.imread(str(case.pair.alpha), cv2.IMREAD_GRAYSCALE)
        assert photo is not None
        assert alpha is not None
        image = cv2.rotate(photo, cv2.ROTATE_90_COUNTERCLOCKWISE)[..., ::-1]
        true = cv2.rotate(alpha, cv2.ROTATE_90_COUNTERCLOCKWISE).astype(np.float32) / 255
        predicted = load(tiny_model).alpha(np.ascontiguousarray(image))
        expected.append(mean_absolute_difference(predicted, np.asarray(true, np.float32)))
    assert points[1].mad.mean == pytest.approx(np.mean(expected), abs=1e-5)


def test_curves_that_were_stopped_go_on_and_bad_pictures_are_told(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "alpha/dog_1.png").write_bytes(b"broken")
    sets, model = [folder_pictures(folder)], [entered(tiny_model, Looks())]
    options = CurveOptions(angle_step=180, pictures=3)
    first, faults = robustness_curves(sets, model, options, kept=tmp_path / "kept", jobs=1)
    assert len(faults) == 1
    assert "dog_1" in faults[0]
    assert {point.count for point in first} == {2}

    def refuse(*_: object) -> NDArray[np.float32]:
        raise AssertionError

    monkeypatch.setattr("animatte.evaluation.robustness.measured", refuse)
    again, _ = robustness_curves(sets, model, options, kept=tmp_path / "kept", jobs=1)
    assert again == first
    table = list(csv.DictReader(io.StringIO(robustness_csv(first))))
    assert [line["amount"] for line in table if line["change"] == "size"] == ["1", "2", "4", "8"]
    assert json.loads(json.dumps([point.as_dict() for point in first]))
    drawn = curve_plot([point for point in first if point.change == "rotation"])
    assert drawn.startswith("<svg")
    assert "currentColor" in drawn


def test_predictions_alone_have_no_curves(predictions: Path) -> None:
    with pytest.raises(ValueError, match="give a --model"):
        check_curves([folder_contestant(predictions)], CurveOptions())
