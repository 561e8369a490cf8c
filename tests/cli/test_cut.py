"""`animatte cut`, as a new user tries it."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.cli.conftest import SIZE, lines, made, picture
from typer.testing import CliRunner

from animatte.cli import app
from animatte.confidence import Calibration
from animatte.onnx_file import model_card, with_card
from animatte.predictor import load
from animatte.strategies import named_strategy


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


def test_a_report_goes_to_standard_output_by_its_name_and_is_alone_there(
    cut: Any, folder: Path
) -> None:
    result = cut("dog.jpg", "broken.jpg", "-o", "out", "--report", "-")
    assert result.exit_code == 1
    dog, broken = map(json.loads, result.stdout.splitlines())
    assert (dog["photo"], broken["photo"]) == ("dog.jpg", "broken.jpg")
    assert Path(dog["output"]).is_file()
    assert broken["error"]
    assert not Path("-").exists()


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
    view = named_strategy("view")
    low = Calibration(-1.0, -0.1, 0.0, 1.01, 0.85, view.glance, view.mirrored)
    card = {**model_card(tiny_model), "confidence": low.as_dict()}
    Path("low.onnx").write_bytes(with_card(tiny_model.read_bytes(), card))
    options = ["--model", "low.onnx", "--report", "r.jsonl", "-o", "out"]
    result = CliRunner().invoke(app, ["cut", ".", *options])
    reviewed = [line for line in lines("r.jsonl") if line.get("needs_review")]
    assert reviewed
    predictor = load("low.onnx", "cpu")
    for line in reviewed:
        assert 0 < line["confidence"] < 1
        confidence = predictor.matte(line["photo"]).confidence
        assert confidence is not None
        assert line["confidence"] == round(confidence, 3)
        assert line["warnings"] == [f"needs review (confidence {confidence:.2f})"]
        assert f"warning: {line['photo']}: {line['warnings'][0]}" in result.stderr
    assert re.search(rf"to review\W+{len(reviewed)}\b", result.stderr)
