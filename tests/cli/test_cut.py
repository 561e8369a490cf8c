"""`animatte cut`, as a new user tries it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animatte.batch import cut_photos
from animatte.cli import app
from animatte.confidence import Calibration
from animatte.onnx_file import model_card, with_card
from animatte.strategies import named_strategy

SIZE = (40, 56)


def picture(path: Path, seed: int = 0) -> Path:
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is: dog.jpg, cat.jpg, a broken one, and no other file."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "dog.jpg", 1)
    picture(tmp_path / "cat.jpg", 2)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "dog.jpg").read_bytes()[:300])
    return tmp_path


@pytest.fixture
def cut(tiny_model: Path, folder: Path) -> Any:
    def run(*arguments: str, model: str = str(tiny_model)) -> Any:
        return CliRunner().invoke(app, ["cut", *arguments, "--model", model, "--device", "cpu"])

    return run


def made(folder: Path) -> list[str]:
    given = {"dog.jpg", "cat.jpg", "broken.jpg"}
    paths = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(set(paths) - given)


def test_one_photo_gives_a_cutout_beside_it(cut: Any, folder: Path) -> None:
    result = cut("dog.jpg")
    assert result.exit_code == 0, result.output
    assert made(folder) == ["dog.cutout.png"]
    with Image.open("dog.cutout.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", SIZE[::-1])


def test_a_line_a_photo_tells_file_and_seconds(cut: Any) -> None:
    lines = cut("dog.jpg", "cat.jpg").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["dog.cutout.png", "cat.cutout.png"]
    assert all(line.endswith(" s") and float(line.split()[1]) >= 0 for line in lines)


def test_quiet_prints_nothing(cut: Any) -> None:
    assert cut("dog.jpg", "--quiet", "-o", "out/").stdout == ""


def test_verbose_tells_model_and_device(cut: Any) -> None:
    result = cut("dog.jpg", "--verbose")
    assert result.stderr.startswith("model ")
    assert "on cpu" in result.stderr


def test_nothing_but_lines_where_stderr_is_no_terminal(cut: Any) -> None:
    result = cut("dog.jpg", "cat.jpg")
    assert "\x1b" not in result.output
    assert "warning" in result.stderr or result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["dog.jpg", "-o", "out"], ["out/dog.cutout.png"]),
        (["dog.jpg", "--output", "out/"], ["out/dog.cutout.png"]),
        (["dog.jpg", "-o", "new/rex.png"], ["new/rex.png"]),
        (["dog.jpg", "-o", "rex.webp"], ["rex.webp"]),
        (["dog.jpg", "cat.jpg", "-o", "a/b"], ["a/b/cat.cutout.png", "a/b/dog.cutout.png"]),
        (["[dc]*g.jpg", "-o", "out"], ["out/dog.cutout.png"]),
        (["dog.jpg", "--matte"], ["dog.matte.png"]),
        (["dog.jpg", "--trimap"], ["dog.trimap.png"]),
        (["dog.jpg", "--refine", "guided"], ["dog.cutout.png"]),
        (["dog.jpg", "--refine", "closed-form", "--matte"], ["dog.matte.png"]),
        (["dog.jpg", "--background", "white"], ["dog.composite.png"]),
        (["dog.jpg", "--background", "cat.jpg", "--format", "jpg"], ["dog.composite.jpg"]),
        (["dog.jpg", "--background", "blur"], ["dog.composite.png"]),
        (["dog.jpg", "--format", "tiff16"], ["dog.cutout.tif"]),
        (["dog.jpg", "--format", "WEBP"], ["dog.cutout.webp"]),
        (["dog.jpg", "dog.jpg"], ["dog.cutout.png"]),
    ],
)
def test_where_results_go(
    cut: Any, folder: Path, arguments: list[str], expected: list[str]
) -> None:
    result = cut(*arguments)
    assert result.exit_code == 0, result.output
    assert made(folder) == expected


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_a_report_tells_what_was_done_to_each_photo(cut: Any, folder: Path) -> None:
    Path("report.jsonl").write_text("of an earlier run")
    options = ["--straighten", "-90", "--zoom", "auto", "--aspect", "16:9", "-o", "out"]
    result = cut("dog.jpg", "broken.jpg", "cat.jpg", *options, "--report", "report.jsonl")
    assert result.exit_code == 1
    dog, broken, cat = lines("report.jsonl")
    assert (dog["photo"], cat["photo"]) == ("dog.jpg", "cat.jpg")
    assert Path(dog["output"]) == Path("out/dog.cutout.png")
    assert (dog["height"], dog["width"]) == SIZE
    assert (dog["turned"], dog["aspect"], dog["model"]) == (-90, "16:9", "tiny")
    assert all(len(box) == 4 for box in dog["zoomed"])
    assert dog["seconds"] > 0
    assert dog["warnings"] in ([], ["no animal found, the result is empty or nearly so"])
    assert "damaged" in broken["error"] or "broken.jpg" in broken["error"]
    assert "output" not in broken
    with Image.open("out/dog.cutout.png") as image:
        assert image.size == SIZE[::-1]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the first photo."""

    def after_the_first(*arguments: Any, **options: Any) -> Iterator[Any]:
        yield from list(cut_photos(*arguments, **options))[:1]
        raise KeyboardInterrupt

    monkeypatch.setattr("animatte.batch.cut_photos", after_the_first)


