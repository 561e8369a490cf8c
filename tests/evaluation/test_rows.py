"""Scores of pictures, what is refused, and what an earlier run has kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import animatte
from animatte.data.adobe import CompositionPair
from animatte.evaluation.cases import Case, PictureSet, folder_pictures, given_pictures
from animatte.evaluation.contestants import (
    Contestant,
    ModelOptions,
    distinctly_named,
    folder_contestant,
    model_contestant,
)
from animatte.evaluation.rows import Results, evaluated, num_processes
from animatte.evaluation.scoring import Rules
from animatte.images import read_alpha
from animatte.looks import Looks
from animatte.metrics import alpha_scores, picture_scores, segmentation_scores

Levels = NDArray[np.uint8]
RULES = Rules("gfm")


def of_folder(folder: Path, predictions: Path, rules: Rules = RULES) -> Results:
    return evaluated([folder_pictures(folder)], [folder_contestant(predictions)], rules, jobs=1)


def grey(path: Path) -> Levels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def test_a_picture_s_scores_are_those_of_the_metrics(folder: Path, predictions: Path) -> None:
    rows, faults = of_folder(folder, predictions, Rules("gfm", band=3))
    assert faults == []
    assert [row.picture for row in rows][:2] == ["cat_1", "cat_2"]
    predicted, true = read_alpha(predictions / "cat_1.png"), read_alpha(folder / "alpha/cat_1.png")
    trimap = grey(folder / "trimap/cat_1.png")
    expected = alpha_scores(predicted, true, trimap, "gfm", band=3)
    assert "sad_transition" in expected
    assert rows[0].scores == {**segmentation_scores(predicted, true), **expected}


def test_a_model_is_scored_by_what_it_predicts(folder: Path, tiny_model: Path) -> None:
    model = model_contestant(f"{tiny_model}", ModelOptions())
    rows, faults = evaluated([folder_pictures(folder)], [model], RULES, jobs=1)
    predicted = animatte.load(tiny_model).alpha(folder / "image/dog_1.png")
    true = read_alpha(folder / "alpha/dog_1.png")
    (row,) = (row for row in rows if row.picture == "dog_1")
    assert faults == []
    assert row.scores["mad"] == pytest.approx(float(np.abs(predicted - true).mean()), abs=1e-6)


def test_a_model_that_finds_next_to_nothing_is_scored_too(
    folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faint(_: Contestant, image: NDArray[np.float32], *__: object) -> NDArray[np.float32]:
        return np.full(image.shape[:2], 0.001, np.float32)

    monkeypatch.setattr(Contestant, "alpha", faint)
    model = model_contestant(f"{tiny_model}", ModelOptions())
    rows, faults = evaluated([folder_pictures(folder)], [model], RULES, jobs=1)
    assert faults == []
    assert {row.scores["iou"] for row in rows} == {0.0}


def test_processes_give_what_one_gives(folder: Path, predictions: Path) -> None:
    sets, entered = [folder_pictures(folder)], [folder_contestant(predictions)]
    assert evaluated(sets, entered, RULES, jobs=2) == evaluated(sets, entered, RULES, jobs=1)


def test_a_trimap_alone_is_hard_truth_of_which_the_unknown_counts_for_nothing(
    folder: Path, predictions: Path
) -> None:
    found = given_pictures(folder / "image", None, folder / "trimap")
    rows, _ = evaluated([found], [folder_contestant(predictions)], Rules("rvm"), jobs=1)
    trimap = grey(folder / "trimap/cat_1.png")
    predicted = read_alpha(predictions / "cat_1.png")
    known = np.isin(trimap, (0, 255))
    expected = picture_scores(predicted, trimap.astype(np.float32) / 255, known)
    assert set(rows[0].scores) == {"iou", "boundary_f", "sad", "mse", "mad"}
    assert rows[0].scores["iou"] == expected["iou"]
    assert rows[0].scores["mad"] == pytest.approx(expected["mad"] * 1000)  # rvm's scale
    assert rows[0].scores["boundary_f"] == 1  # the outline runs in the unknown


def test_a_cut_out_s_colours_are_scored_where_the_subject_s_are_known(
    folder: Path, predictions: Path
) -> None:
    (folder / "foreground").mkdir()
    for path in (folder / "image").iterdir():
        image = cv2.imread(str(path))
        assert image is not None
        cv2.imwrite(str(folder / "foreground" / path.name), 255 - image)
    rows, faults = of_folder(folder, predictions)
    assert faults == []
    assert all(0 < row.scores["colour"] < 1 for row in rows)


def smaller(pixels: Levels) -> Levels:
    return pixels[:-1]


def zero_and_one(pixels: Levels) -> Levels:
    return (pixels > 128).astype(np.uint8)


def other_label(pixels: Levels) -> Levels:
    return np.where(pixels == 0, 77, pixels).astype(np.uint8)


def contrary(pixels: Levels) -> Levels:
    return np.where(pixels == 128, 128, 255 - pixels).astype(np.uint8)


@pytest.mark.parametrize(
    ("file", "repainted", "words"),
    [
        ("alpha/cat_2.png", smaller, "both must have one height and width"),
        ("alpha/cat_2.png", zero_and_one, "stored as 0 and 1"),
        ("trimap/cat_2.png", smaller, "both must have one height and width"),
        ("trimap/cat_2.png", other_label, "77"),
        ("trimap/cat_2.png", contrary, "says the contrary"),
        ("../blurred/cat_2.png", smaller, "both must have one height and width"),
        ("../blurred/cat_2.png", zero_and_one, "stored as 0 and 1"),
    ],
)
def test_a_file_that_does_not_fit_is_named_and_the_rest_is_scored(
    folder: Path,
    predictions: Path,
    file: str,
    repainted: Callable[[Levels], Levels],
    words: str,
) -> None:
    cv2.imwrite(str(folder / file), repainted(grey(folder / file)))
    rows, (fault,) = of_folder(folder, predictions)
    assert "cat_2" in fault
    assert words in fault
    assert [row.picture for row in rows] == ["cat_1", "cat_3", "dog_1", "dog_2", "dog_3"]


def test_an_alpha_out_of_range_is_named(folder: Path, predictions: Path) -> None:
    (predictions / "dog_1.png").unlink()
    cv2.imwrite(str(predictions / "dog_1.tiff"), np.full((48, 64), 1.5, np.float32))
    rows, (fault,) = of_folder(folder, predictions)
    assert "dog_1" in fault
    assert "1.5" in fault
    assert len(rows) == 5


def test_a_broken_file_and_a_missing_prediction_are_both_named(
    folder: Path, predictions: Path
) -> None:
    (folder / "image/cat_1.png").write_bytes(b"\x89PNG broken")
    (predictions / "dog_3.png").unlink()
    rows, faults = of_folder(folder, predictions)
    assert len(rows) == 4
    assert len(faults) == 2
    assert "cat_1" in faults[0]
    assert "dog_3.png has no prediction" in faults[1]


def test_a_fault_of_the_truth_is_told_once_for_all_contestants(
    folder: Path, predictions: Path, tmp_path: Path
) -> None:
    (folder / "alpha/cat_1.png").write_bytes(b"broken")
    (tmp_path / "same").symlink_to(predictions)
    entered = [Contestant(name, f"{tmp_path / name}") for name in ("blurred", "same")]
    rows, faults = evaluated([folder_pictures(folder)], entered, RULES, jobs=1)
    assert len(faults) == 1
    assert len(rows) == 10


def test_a_protocol_of_the_unknown_area_asks_for_trimaps(folder: Path, predictions: Path) -> None:
    found = given_pictures(folder / "image", folder / "alpha", None)
    with pytest.raises(ValueError, match="give --trimaps"):
        evaluated([found], [folder_contestant(predictions)], Rules("dim"), jobs=1)
    rows, faults = evaluated(
        [found], [folder_contestant(predictions)], Rules("dim", area="image"), jobs=1
    )
    predicted, true = read_alpha(predictions / "cat_1.png"), read_alpha(folder / "alpha/cat_1.png")
    assert faults == []
    expected = alpha_scores(predicted, true, None, "dim", area="image")
    assert rows[0].scores["grad"] == expected["grad"]


def test_predictions_named_as_cut_names_mattes_are_found(folder: Path, predictions: Path) -> None:
    own = predictions / "set"
    own.mkdir()
    for path in predictions.glob("*.png"):
        path.rename(own / f"{path.stem}.matte.png")
    rows, faults = of_folder(folder, predictions)
    assert (len(rows), faults) == (6, [])


def test_what_a_set_lacks_is_among_the_faults() -> None:
    found = PictureSet("none", "none", (), ("a.png has no partner",))
    assert evaluated([found], [Contestant("x", ".")], RULES, jobs=1).faults == list(found.faults)


class Counted:
    """Counts the alphas that are asked for, and stops after so many as Ctrl-C would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int = 1000) -> None:
        self.count = 0
        alpha = Contestant.alpha

        def counting(
            contestant: Contestant,
            image: NDArray[np.float32],
            prediction: Path | None,
            threads: int | None,
        ) -> NDArray[np.float32]:
            if self.count == most:
                raise KeyboardInterrupt
            self.count += 1
            return alpha(contestant, image, prediction, threads)

        monkeypatch.setattr(Contestant, "alpha", counting)


