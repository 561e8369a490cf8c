"""`animatte train` as a user meets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from typer.testing import CliRunner, Result

from animatte.cli import app
from animatte.training import loop
from animatte.training.stopping import TrainingStopped


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """A recipe that is valid, of data that are not there."""
    recipe = {
        "name": "tiny",
        "network": {"name": "animatte-s"},
        "data": {"root": str(tmp_path / "nowhere"), "sources": [{"folder": "cats"}]},
        "stages": [{"phases": [{"steps": 2, "size": 64, "batch": 2}], "loss": {"glance": 1}}],
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def assert_refused(result: Result, complaint: str) -> None:
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_missing_data_are_named_before_any_work(
    recipe_file: Path, tmp_path: Path, plan: tuple[str, ...]
) -> None:
    assert_refused(run(recipe_file, "-o", tmp_path / "run", *plan), "nowhere/cats")
    assert not (tmp_path / "run").exists() or not list((tmp_path / "run").iterdir())


def test_a_stop_that_was_asked_for_ends_in_one_line(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> Path:
        raise TrainingStopped("stopped after step 3 of 6; the state is saved")

    monkeypatch.setattr(loop, "train", stopped)
    result = run(recipe_file, "-o", tmp_path / "run")
    assert result.exit_code == 130
    assert result.stderr == "stopped after step 3 of 6; the state is saved\n"


def test_a_training_prints_its_records_and_the_model_s_path(
    recipe_file: Path, tmp_path: Path
) -> None:
    for name, mode in (("image", "RGB"), ("alpha", "L")):
        (tmp_path / "nowhere/cats" / name).mkdir(parents=True)
        for index in range(2):
            picture = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8).numpy()
            Image.fromarray(picture).convert(mode).save(
                tmp_path / f"nowhere/cats/{name}/{index}.png"
            )
    result = run(recipe_file, "data.workers=0", "log_every=1", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    *records, model = result.stdout.splitlines()
    assert [line.split("  ")[0] for line in records] == ["step 1", "step 2"]
    assert "samples/s" in records[0]
    assert model == str(tmp_path / "run/tiny.safetensors")
    assert Path(model).is_file()
    again = run(recipe_file, "data.workers=0", "-o", tmp_path / "run")
    assert "goes on after step 2" in again.stderr