@pytest.mark.usefixtures("interrupted")
def test_a_report_holds_whole_lines_when_the_run_is_stopped(cut: Any, folder: Path) -> None:
    assert cut("dog.jpg", "cat.jpg", "--report", "new/report.jsonl").exit_code == 130
    assert Path("new/report.jsonl").read_bytes().endswith(b"}\n")
    assert [line["photo"] for line in lines("new/report.jsonl")] == ["dog.jpg"]


def test_no_result_takes_the_place_of_the_report(cut: Any, folder: Path) -> None:
    assert cut("dog.jpg", "--report", "dog.cutout.png").exit_code == 0
    assert made(folder) == ["dog-2.cutout.png", "dog.cutout.png"]
    assert len(lines("dog.cutout.png")) == 1


def test_running_again_replaces_the_earlier_result(cut: Any, folder: Path) -> None:
    Path("dog.cutout.png").write_text("old")
    assert cut("dog.jpg").exit_code == 0
    with Image.open("dog.cutout.png") as image:
        assert image.mode == "RGBA"


def test_all_patterns_again_over_earlier_results_leaves_every_photo_as_it_is(
    cut: Any, folder: Path
) -> None:
    picture(folder / "rex.png", 3)
    assert cut("*.png").exit_code == 0
    before = Path("rex.cutout.png").read_bytes()
    assert cut("*.png").exit_code == 0
    assert Path("rex.cutout.png").read_bytes() == before


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
        ([".", "-o", "out.png"], "name a folder"),
        ([".", "-o", "out", "--include", "*.gif"], "no photo was found"),
        (["-", "dog.jpg"], "one photo"),
        (["dog.jpg", "-o", "-", "--report", "r.jsonl"], "leave them out"),
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


def test_a_folder_is_mirrored_told_and_resumed(cut: Any, folder: Path) -> None:
    (folder / "deep").mkdir()
    picture(folder / "deep" / "dog.png", 4)
    picture(folder / "dog.png", 5)
    (folder / "notes.txt").touch()
    arguments = [".", "-o", "out", "--exclude", "broken*", "--jobs", "2"]
    result = cut(*arguments)
    assert result.exit_code == 0, result.output
    results = ["cat.cutout.png", "deep/dog.cutout.png", "dog-2.cutout.png", "dog.cutout.png"]
    expected = ["animatte.jsonl", *results]
    inside = (path.relative_to("out") for path in Path("out").rglob("*") if path.is_file())
    assert sorted(path.as_posix() for path in inside) == expected
    assert "1 .txt" in result.stderr
    assert "photos/s" in result.stderr
    again = cut(*arguments, "--resume", "--report", "r.jsonl")
    assert again.exit_code == 0
    assert all(line.endswith("as it was") for line in again.stdout.splitlines())
    assert [line["skipped"] for line in lines("r.jsonl")] == [True] * 4
    assert not cut(*arguments, "--resume", "--matte").stdout.count("as it was")


