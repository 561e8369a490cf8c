"""`animatte video`, as a new user tries it."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.video.conftest import Film, noise, stamps_of, write_film
from typer.testing import CliRunner

from animatte.cli import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is: clip.mp4, and things that are no films."""
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "clip.mp4", Film(stamps=tuple(range(0, 240, 40)), sound="aac"))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "words.mp4").write_text("no film at all, only words " * 50)
    (tmp_path / "half.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes()[:2000])
    (tmp_path / "nothing").mkdir()
    return tmp_path


@pytest.fixture
def video(tiny_model: Path, folder: Path) -> Any:
    def run(*arguments: str) -> Any:
        common = ["--model", str(tiny_model), "--device", "cpu"]
        return CliRunner().invoke(app, ["video", *arguments, *common])

    return run


def made(folder: Path) -> list[str]:
    given = {"clip.mp4", "empty.mp4", "words.mp4", "half.mp4"}
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(set(paths) - given)


@pytest.mark.parametrize(
    ("arguments", "result", "codec"),
    [
        (["-o", "dog.mov"], "dog.mov", "prores"),
        (["-o", "dog.webm"], "dog.webm", "vp9"),
        (["-o", "dog.mkv", "--format", "vp9"], "dog.mkv", "vp9"),
        (["-o", "dog.mp4", "--background", "white"], "dog.mp4", "h264"),
        (["-o", "dog.mov", "--background", "blur", "--format", "h264"], "dog.mov", "h264"),
        (["-o", "dog.mp4", "--matte", "--stabilise", "none"], "dog.mp4", "h264"),
        (["-o", "dog.mp4", "--side-by-side", "--stabilise", "delay"], "dog.mp4", "h264"),
    ],
)
def test_a_film_is_written_by_its_suffix(
    video: Any, folder: Path, arguments: list[str], result: str, codec: str
) -> None:
    run = video("clip.mp4", *arguments)
    assert run.exit_code == 0, run.output
    assert made(folder) == [result]
    assert run.stdout.startswith(f"{result}  6 frames, ")
    assert stamps_of(folder / result) == stamps_of(folder / "clip.mp4")
    with av.open(result) as film:
        assert film.streams.video[0].codec_context.name == codec
        assert len(film.streams.audio) == 1


def test_a_cutout_s_pictures_go_into_a_folder_and_come_back_from_it(
    video: Any, folder: Path
) -> None:
    assert video("clip.mp4", "-o", "out/").exit_code == 0
    assert made(folder) == [f"out/{number:05d}.png" for number in range(1, 7)]
    run = video("out", "-o", "back.mov", "--fps", "12.5", "--start", "0.16")
    assert run.exit_code == 0, run.output
    assert stamps_of(folder / "back.mov") == [0.0, 0.08, 0.16, 0.24]


def test_pictures_go_where_the_user_is(video: Any, folder: Path) -> None:
    assert video("clip.mp4", "-o", "dog-%d.png", "--matte").exit_code == 0
    assert made(folder) == [f"dog-{number}.png" for number in range(1, 7)]


def test_a_part_is_named_in_minutes_and_seconds(video: Any, folder: Path) -> None:
    assert video("clip.mp4", "-o", "a.mov", "--start", "0:00.08", "--end", "0.2").exit_code == 0
    assert stamps_of(folder / "a.mov") == [0.0, 0.04, 0.08]


def test_a_preview_shows_every_nth_frame(video: Any, folder: Path) -> None:
    run = video("clip.mp4", "-o", "sheet.png", "--preview", "2", "--background", "white")
    assert run.exit_code == 0, run.output
    assert run.stdout == "sheet.png  3 frames\n"
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (3 * 246 + 6, 180 + 16 + 6)


def test_what_a_preview_or_a_composite_stands_on_is_not_overwritten(
    video: Any, folder: Path
) -> None:
    (folder / "out").mkdir()
    Image.new("RGB", (8, 8), "red").save("out/00002.png")
    before = Path("out/00002.png").read_bytes()
    common = ["clip.mp4", "--background", "out/00002.png", "-o"]
    for arguments in ([*common, "out/00002.png", "--preview", "3"], [*common, "out/"]):
        run = video(*arguments)
        assert run.exit_code == 1
        assert "out/00002.png is " in run.stderr
        assert "file to be read; write to another" in run.stderr
    assert made(folder) == ["out/00002.png"]
    assert Path("out/00002.png").read_bytes() == before


def test_a_damaged_film_is_told_of_in_one_line_by_a_preview_as_by_a_run(
    video: Any, folder: Path
) -> None:
    write_film(folder / "cut.mkv", Film(stamps=tuple(range(0, 2400, 40)), codec="mpeg4"))
    content = (folder / "cut.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(content[: len(content) * 2 // 3])
    whole = video("cut.mkv", "-o", "a.mov")
    sheet = video("cut.mkv", "-o", "a.png", "--preview", "5")
    assert "the rest is lost; the result holds all that could be read" in whole.stderr
    assert (sheet.exit_code, sheet.stderr) == (whole.exit_code, whole.stderr) == (1, whole.stderr)
    assert (folder / "a.png").exists()


def test_quiet_prints_nothing(video: Any) -> None:
    run = video("clip.mp4", "-o", "a.mov", "--quiet")
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.mp4", "-o", "a.mov"], "missing.mp4 does not exist"),
        (["empty.mp4", "-o", "a.mov"], "empty.mp4 is empty"),
        (["words.mp4", "-o", "a.mov"], "no video that can be read"),
        (["half.mp4", "-o", "a.mov"], "half.mp4 is damaged"),
        (["nothing", "-o", "a.mov"], "holds no picture"),
        (["no-%03d.png", "-o", "a.mov"], "matches no picture"),
        (["clip.mp4", "-o", "a.avi"], "suffix '.avi' is unknown; choose one of .mov"),
        (["clip.mp4", "-o", "a.mp4"], "h264 cannot hold transparency"),
        (["clip.mp4", "-o", "a.mov", "--format", "vp9"], "goes into a file ending in .webm"),
        (["clip.mp4", "-o", "a.mov", "--format", "theora"], "'theora' is unknown; choose one of"),
        (["clip.mp4", "-o", "a.mov", "--format", "png"], "name a folder"),
        (["clip.mp4", "-o", "%04d.jpg"], "written as .png"),
        (["clip.mp4", "-o", "no/such/a.mov"], "does not exist; create it first"),
        (["clip.mp4", "-o", "clip.mp4", "--matte"], "is the file to be read"),
        (["clip.mp4", "-o", "a.mov", "--stabilise", "glue"], "'glue' is unknown; choose one of"),
        (["clip.mp4", "-o", "a.mov", "--matte", "--background", "red"], "choose one"),
        (["clip.mp4", "-o", "a.mov", "--fps", "25"], "--fps is for pictures"),
        (["nothing", "-o", "a.mov", "--fps", "no"], "'no' is no number"),
        (["clip.mp4", "-o", "a.mov", "--start", "soon"], "'soon' is not understood"),
        (["clip.mp4", "-o", "a.mov", "--start", "2", "--end", "1"], "the end must be later"),
        (["clip.mp4", "-o", "a.mov", "--start", "10"], "no frame lies in the part"),
        (["clip.mp4", "-o", "a.png", "--preview", "1", "--start", "10"], "no frame lies in"),
        (["clip.mp4", "-o", "a.mov", "--preview", "2"], "end a.mov with .png"),
        (["clip.mp4", "-o", "a.mov", "--background", "nowhere.jpg"], "nor a file that exists"),
        (["clip.mp4", "-o", "clip.mp4/"], "clip.mp4 is no folder; choose another name"),
        (["clip.mp4", "-o", "no/a.png", "--preview", "2"], "no does not exist; create it first"),
        (["clip.mp4", "-o", "a.png", "--preview", "2", "--matte"], "knows no --matte; leave one"),
        (["clip.mp4", "-o", "a.png", "--preview", "2", "--format", "png"], "knows no --format"),
        (
            ["clip.mp4", "-o", "a.png", "--preview", "2", "--side-by-side", "--format", "png16"],
            "knows no --side-by-side and --format; leave one of them out",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    video: Any, folder: Path, arguments: list[str], message: str
) -> None:
    run = video(*arguments)
    assert run.exit_code == 1
    assert message in run.stderr
    assert run.stderr.startswith("error: ")
    assert run.stderr.count("\n") == 1
    assert made(folder) == []
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_file_of_sound_alone_has_no_video(video: Any, folder: Path) -> None:
    with av.open("song.mp4", "w") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        for number in range(5):
            output.mux(stream.encode(noise(number)))
        output.mux(stream.encode(None))
    run = video("song.mp4", "-o", "a.mov")
    assert run.exit_code == 1
    assert "song.mp4 has no video track that can be decoded (it has: audio)" in run.stderr


def test_pictures_of_two_sizes_are_refused(video: Any, folder: Path) -> None:
    for number, size in enumerate([(8, 8), (8, 8), (9, 8)]):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(folder / "nothing" / f"{number}.png")
    run = video("nothing", "-o", "a.mov")
    assert run.exit_code == 1
    assert "nothing/2.png is 9" in run.stderr
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    assert not (folder / "a.mov").exists()


def test_without_the_extra_one_line_names_it(
    video: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animatte.extras.find_spec", lambda name: None)
    run = video("clip.mp4", "-o", "a.mov")
    assert run.exit_code == 1
    assert run.stderr == "error: av is not installed; run: pip install 'animatte[video]'\n"