def kept_run(folder: Path, entered: Contestant, kept: Path, rules: Rules = RULES) -> Results:
    return evaluated([folder_pictures(folder)], [entered], rules, kept=kept, jobs=1)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    folder: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, kept = folder_contestant(predictions), tmp_path / "kept"
    whole = kept_run(folder, entered, tmp_path / "other")
    with monkeypatch.context() as patch:
        Counted(patch, most=4)
        with pytest.raises(KeyboardInterrupt):
            kept_run(folder, entered, kept)
    counted = Counted(monkeypatch)
    assert kept_run(folder, entered, kept) == whole
    assert counted.count == 2


def test_what_is_kept_is_of_no_use_once_a_file_or_a_rule_changes(
    folder: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, kept = folder_contestant(predictions), tmp_path / "kept"
    kept_run(folder, entered, kept)
    cv2.imwrite(str(predictions / "cat_1.png"), 255 - grey(predictions / "cat_1.png"))
    cv2.imwrite(str(folder / "alpha/dog_1.png"), grey(folder / "alpha/dog_1.png") // 2 * 2)
    counted = Counted(monkeypatch)
    kept_run(folder, entered, kept)
    assert counted.count == 2
    kept_run(folder, entered, kept, Rules("rvm"))
    kept_run(folder, entered, kept, Rules("gfm", code="another program"))
    assert counted.count == 2 + 6 + 6


def test_a_broken_kept_file_is_worked_out_anew(
    folder: Path, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, kept = folder_contestant(predictions), tmp_path / "kept"
    first = kept_run(folder, entered, kept)
    next(kept.iterdir()).write_text('{"scores": ')
    counted = Counted(monkeypatch)
    assert kept_run(folder, entered, kept) == first
    assert counted.count == 1


def test_a_model_s_options_are_part_of_what_is_kept(tiny_model: Path) -> None:
    ways = (ModelOptions(), ModelOptions(looks=Looks(zoom="auto")), ModelOptions(refine="guided"))
    assert len({model_contestant(f"{tiny_model}", way).settings for way in ways}) == 3


def test_a_gpu_is_left_to_one_process_unless_more_are_asked_for() -> None:
    on_gpu, on_cpu = (
        Contestant(name, name, "", ModelOptions(device=name)) for name in ("cuda", "cpu")
    )
    cores = os.cpu_count() or 1
    assert num_processes(None, [on_gpu, on_cpu], 1000) == 1
    assert num_processes(None, [on_cpu], 1000) == cores
    assert num_processes(3, [on_gpu], 1000) == 3
    assert num_processes(3, [on_cpu], 2) == 2
    with pytest.raises(ValueError, match="jobs is 0"):
        num_processes(0, [on_cpu], 2)


def test_contestants_of_one_name_are_told_apart_and_none_enters_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "out").mkdir(parents=True)
    entered = [folder_contestant(tmp_path / name / "out") for name in ("a", "b")]
    assert len({each.name for each in distinctly_named(entered)}) == 2
    with pytest.raises(ValueError, match="given twice"):
        distinctly_named([entered[0], entered[0]])


def test_composites_of_one_foreground_are_scored_each_by_itself(
    tmp_path: Path, tiny_model: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    cv2.circle(alpha, (32, 32), 20, 255, -1)
    for name, pixels in (
        ("image", noise),
        ("alpha", alpha),
        ("black", noise * 0),
        ("white", noise * 0 + 255),
    ):
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
    image, truth = tmp_path / "image.png", tmp_path / "alpha.png"
    pairs = [
        CompositionPair(image, truth, None, image, tmp_path / f"{ground}.png", number=number)
        for number, ground in enumerate(("black", "white"))
    ]
    sets = [PictureSet("two", "two", tuple(Case("two", pair, False, "") for pair in pairs), ())]
    model = model_contestant(f"{tiny_model}", ModelOptions())
    fresh = evaluated(sets, [model], RULES, jobs=1)
    kept = evaluated(sets, [model], RULES, kept=tmp_path / "kept", jobs=1)
    assert kept == fresh
    assert fresh[0][0].scores["mad"] != fresh[0][1].scores["mad"]
