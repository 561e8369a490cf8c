"""Scores of a model on folders."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import animatte
from animatte.cli import app
from animatte.evaluation.folders import evaluated
from animatte.images.arrays import unit_pixels
from animatte.metrics import mean_absolute_difference


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("image", "alpha"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for index in range(3):
        image = cv2.resize(rng.integers(0, 255, (4, 5, 3)).astype(np.uint8), (60, 50))
        cv2.imwrite(str(tmp_path / f"set/image/{index}.png"), image)
        cv2.imwrite(str(tmp_path / f"set/alpha/{index}.png"), image[..., 1])
    return tmp_path / "set"


def test_scores_are_those_of_the_predictor_on_each_picture(folder: Path, tiny_model: Path) -> None:
    predictor = animatte.load(tiny_model)
    (scores,) = evaluated(predictor, [folder])
    image = cv2.imread(str(folder / "image/1.png"))
    assert image is not None
    true = unit_pixels(image[..., 1])
    expected = mean_absolute_difference(predictor.alpha(folder / "image/1.png"), true)
    assert scores.pictures["1"]["mad"] == pytest.approx(expected, abs=1e-6)
    assert scores.mean("mad") == pytest.approx(np.mean(scores.column("mad")))
    assert scores.median("mad") == pytest.approx(np.median(scores.column("mad")))


def test_the_verb_prints_a_table_and_writes_every_score(
    folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    report = tmp_path / "scores.json"
    arguments = ["evaluate", str(folder), "--model", str(tiny_model), "-o", str(report)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "IoU" in result.output
    (written,) = json.loads(report.read_text())
    assert set(written["pictures"]) == {"0", "1", "2"}
    assert f"{written['mean']['iou']:.4f}" in result.output


def test_a_folder_without_alphas_ends_in_one_line(tmp_path: Path, tiny_model: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--model", str(tiny_model)])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "is no folder" in result.stderr
