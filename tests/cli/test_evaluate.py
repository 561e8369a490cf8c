"""`animatte evaluate`, as users run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from animatte.cli import app
from animatte.evaluation.report import KEPT
from animatte.evaluation.tables import CARD_BEGIN, CARD_END

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """`set/` with image/ and alpha/, and `mine/` with predictions of all but the last."""
    rng = np.random.default_rng(0)
    for name in ("set/image", "set/alpha", "mine"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(3):
        image = cv2.resize(rng.integers(0, 255, (4, 5, 3)).astype(np.uint8), (60, 50))
        cv2.imwrite(str(tmp_path / f"set/image/{number}.png"), image)
        cv2.imwrite(str(tmp_path / f"set/alpha/{number}.png"), image[..., 1])
        if number < 2:
            cv2.imwrite(str(tmp_path / f"mine/{number}.png"), image[..., 0])
    return tmp_path / "set"


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--jobs", "1"])


def test_models_and_predictions_stand_in_one_table(
    pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    predictions, output = tmp_path / "mine", tmp_path / "report"
    shutil.copy(predictions / "1.png", predictions / "2.png")
    result = evaluate(
        pictures, "--model", tiny_model, "--predictions", predictions, "-o", output, "--no-page"
    )
    assert result.exit_code == 0, result.output
    summary = json.loads((output / "summary.json").read_text())
    assert [model["kind"] for model in summary["models"]] == ["model", "predictions"]
    assert len(summary["models"][0]["sha256"]) == 64
    assert set(summary["sets"][0]["pictures"]) == {"0", "1", "2"}
    assert summary["protocol"]["name"] == "gfm"
    assert summary["versions"]["animatte"]
    (mad,) = (
        each
        for each in summary["scores"]
        if each["metric"] == "mad" and each["contestant"] == "mine"
    )
    assert mad["low"] <= mad["mean"] <= mad["high"]
    assert f"{mad['mean'] * 1000:.2f} (" in result.stdout
    assert "mine" in (output / "table.md").read_text()
    assert not list(output.glob("*.part"))


def test_everything_that_is_wrong_is_listed_and_the_rest_is_scored(
    pictures: Path, tmp_path: Path
) -> None:
    (pictures / "image/alone.png").write_bytes((pictures / "image/0.png").read_bytes())
    cv2.imwrite(str(tmp_path / "mine/1.png"), np.zeros((4, 4), np.uint8))
    output = tmp_path / "report"
    result = evaluate(pictures, "--predictions", tmp_path / "mine", "-o", output, "--no-page")
    assert result.exit_code == 1
    for words in ("alone.png has no partner", "1.png is 4\u00d74", "2.png has no prediction"):
        assert words in result.stderr
    assert "3 things are wrong" in result.stderr
    assert len(json.loads((output / "summary.json").read_text())["faults"]) == 3
    assert len((output / "metrics.csv").read_text().splitlines()) == 2


def test_where_nothing_fits_nothing_is_written(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    output = tmp_path / "report"
    result = evaluate(pictures, "--predictions", tmp_path / "none", "-o", output, "--no-page")
    assert result.exit_code == 1
    assert result.stderr.count("no prediction") == 3
    assert "no picture could be scored" in result.stderr
    assert [path.name for path in output.iterdir()] == [KEPT]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no pictures are given"),
        (("missing",), "missing"),
        (("SET", "--protocol", "best"), "protocol is 'best'"),
        (("SET", "--area", "edge"), "area is 'edge'"),
        (("SET", "--robustness"), "give a --model"),
        (("SET", "--predictions", "nowhere"), "nowhere is no folder"),
        (("SET", "--model", "nobody"), "model 'nobody' is unknown"),
        (("SET", "-o", "SET/image/0.png"), "is a file"),
        (("SET", "--data", "am3k", "."), "am3k"),
        (("SET", "--card", "SET/image/0.png"), "0.png is no text"),
    ],
)
def test_bad_options_end_in_one_line(
    pictures: Path, arguments: tuple[str, ...], words: str
) -> None:
    named = [each.replace("SET", f"{pictures}") for each in arguments]
    result = evaluate(
        *named, *(() if "--model" in named else ("--predictions", pictures / "alpha"))
    )
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def test_a_card_gets_the_table(pictures: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"# Mine\n{CARD_BEGIN}\n{CARD_END}\n")
    result = evaluate(pictures, "--predictions", pictures / "alpha", "--card", card)
    assert result.exit_code == 0, result.output
    assert "| alpha | 3 | 1.000 (1.000 to 1.000) |" in card.read_text()


def test_robustness_adds_curves_to_summary_table_and_page(
    pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    options = ("--robustness", "--angle-step", 180, "--curve-pictures", 1, "--zoom", "always")
    result = evaluate(pictures, "--model", tiny_model, *options, "-o", tmp_path / "report")
    assert result.exit_code == 0, result.output
    points = json.loads((tmp_path / "report/summary.json").read_text())["robustness"]
    assert [point["amount"] for point in points if point["change"] == "rotation"] == [0, 180]
    assert {point["looks"] for point in points if point["change"] == "size"} == {
        "",
        "--zoom always",
    }
    assert len((tmp_path / "report/robustness.csv").read_text().splitlines()) == 1 + len(points)
    page = (tmp_path / "report/report.html").read_text()
    assert "Subject size" in page
    assert len(re.findall(r"<svg", page)) > 2


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_ctrl_c_ends_in_one_word_and_the_run_goes_on_later(
    pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for number in range(3, 200):
        for part in ("image", "alpha"):
            shutil.copy(pictures / part / "0.png", pictures / part / f"{number}.png")
            shade = np.full((50, 60, 3), number, np.uint8)
            cv2.imwrite(str(pictures / "image" / f"{number}.png"), shade)
    command = [sys.executable, "-m", "animatte", "evaluate", f"{pictures}", "--no-page"]
    command += ["--model", f"{tiny_model}", "-o", f"{tmp_path / 'report'}", "--jobs", "2"]
    kept = tmp_path / "report" / KEPT
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 120
        while not (kept.is_dir() and list(kept.glob("*.json"))) and time.monotonic() < until:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == "stopped\n"
    done = len(list(kept.glob("*.json")))
    assert 0 < done < 200
    assert not (tmp_path / "report/summary.json").exists()


def test_the_guide_names_every_option() -> None:
    shown = CliRunner().invoke(app, ["evaluate", "--help"], env={"COLUMNS": "200"}).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help"}
    guide = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    assert {option for option in options if f"`{option}" not in guide} == set()
