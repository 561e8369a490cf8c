"""`animatte data prepare mattes`, with a model."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from animatte.cli import app
from animatte.data.drawings import written_drawings
from animatte.images import read_alpha, read_photo
from animatte.metrics.differences import intersection_over_union
from animatte.predictor import load

NAMES = ("0000", "0001", "0002", "0003")


def mattes(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["data", "prepare", "mattes", *map(str, arguments)])


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four pictures in `drawn`, where the user is; the first two have labels."""
    monkeypatch.chdir(tmp_path)
    written_drawings(Path("drawn"), len(NAMES), seed=3)
    for name in NAMES[2:]:
        Path(f"drawn/alpha/{name}.png").unlink()
    return Path("drawn")


def index(folder: str) -> list[dict[str, str]]:
    with Path(folder, "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: str) -> dict[str, bytes]:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("count", [1, 2])
def test_mattes_are_the_mean_of_all_models_and_both_views(
    drawn: Path, tiny_model: Path, tiny_rim_model: Path, count: int
) -> None:
    names = [str(tiny_model), str(tiny_rim_model)][:count]
    models = [word for name in names for word in ("--model", name)]
    result = mattes(drawn, "out", *models, "--agreement", "0", "--jobs", "1")
    assert result.stdout == "2 labels, 2 mattes, 0 dropped, 0 where views disagree\n"
    rows = {row["name"]: row for row in index("out")}
    assert [row["source"] for row in rows.values()] == ["label"] * 2 + ["model"] * 2
    predictors = [load(name) for name in names]
    agreements = []
    for name in NAMES[2:]:
        image = read_photo(drawn / f"image/{name}.png").image
        turned = np.ascontiguousarray(np.fliplr(image))
        views = [predictor.alpha(image) for predictor in predictors]
        views += [np.fliplr(predictor.alpha(turned)) for predictor in predictors]
        mean = np.mean(views, axis=0)
        kept = read_alpha(f"out/alpha/{name}.png")
        np.testing.assert_allclose(kept, mean, atol=0.6 / 255)
        agreements.append(min(intersection_over_union(view, mean) for view in views))
        assert float(rows[name]["agreement"]) == pytest.approx(agreements[-1], abs=6e-4)
    assert 0 < max(agreements) < 0.99  # else this would show little


def test_without_a_model_named_the_shipped_one_is_asked(drawn: Path) -> None:
    # Drawn creatures are no animals to it, so that its views need not agree.
    result = mattes(drawn, "out", "--jobs", "1", "--agreement", "0")
    assert result.stdout == "2 labels, 2 mattes, 0 dropped, 0 where views disagree\n"
    named = mattes(drawn, "named", "--model", "animatte-s", "--jobs", "1", "--agreement", "0")
    assert named.exit_code == 0
    assert contents("out") == contents("named")


def test_the_number_of_processes_changes_nothing(drawn: Path, tiny_model: Path) -> None:
    for jobs in ("1", "2"):
        result = mattes(
            drawn, f"out{jobs}", "--model", tiny_model, "--agreement", "0", "--jobs", jobs
        )
        assert result.exit_code == 0, result.output
    assert contents("out1") == contents("out2")
    assert len(contents("out1")) == 2 * len(NAMES) + 2


def test_verdicts_are_followed(drawn: Path, tiny_model: Path) -> None:
    table = Path("verdicts.csv")
    table.write_text("set,name,verdict\ndrawn,0000,drop\ndrawn,0001,model\ndrawn,0003,model\n")
    arguments = (drawn, "out", "--model", tiny_model, "--agreement", "1", "--jobs", "1")
    result = mattes(*arguments, "--verdicts", table)
    assert result.stdout == "0 labels, 2 mattes, 1 dropped, 1 where views disagree\n"
    assert [(row["name"], row["source"]) for row in index("out")] == [
        ("0001", "model"),
        ("0003", "model"),
    ]
    table.write_text("set,name,verdict\nother,0000,drop\n")
    result = mattes(*arguments, "--verdicts", table)
    assert result.stdout == "2 labels, 0 mattes, 0 dropped, 2 where views disagree\n"
    assert result.stderr == "verdicts.csv has no line of the set 'drawn'\n"


def test_outlines_are_drawn(drawn: Path, tiny_model: Path) -> None:
    lines = "set,name,kind,points\ndrawn,0001,add,0 0 300 0 0 300\n"
    Path("outlines.csv").write_text(lines)
    mattes(drawn, "plain", "--model", tiny_model)
    result = mattes(drawn, "out", "--model", tiny_model, "--outlines", "outlines.csv")
    assert result.exit_code == 0
    before, after = contents("plain"), contents("out")
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {"alpha/0001.png", "mattes.jsonl"}
    assert read_alpha(Path("out/alpha/0001.png"))[0, 0] == 1
    Path("outlines.csv").write_text(lines.replace("drawn,", "other,"))
    result = mattes(drawn, "out", "--model", tiny_model, "--outlines", "outlines.csv")
    assert result.stderr == "outlines.csv has no line of the set 'drawn'\n"
    assert contents("out") | {"mattes.jsonl": b""} == before | {"mattes.jsonl": b""}


def test_a_bad_file_is_told_and_the_rest_is_made(drawn: Path, tiny_model: Path) -> None:
    (drawn / "image/0002.png").write_bytes(b"no picture")
    shutil.move(drawn / "image", drawn / "original")
    shutil.move(drawn / "alpha", drawn / "mask")
    names = ("--images", "original", "--alphas", "mask")
    arguments = (drawn, "out", *names, "--model", tiny_model, "--agreement", "0", "--jobs", "1")
    result = mattes(*arguments)
    assert result.exit_code == 1
    assert result.stdout == "2 labels, 1 matte, 0 dropped, 0 where views disagree, 1 failed\n"
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: drawn/original/0002.png is not an image")
    assert [row["name"] for row in index("out")] == ["0000", "0001", "0003"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "nowhere/image is no folder"),
        (["drawn", "drawn"], "drawn is read from; choose another folder"),
        (["drawn", "out", "--alphas", "mask"], "drawn/mask is no folder"),
        (["drawn", "out", "--model", "best"], "model 'best' is unknown; choose one of animatte-s"),
        (["drawn", "out", "--model", "best.onnx"], "best.onnx: No such file"),
        (["drawn", "out", "--model", "bad.onnx"], "bad.onnx"),
        (["drawn", "out", "--verdicts", "none.csv"], "none.csv: No such file"),
        (["drawn", "out", "--verdicts", "bad.csv"], "'keep' in line 2 is unknown; choose one of"),
        (["drawn", "out", "--verdicts", "bare.csv"], "1 of 1 names are to keep a label that is"),
    ],
)
def test_mistakes_are_one_line(drawn: Path, arguments: list[str], message: str) -> None:
    Path("bad.csv").write_text("set,name,verdict\ndrawn,0000,keep\n")
    Path("bare.csv").write_text("set,name,verdict\ndrawn,0003,label\n")
    Path("bad.onnx").write_bytes(b"no model")
    result = mattes(*arguments, "--jobs", "1")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not Path("out").exists()
