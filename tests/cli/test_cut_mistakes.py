"""`animatte cut` where something is wrong: one line, and nothing half-done."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import made
from typer.testing import CliRunner

from animatte.cli import app


def test_one_bad_file_does_not_stop_the_rest(cut: Any, folder: Path) -> None:
    result = cut("dog.jpg", "broken.jpg", "missing.jpg", "cat.jpg", "-o", "out")
    assert result.exit_code == 1
    assert made(folder) == ["out/cat.cutout.png", "out/dog.cutout.png"]
    errors = [line for line in result.stderr.splitlines() if not line.startswith("warning")]
    assert len(errors) == 3
    assert errors[0].startswith("error: broken.jpg")
    assert errors[1].startswith("error: missing.jpg")
    assert errors[2] == "2 of 4 failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg"], "missing.jpg"),
        (["*.tif"], "*.tif"),
        (["."], "folder"),
        (["broken.jpg"], "broken.jpg"),
        (["dog.jpg", "--max-pixels", "100"], "--max-pixels"),
        (["dog.jpg", "-o", "dog.jpg", "--background", "white"], "is a file to be read"),
        (["dog.jpg", "-o", "cat.jpg", "--background", "cat.jpg"], "is a file to be read"),
        (["-", "-o", "cat.jpg", "--background", "cat.jpg"], "cat.jpg is a file to be read"),
        (["-", "-o", "CAT.jpg", "--background", "cat.jpg"], "CAT.jpg is a file to be read"),
        (["-", "-o", "."], "is a folder, and a photo from - has no name"),
        (["-", "-o", "new/"], "is a folder, and a photo from - has no name"),
        (["-", "-o", "new/rex.png"], "standard input is empty"),
        (["dog.jpg", "-o", "rex.gif"], ".gif"),
        (["dog.jpg", "-o", "rex.jpg"], "jpg cannot hold transparency"),
        (["dog.jpg", "-o", "rex.png", "--format", "webp"], "not a webp file"),
        (["dog.jpg", "--format", "gif"], "choose one of png, webp"),
        (["dog.jpg", "cat.jpg", "-o", "rex.png"], "name a folder"),
        (["dog.jpg", "--matte", "--background", "white"], "choose one"),
        (["dog.jpg", "--trimap", "--matte"], "--matte another picture; choose one"),
        (["dog.jpg", "--trimap", "--background", "white"], "--background another picture"),
        (["dog.jpg", "--trimap", "--format", "jpg"], "jpg cannot hold"),
        (["dog.jpg", "--refine", "magic"], "choose one of guided, closed-form"),
        (["dog.jpg", "--background", "nowhere.jpg"], "nowhere.jpg"),
        (["dog.jpg", "--background", "broken.jpg"], "broken.jpg"),
        (["dog.jpg", "--strategy", "nonsense"], "nonsense"),
        (["dog.jpg", "--straighten", "sideways"], "choose one of never, auto, always"),
        (["dog.jpg", "--straighten", "270"], "between -180 and 180"),
        (["dog.jpg", "--zoom", "often"], "choose one of never, auto, always"),
        (["dog.jpg", "--aspect", "16x9"], "16:9"),
        (["dog.jpg", "--aspect", "0:9"], "out of range"),
        (["dog.jpg", "--aspect", "1:15"], "at most 8 times"),
        (["dog.jpg", "--report", "dog.jpg"], "is a file to be read"),
        (["dog.jpg", "--report", "."], "is a folder"),
        (["dog.jpg", "--subject", "smallest"], "choose all or largest"),
        (["dog.jpg", "--point", "3"], "write X,Y"),
        (["dog.jpg", "--box", "3,4,3,9"], "is empty"),
        (["dog.jpg", "--point", "3,4", "--box", "1,2,3,4"], "give one of them"),
        (["dog.jpg", "--point", "300,4"], "lies outside the picture"),
        (["dog.jpg", "--margin", "3"], "--crop"),
        (["dog.jpg", "--crop", "--margin", "wide"], "pixels or per cent"),
        (["dog.jpg", "--memory", "lots"], "such as 800MB"),
        (["dog.jpg", "--resume"], "name one with -o"),
        (["dog.jpg", "-o", "REX.PNG", "--resume"], "name one with -o"),
        ([".", "-o", "out", "--report", "out/animatte.jsonl"], "is the record"),
        (["dog.jpg", "-o", "out", "--resume", "--report", "out/Animatte.jsonl"], "is the record"),
        ([".", "-o", "out.png"], "name a folder"),
        ([".", "-o", "out", "--include", "*.gif"], "no photo was found"),
        (["-", "dog.jpg"], "one photo"),
        (["dog.jpg", "-o", "-", "--report", "r.jsonl"], "leave them out"),
        (["-", "--engine", "ray"], "leave the engine out"),
        (["dog.jpg", "-o", "-", "--engine", "ray"], "leave the engine out"),
        (["dog.jpg", "--engine", "steam"], "choose local or ray"),
    ],
)
def test_mistakes_end_in_one_line_and_leave_nothing(
    cut: Any, folder: Path, arguments: list[str], message: str
) -> None:
    result = cut(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert made(folder) == []


def test_a_solver_that_is_not_installed_is_one_line(
    cut: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    result = cut("dog.jpg", "--refine", "closed-form")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line == "error: pymatting is not installed; run: pip install 'animatte[solver]'"
    assert made(folder) == []


@pytest.mark.parametrize("model", ["no-such-model", "missing.onnx", "broken.jpg", "notes.onnx"])
def test_a_model_that_cannot_be_had_is_one_line(cut: Any, folder: Path, model: str) -> None:
    Path("notes.onnx").write_text("not a model")
    result = cut("dog.jpg", model=model)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert model in line


def test_a_device_that_is_not_there_is_one_line(folder: Path, tiny_model: Path) -> None:
    arguments = ["cut", "dog.jpg", "--model", str(tiny_model), "--device", "abacus"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert "abacus" in line


def test_no_photo_at_all_is_a_mistake_of_usage() -> None:
    result = CliRunner().invoke(app, ["cut"])
    assert result.exit_code == 2
    assert "PHOTO" in result.stderr


@pytest.mark.usefixtures("interrupted")
def test_control_c_ends_with_one_line_and_130(cut: Any, folder: Path) -> None:
    result = cut("dog.jpg", "cat.jpg")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "stopped"


def test_in_a_folder_a_broken_photo_is_one_of_the_failures(cut: Any, folder: Path) -> None:
    result = cut(".", "-o", "out", "--quiet")
    assert result.exit_code == 1
    assert "1 of 3 failed" in result.stderr
    assert (folder / "broken.jpg").stat().st_size == 300


def test_a_reader_that_goes_away_is_no_error(folder: Path, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "animatte", "cut", "dog.jpg", "--model", str(tiny_model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert not [line for line in errors.splitlines() if not line.startswith("warning")]