def test_in_a_folder_a_broken_photo_is_one_of_the_failures(cut: Any, folder: Path) -> None:
    result = cut(".", "-o", "out", "--quiet")
    assert result.exit_code == 1
    assert "1 of 3 failed" in result.stderr
    assert (folder / "broken.jpg").stat().st_size == 300


def test_a_pipe_gets_the_picture_and_nothing_else(tiny_model: Path, folder: Path) -> None:
    options = ["--model", str(tiny_model), "--device", "cpu"]
    photo = Path("dog.jpg").read_bytes()
    for arguments in (["-", "-o", "-"], ["-"], ["dog.jpg", "-o", "-", "--verbose"]):
        result = CliRunner().invoke(app, ["cut", *arguments, *options], input=photo)
        assert result.exit_code == 0, result.stderr
        with Image.open(BytesIO(result.stdout_bytes)) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGBA", SIZE[::-1])
    result = CliRunner().invoke(app, ["cut", "-", "-o", "rex.webp", *options], input=photo)
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    with Image.open("rex.webp") as image:
        assert image.format == "WEBP"
    result = CliRunner().invoke(app, ["cut", "-", *options], input=photo[:300])
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr.startswith("error: ")


def test_a_crop_holds_the_subject_and_is_told(cut: Any, folder: Path) -> None:
    result = cut("dog.jpg", "--crop", "--margin", "0", "--report", "r.jsonl", "-o", "rex.png")
    assert result.exit_code == 0, result.output
    (line,) = lines("r.jsonl")
    top, left, height, width = line["crop"] or (0, 0, *SIZE)
    assert line["confidence"] is None  # the model is not calibrated
    with Image.open("rex.png") as image:
        assert image.size == (width, height)
    assert top + height <= SIZE[0] and left + width <= SIZE[1]


def test_a_low_confidence_is_a_warning_and_counted(folder: Path, tiny_model: Path) -> None:
    """A threshold above 1 sends every photo to review."""
    glance = named_strategy("hybrid").glance
    low = Calibration(-1.0, -0.1, 0.0, 1.01, 0.85, glance)
    card = {**model_card(tiny_model), "confidence": low.as_dict()}
    Path("low.onnx").write_bytes(with_card(tiny_model.read_bytes(), card))
    options = ["--model", "low.onnx", "--report", "r.jsonl", "-o", "out"]
    result = CliRunner().invoke(app, ["cut", ".", *options])
    reviewed = [line for line in lines("r.jsonl") if line.get("needs_review")]
    assert reviewed
    for line in reviewed:
        assert 0 < line["confidence"] < 1
        assert line["warnings"] == [f"needs review (confidence {line['confidence']:.2f})"]
        assert f"warning: {line['photo']}: {line['warnings'][0]}" in result.stderr
    assert re.search(rf"to review\W+{len(reviewed)}\b", result.stderr)


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("verb", [[], ["cut"], ["models"], ["models", "import"], ["doctor"]])
def test_help_is_everywhere(verb: list[str], flag: str) -> None:
    result = CliRunner().invoke(app, [*verb, flag])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_and_version_load_nothing_heavy() -> None:
    program = (
        "import sys, animatte.cli as cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'torch', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_the_command_is_there_as_a_module_too() -> None:
    run = [sys.executable, "-m", "animatte", "--version"]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("animatte ")


def test_a_reader_that_goes_away_is_no_error(folder: Path, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "animatte", "cut", "dog.jpg", "--model", str(tiny_model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert not [line for line in errors.splitlines() if not line.startswith("warning")]
