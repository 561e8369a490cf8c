"""`animatte data compose`: the same seed, the same bytes; and what is written belongs together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from animatte.cli import app


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(3):
        alpha = np.zeros((90, 120), np.uint8)
        cv2.circle(alpha, (60, 45), 25 + number, 255, -1)
        ground = cv2.resize(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8), (120, 90))
        image = np.where(alpha[..., None] > 0, 200, ground)
        for folder, array in (("image", image), ("alpha", alpha), ("ground", ground)):
            (tmp_path / f"data/masks/{folder}").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / f"data/masks/{folder}/{number}.png"), np.asarray(array))
    values = {
        "name": "tiny",
        "network": {"name": "animatte-s"},
        "data": {
            "root": str(tmp_path / "data"),
            "backgrounds": str(tmp_path / "data/masks/ground"),
            "sources": [{"folder": "masks", "fur": 0.5}],
            "composition": {"track": "rssn", "resolution": 0},
        },
        "stages": [{"phases": [{"steps": 1, "size": 64, "batch": 1}], "loss": {"glance": 1.0}}],
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def compose(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["data", "compose", *map(str, arguments)])


def read(path: Path) -> Any:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture.astype(float)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_layers_and_manifest_are_written_and_composite_within_a_level(
    recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = compose(recipe, "-o", out, "--count", 8, "--seed", 3)
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [record["name"] for record in records] == [f"{number:06d}" for number in range(8)]
    for record in records:
        image, alpha, front, back = (
            read(out / part / f"{record['name']}.png")
            for part in ("image", "alpha", "foreground", "background")
        )
        assert list(alpha.shape) == record["size"] == [90, 120]
        share = alpha[..., None] / 255
        assert np.abs(share * front + (1 - share) * back - image).max() <= 1.001
        assert record["fur"] == bool(((alpha > 0) & (alpha < 255)).any())
        assert record["background"] in {"0", "1", "2"}
        assert record["crop"] == [[1, 0, 0], [0, 1, 0]]
    for switch in ("fur", "blur", "noise"):
        assert {bool(record[switch]) for record in records} == {False, True}


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(
    recipe: Path, tmp_path: Path
) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        result = compose(recipe, "-o", tmp_path / folder, "--count", 3, "--seed", seed)
        assert result.exit_code == 0, result.output
    first, again, other = (
        {
            str(path.relative_to(tmp_path / folder)): path.read_bytes()
            for path in files_in(tmp_path / folder)
        }
        for folder in "abc"
    )
    assert len(first) == 13
    assert first == again
    assert first != other


def test_two_processes_write_what_one_writes(recipe: Path, tmp_path: Path) -> None:
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        result = compose(recipe, "-o", out, "--count", 10, "--size", 32, "--jobs", jobs)
        assert result.exit_code == 0, result.output
    first, second = (
        {path.relative_to(tmp_path / jobs): path.read_bytes() for path in files_in(tmp_path / jobs)}
        for jobs in ("1", "2")
    )
    assert len(first) == 41
    assert first == second


def test_views_are_square_and_the_crop_is_said(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = compose(
        recipe, "data.view={crops: [48], aspect: 1, tilt: 0, turned: 0}", "-o", out, "--count", 2,
        "--size", 24,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for line in (out / "manifest.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert read(out / "image" / f"{record['name']}.png").shape == (24, 24, 3)
        assert abs(record["crop"][0][0]) == record["crop"][1][1] == 2


def test_natural_pictures_have_no_layers(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    changes = ("data.composition={track: ori}", "data.sources.0.fur=0")
    result = compose(recipe, *changes, "-o", out, "--count", 2)
    assert result.exit_code == 0, result.output
    record = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
    original = read(tmp_path / f"data/masks/image/{record['foreground']}.png")
    assert np.array_equal(read(out / "image/000000.png"), original)
    assert not any((out / "foreground").iterdir())


def test_a_folder_that_holds_composites_is_left_alone(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert compose(recipe, "-o", out, "--count", 1).exit_code == 0
    before = (out / "manifest.jsonl").read_bytes()
    again = compose(recipe, "-o", out, "--count", 1)
    assert again.exit_code == 1
    assert "holds composites already" in again.output
    assert (out / "manifest.jsonl").read_bytes() == before
