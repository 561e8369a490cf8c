"""Where results go: not where something is read, nor to no folder, nor among an older result."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.video.conftest import Film, RedPredictor, write_film
from tests.video.runs import GREEN, Stopping, run

from animatte.video.frames import VideoError, Window
from animatte.video.opening import opened
from animatte.video.preview import write_preview


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers(last: int, pattern: str = "{:05d}.png") -> list[str]:
    return [pattern.format(number) for number in range(1, last + 1)]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "in.mp4", Film(stamps=tuple(range(0, 240, 40))))


@pytest.fixture
def untouched() -> RedPredictor:
    """A predictor that is to see nothing."""
    return RedPredictor()


def test_a_shorter_run_leaves_no_picture_of_a_longer_one_before_it(
    film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(film, out, "png").num_frames == 6
    (out / "00009.png").write_bytes(b"does not follow, and so is none of ours")
    (out / "note.txt").write_text("neither")
    part = Window(end=Fraction("0.12"))
    assert run(film, out, "png", window=part).num_frames == 3
    assert names(out) == [*numbers(3), "00009.png", "note.txt"]


def test_pictures_of_another_pattern_stay(film: Path, tmp_path: Path) -> None:
    run(film, tmp_path / "out" / "cat-%d.png", "png")
    run(film, tmp_path / "out" / "dog-%d.png", "png", window=Window(end=Fraction("0.12")))
    assert names(tmp_path / "out") == numbers(6, "cat-{}.png") + numbers(3, "dog-{}.png")


def test_a_run_that_goes_on_keeps_what_it_moved_and_removes_what_is_older(
    film: Path, tmp_path: Path
) -> None:
    short: dict[str, Any] = {"segment_seconds": Fraction(1, 10)}
    film = write_film(film)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(film, out, "png", predictor=Stopping(), **short)
    out.mkdir()
    moved = tmp_path / ".out.%05d.png.animatte" / "000000.pictures" / "00000000.png"
    first = moved.read_bytes()
    moved.replace(out / "00001.png")
    for number in range(2, 20):
        (out / f"{number:05d}.png").write_bytes(b"old")
    assert run(film, out, "png", **short).num_resumed > 0
    assert names(out) == numbers(12)
    assert (out / "00001.png").read_bytes() == first
    assert all((out / name).read_bytes() != b"old" for name in numbers(12))


@pytest.mark.parametrize("suffix", ["png", "PNG"])
def test_a_folder_that_holds_the_pictures_to_be_read_is_refused(
    tmp_path: Path, suffix: str, untouched: RedPredictor
) -> None:
    picture = tmp_path / f"1.{suffix}"
    Image.new("RGB", (8, 8)).save(picture, "png")
    before = picture.read_bytes()
    with pytest.raises(VideoError, match="holds the pictures to be read; write to another folder"):
        run(tmp_path, tmp_path / f"%d.{suffix}", "png", predictor=untouched)
    assert (picture.read_bytes(), untouched.seen) == (before, [])


def test_a_folder_of_links_to_the_pictures_to_be_read_is_refused(
    tmp_path: Path, untouched: RedPredictor
) -> None:
    for name in ("far", "links"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "far" / "a.png")
    (tmp_path / "links" / "1.png").symlink_to(tmp_path / "far" / "a.png")
    with pytest.raises(VideoError, match="holds the pictures to be read"):
        run(tmp_path / "links", tmp_path / "links" / "%d.png", "png", predictor=untouched)
    assert (tmp_path / "links" / "1.png").is_symlink()


def test_a_background_in_the_place_of_a_result_is_refused(
    film: Path, tmp_path: Path, untouched: RedPredictor
) -> None:
    (tmp_path / "out").mkdir()
    background = tmp_path / "out" / "00003.png"
    background.write_bytes(b"picture")
    options: dict[str, Any] = {"kind": "composite", "background": GREEN, "predictor": untouched}
    with pytest.raises(VideoError, match=r"00003.png is a file to be read; write to another"):
        run(film, tmp_path / "out", "png", read=[background], **options)
    assert untouched.seen == []
    run(film, tmp_path / "out" / "cat-%d.png", "png", read=[background], **options)
    assert background.read_bytes() == b"picture"


@pytest.mark.parametrize("output", ["out", "out/", "out/cat-%d.png", "out/deeper/"])
@pytest.mark.parametrize("kind", ["file", "broken link"])
def test_a_file_where_a_folder_is_needed_is_refused_before_anything_is_cut(
    film: Path, tmp_path: Path, output: str, kind: str, untouched: RedPredictor
) -> None:
    if kind == "file":
        (tmp_path / "out").write_text("mine")
    else:
        (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(VideoError, match=r"out is no folder; choose another name"):
        run(film, tmp_path / output, "png", predictor=untouched)
    assert untouched.seen == []
    assert names(tmp_path) == ["in.mp4", "out"]


def test_a_film_below_a_file_is_refused_with_a_remedy(film: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"in.mp4 is no folder; choose another name"):
        run(film, film / "out.mov", "prores")


def preview(source: Path, output: Path, predictor: RedPredictor, **changes: Any) -> int:
    return write_preview(predictor, opened(str(source)), output, step=2, window=Window(), **changes)


def test_a_preview_never_replaces_what_is_read(
    film: Path, tmp_path: Path, untouched: RedPredictor
) -> None:
    frames = tmp_path / "frames"
    run(film, frames, "png")
    before = (frames / "00001.png").read_bytes()
    background = Path(shutil.copy(frames / "00002.png", tmp_path / "sand.png"))
    for source, output, read in (
        (frames, frames / "00001.png", []),
        (film, background, [background]),
    ):
        with pytest.raises(VideoError, match="is the file to be read; write to another one"):
            preview(source, output, untouched, read=read)
    assert untouched.seen == []
    assert (frames / "00001.png").read_bytes() == before
    assert preview(frames, frames / "sheet.png", untouched) == 3


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("no/such/sheet.png", "no/such does not exist; create it first"),
        ("in.mp4/sheet.png", "in.mp4 is no folder; choose another name"),
        ("sheet-%d.png", "is one picture, and .*sheet-%d.png means many; name it sheet.png"),
        ("folder.png", "folder.png is a folder; name a file"),
        ("sheet.jpg", "sheet.jpg with .png"),
    ],
)
def test_a_preview_without_a_place_is_refused_before_anything_is_cut(
    film: Path, tmp_path: Path, output: str, message: str, untouched: RedPredictor
) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(VideoError, match=message):
        preview(film, tmp_path / output, untouched)
    assert untouched.seen == []


def test_a_preview_shows_the_network_square_pixels_too(
    tmp_path: Path, untouched: RedPredictor
) -> None:
    film = write_film(tmp_path / "in.mp4", Film(pixel_aspect=Fraction(2), stamps=(0, 40)))
    preview(film, tmp_path / "sheet.png", untouched)
    assert untouched.seen == [(48, 128)]


def test_a_preview_multiplies_a_film_s_own_alpha_once(tmp_path: Path, red: RedPredictor) -> None:
    pixels = np.full((48, 64, 4), (255, 0, 0, 128), np.uint8)
    (tmp_path / "frames").mkdir()
    Image.fromarray(pixels).save(tmp_path / "frames" / "1.png")
    preview(tmp_path / "frames", tmp_path / "sheet.png", red, background=GREEN)
    with Image.open(tmp_path / "sheet.png") as sheet:
        found = np.asarray(sheet)[60, 60]
    assert np.abs(found.astype(int) - (128, 127, 0)).max() <= 1
