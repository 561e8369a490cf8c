"""Whole runs: a film in, a film out, compared with what went in."""

import errno
import gc
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.video.conftest import (
    SIZE,
    Film,
    RedPredictor,
    pixels_of,
    scene,
    sound_of,
    stamps_of,
    write_film,
)

from animatte.backgrounds import Background
from animatte.video.encoding import FilmWriter
from animatte.video.formats import FORMATS
from animatte.video.frames import VideoError, Window
from animatte.video.job import VideoReport
from animatte.video.opening import opened
from animatte.video.options import VideoOptions
from animatte.video.rendering import Picture
from animatte.video.running import cut_video, output_path

GREEN = Background(colour=(0.0, 1.0, 0.0))
# PyAV 17, the last one for Python 3.10, takes it for BT.601.
BT2020 = pytest.param(
    (9, 1), marks=pytest.mark.skipif(int(av.__version__.split(".")[0]) < 18, reason="PyAV 17")
)
UNEVEN = (0, 40, 80, 125, 200, 210, 290, 300, 400, 440)


def run(film: Path | str, output: Path, format_name: str, **changes: Any) -> VideoReport:
    predictor = changes.pop("predictor", RedPredictor())
    rate = changes.pop("rate", None)
    resume = changes.pop("resume", True)
    options = VideoOptions(FORMATS[format_name], **{"stabilise": "none", **changes})
    path = output_path(str(output), options.format)
    clip = opened(str(film), rate)
    return cut_video(predictor, clip, path, options, identity={}, resume=resume)


def alpha_error(frame: NDArray[Any], size: tuple[int, int] = SIZE) -> float:
    """Mean distance, in levels, from red, which is what alpha is to be."""
    return float(np.abs(frame[:, :, 3].astype(float) - scene(0, size)[:, :, 0]).mean())


@pytest.mark.parametrize("name,suffix,decoder,most", [
    ("prores", ".mov", None, 2.5), ("prores", ".mkv", None, 2.5),
    ("vp9", ".webm", "libvpx-vp9", 3.0), ("vp9", ".mkv", "libvpx-vp9", 3.0),
])  # fmt: skip
def test_alpha_comes_back_near_and_inside_the_subject_the_colours_too(
    tmp_path: Path, name: str, suffix: str, decoder: str | None, most: float
) -> None:
    film = write_film(tmp_path / "in.mp4")
    report = run(film, tmp_path / f"out{suffix}", name)
    frames = pixels_of(report.output, decoder)
    assert len(frames) == report.num_frames == 12
    for number, frame in enumerate(frames):
        assert frame.shape == (*SIZE, 4)
        assert alpha_error(frame) < most
        opaque = np.s_[:, 58:, :3]
        assert np.abs(frame[opaque].astype(int) - scene(number)[opaque]).mean() < 6


@pytest.mark.parametrize("source", ["in.mp4", "in.mkv"])
@pytest.mark.parametrize("name,suffix", [
    ("prores", ".mov"), ("vp9", ".webm"), ("h264", ".mp4"), ("h264", ".mkv"),
])  # fmt: skip
def test_uneven_times_are_kept(tmp_path: Path, source: str, name: str, suffix: str) -> None:
    film = write_film(tmp_path / source, Film(stamps=UNEVEN))
    report = run(
        film, tmp_path / f"out{suffix}", name, kind="matte", segment_seconds=Fraction(1, 5)
    )
    assert stamps_of(report.output) == [stamp / 1000 for stamp in UNEVEN] == stamps_of(film)


def test_a_film_that_begins_late_keeps_its_times_against_the_sound(tmp_path: Path) -> None:
    late = tuple(range(200, 600, 40))
    film = write_film(tmp_path / "in.mp4", Film(stamps=late, sound="aac"))
    report = run(film, tmp_path / "out.mov", "prores")
    assert stamps_of(report.output) == stamps_of(film)


@pytest.mark.parametrize("source,sound,name,suffix", [
    ("in.mp4", "aac", "prores", ".mov"), ("in.mp4", "aac", "h264", ".mp4"),
    ("in.mkv", "libopus", "vp9", ".webm"), ("in.mkv", "flac", "h264", ".mkv"),
])  # fmt: skip
def test_sound_is_copied_packet_by_packet(
    tmp_path: Path, source: str, sound: str, name: str, suffix: str
) -> None:
    film = write_film(tmp_path / source, Film(sound=sound))
    report = run(film, tmp_path / f"out{suffix}", name, kind="matte")
    assert sound_of(film) == sound_of(report.output) != []
    assert report.notes == []


def test_sound_that_the_container_does_not_take_is_encoded_anew_and_that_is_said(
    tmp_path: Path,
) -> None:
    film = write_film(tmp_path / "in.mp4", Film(sound="aac", stamps=tuple(range(0, 1000, 40))))
    report = run(film, tmp_path / "out.webm", "vp9", kind="matte")
    assert report.notes == ["aac sound does not go into webm: encoded as opus"]
    with av.open(str(film)) as before, av.open(str(report.output)) as after:
        assert after.streams.audio[0].codec_context.name in ("opus", "libopus")
        lengths = [
            sum(f.samples for f in each.decode(audio=0)) / 48_000 for each in (before, after)
        ]
    assert abs(lengths[0] - lengths[1]) < 0.05


def test_without_sound_there_is_none(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4", Film(sound="aac"))
    report = run(film, tmp_path / "out.mov", "prores", with_sound=False)
    with av.open(str(report.output)) as result:
        assert not result.streams.audio


def test_a_part_begins_and_ends_where_it_is_asked_to_with_its_sound(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4", Film(sound="aac", stamps=tuple(range(0, 1200, 40))))
    window = Window(Fraction("0.4"), Fraction("0.8"))
    report = run(film, tmp_path / "out.mov", "prores", window=window, kind="side-by-side",
                 background=GREEN)  # fmt: skip
    assert stamps_of(report.output) == [round(k * 0.04, 3) for k in range(10)]
    frames = pixels_of(report.output)
    bars = [int((frame[40, :64, 2] > 130).sum()) for frame in (frames[0], frames[-1])]
    assert np.abs(np.subtract(bars, [10 * 64 // 40, 19 * 64 // 40])).max() <= 1
    whole = {content: moment for moment, content in sound_of(film)}
    part = sound_of(report.output)
    assert part
    assert all(abs(moment - (whole[content] - 0.4)) < 0.002 for moment, content in part)
    assert all(0 <= moment < 0.4 for moment, _ in part)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_film_on_its_side_is_turned_upright(tmp_path: Path, rotation: int) -> None:
    film = write_film(tmp_path / "in.mp4", Film(rotation=rotation))
    report = run(film, tmp_path / "out.mov", "prores")
    frame = pixels_of(report.output)[3]
    true = np.rot90(scene(3), rotation // 90)
    assert frame.shape[:2] == true.shape[:2]
    assert np.abs(frame[:, :, 3].astype(int) - true[:, :, 0]).mean() < 3
    with av.open(str(report.output)) as result:
        assert next(result.decode(video=0)).rotation == 0


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_film_of_png_on_its_side_is_turned_upright_too(tmp_path: Path, rotation: int) -> None:
    source = Film(codec="png", pixel_format="rgb24", rotation=rotation)
    film = write_film(tmp_path / "in.mov", source)
    frame = next(opened(str(film)).frames(Window()))
    true = np.rot90(scene(0), rotation // 90)
    assert frame.photo.size == true.shape[:2]
    assert np.abs(np.asarray(frame.photo.seen, int) - true).mean() < 3


def test_one_picture_with_a_colour_profile_is_a_short_film(tmp_path: Path) -> None:
    """PyAV's side data of it must not be touched: the process would crash later."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(scene(0)).save(tmp_path / "in.png", icc_profile=profile)
    report = run(tmp_path / "in.png", tmp_path / "out.mov", "prores")
    gc.collect()
    assert report.num_frames == 1


@pytest.mark.parametrize("size", [(47, 64), (48, 63), (47, 63)])
@pytest.mark.parametrize("name,suffix,decoder", [
    ("prores", ".mov", None), ("vp9", ".webm", "libvpx-vp9"),
])  # fmt: skip
def test_odd_sizes_are_kept_where_the_format_can(
    tmp_path: Path, size: tuple[int, int], name: str, suffix: str, decoder: str | None
) -> None:
    odd = Film(size=size, codec="prores_ks", pixel_format="yuv422p10le", stamps=(0, 40, 80))
    report = run(write_film(tmp_path / "in.mov", odd), tmp_path / f"out{suffix}", name)
    frame = pixels_of(report.output, decoder)[-1]
    assert frame.shape[:2] == size
    assert alpha_error(frame, size) < 4


def test_odd_sizes_are_padded_for_h264_and_that_is_said(tmp_path: Path) -> None:
    odd = Film(size=(47, 63), codec="prores_ks", pixel_format="yuv422p10le", stamps=(0, 40, 80))
    film = write_film(tmp_path / "in.mov", odd)
    report = run(film, tmp_path / "out.mp4", "h264", kind="matte")
    frame = pixels_of(report.output)[0]
    assert frame.shape[:2] == (48, 64)
    assert np.abs(frame[:, 62].astype(int) - frame[:, 63]).max() <= 6
    assert "even sides" in report.notes[0]


@pytest.mark.parametrize("tags", [(1, 1), (1, 2), (5, 1), (5, 2), BT2020, None])
@pytest.mark.parametrize("name,suffix", [("h264", ".mp4"), ("prores", ".mov"), ("vp9", ".webm")])
def test_colours_survive_every_matrix_and_range(
    tmp_path: Path, tags: tuple[int, int] | None, name: str, suffix: str
) -> None:
    def flat(_: int, size: tuple[int, int]) -> NDArray[Any]:
        pixels = np.empty((*size, 3), np.uint8)
        pixels[:] = (200, 60, 30)
        pixels[:, size[1] // 2 :] = (255, 180, 90)
        return pixels

    source = Film(tags=tags, frames=flat, stamps=(0, 40), pixel_format="yuv444p")
    film = write_film(tmp_path / "in.mkv", source)
    report = run(film, tmp_path / f"out{suffix}", name, kind="side-by-side", background=GREEN)
    frame = pixels_of(report.output)[1]
    assert np.abs(frame[10, 10, :3].astype(int) - (200, 60, 30)).max() <= 4
    assert np.abs(frame[10, 54, :3].astype(int) - (255, 180, 90)).max() <= 4
    with av.open(str(report.output)) as result:
        decoded = next(result.decode(video=0))
        assert decoded.color_range == 1
        assert decoded.colorspace == ({5: 5}.get(tags[0], tags[0]) if tags else 6)


def test_full_range_by_name_alone_is_full_range(tmp_path: Path) -> None:
    source = Film(codec="mjpeg", pixel_format="yuvj420p", tags=(5, 2), stamps=(0, 40))
    film = write_film(tmp_path / "in.mkv", source)
    frame = pixels_of(run(film, tmp_path / "out.mov", "prores").output)[0]
    assert alpha_error(frame) < 3


def test_pixels_that_are_not_square_are_told_and_the_network_sees_them_square(
    tmp_path: Path, red: RedPredictor
) -> None:
    film = write_film(tmp_path / "in.mp4", Film(pixel_aspect=Fraction(2), stamps=(0, 40)))
    for name, suffix in (("prores", ".mov"), ("h264", ".mp4")):
        report = run(film, tmp_path / f"out{suffix}", name, kind="matte", predictor=red)
        with av.open(str(report.output)) as result:
            stream = result.streams.video[0]
            assert (stream.height, stream.width) == SIZE
            assert stream.sample_aspect_ratio == 2
    assert set(red.seen) == {(48, 128)}
    report = run(film, tmp_path / "out.webm", "vp9", kind="matte")
    assert pixels_of(report.output)[0].shape[:2] == (48, 128)
    assert "resized" in report.notes[0]


def test_ten_bits_stay_ten_bits(tmp_path: Path) -> None:
    def fine(_: int, size: tuple[int, int]) -> NDArray[Any]:
        return np.full((*size, 3), 255, np.uint8)

    source = Film(codec="prores_ks", pixel_format="yuv422p10le", frames=fine, stamps=(0, 40))
    film = write_film(tmp_path / "in.mov", source)
    assert opened(str(film)).facts.deep
    run(film, tmp_path / "out", "png16")
    with Image.open(tmp_path / "out" / "00001.png") as picture:
        assert picture.mode == "RGBA"


def test_a_film_s_own_alpha_multiplies_the_matte(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    for name, suffix in (("prores", ".mov"), ("vp9", ".webm")):
        first = run(film, tmp_path / f"first{suffix}", name).output
        second = run(first, tmp_path / "second.mov", "prores").output
        found = pixels_of(second)[2][:, :, 3].astype(float)
        assert np.abs(found - pixels_of(first, "libvpx-vp9" if name == "vp9" else None)[2][:, :, 3]
                      / 255.0 * opened_red(first)).mean() < 6  # fmt: skip


def opened_red(path: Path) -> NDArray[Any]:
    frames = list(opened(str(path)).frames(Window()))
    return np.asarray(frames[2].photo.image[:, :, 0] * 255)


def test_composites_mattes_and_side_by_side_show_what_they_say(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4", Film(stamps=(0, 40)))
    whole = pixels_of(
        run(film, tmp_path / "a.mp4", "h264", kind="composite", background=GREEN).output
    )[0]
    assert np.abs(whole[24, 1, :3].astype(int) - (0, 255, 0)).max() < 20
    blurred = run(film, tmp_path / "b.mp4", "h264", kind="composite", background=Background())
    assert pixels_of(blurred.output)[0].shape[:2] == SIZE
    matte = pixels_of(run(film, tmp_path / "c.webm", "vp9", kind="matte").output)[0]
    assert np.abs(matte[:, :, 1].astype(int) - scene(0)[:, :, 0]).mean() < 3
    triple = pixels_of(
        run(film, tmp_path / "d.mp4", "h264", kind="side-by-side", background=GREEN).output
    )[0]
    assert triple.shape[:2] == (48, 192)
    left, middle, right = np.split(triple[:, :, :3].astype(int), 3, axis=1)
    assert np.abs(left - scene(0)).mean() < 8
    assert np.abs(middle[:, :, 0] - scene(0)[:, :, 0]).mean() < 4
    assert np.abs(right - whole[:, :, :3]).mean() < 8


def test_pictures_out_and_in_again(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4", Film(sound="aac"))
    report = run(film, tmp_path / "out", "png", segment_seconds=Fraction(1, 5))
    assert report.notes == ["pictures have no sound: it is left out"]
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{number:05d}.png" for number in range(1, 13)]
    run(tmp_path / "out", tmp_path / "cat-%d.png", "png", kind="matte")
    with Image.open(tmp_path / "cat-12.png") as picture:
        assert (picture.mode, picture.size) == ("L", SIZE[::-1])
    back = run(str(tmp_path / "cat-%d.png"), tmp_path / "back.mp4", "h264", kind="matte",
               rate=Fraction(10))  # fmt: skip
    assert stamps_of(back.output) == [k / 10 for k in range(12)]


def test_pictures_that_were_moved_before_a_kill_keep_their_numbers(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    again = {"segment_seconds": Fraction(1, 5)}
    run(film, tmp_path / "whole", "png", **again)
    kept = tmp_path / ".out.animatte"
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out", "png", predictor=Stopping(), **again)
    (tmp_path / "out").mkdir()
    (kept / "000000.pictures" / "00000000.png").replace(tmp_path / "out" / "00001.png")
    run(film, tmp_path / "out", "png", **again)
    for number in range(1, 13):
        name = f"{number:05d}.png"
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_nothing_but_the_result_stays(tmp_path: Path) -> None:
    run(write_film(tmp_path / "in.mp4"), tmp_path / "out.mov", "prores")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mov"]


KILLED = """
import sys
from fractions import Fraction
from pathlib import Path
import time
import numpy as np
from animatte.looks import Matte
from animatte.video.formats import FORMATS
from animatte.video.opening import opened
from animatte.video.options import VideoOptions
from animatte.video.running import cut_video

class SlowRed:
    def matte(self, photo):
        time.sleep(0.02)
        return Matte(np.ascontiguousarray(photo.image[:, :, 0]))

name, film, output = sys.argv[1:]
options = VideoOptions(FORMATS[name], segment_seconds=Fraction(1, 5))
cut_video(SlowRed(), opened(film), Path(output), options, identity={})
"""


@pytest.mark.parametrize("name,output", [("prores", "out.mov"), ("vp9", "out.webm"),
                                         ("png", "out/%04d.png")])  # fmt: skip
def test_after_a_kill_a_run_goes_on_and_gives_what_an_unbroken_one_gives(
    tmp_path: Path, name: str, output: str
) -> None:
    stamps = tuple(stamp + base for base in range(0, 2000, 500) for stamp in UNEVEN)
    film = write_film(tmp_path / "in.mkv", Film(stamps=stamps, sound="libopus"))
    beside = tmp_path / f".{output.split('/', maxsplit=1)[0]}.animatte"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, name, str(film), str(tmp_path / output)]
    )
    for _ in range(1500):
        if (beside / "000001.json").exists() or process.poll() is not None:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert beside.is_dir()
    assert not (tmp_path / output).exists()
    again = {"segment_seconds": Fraction(1, 5), "stabilise": "flow"}
    predictor = RedPredictor()
    resumed = run(film, tmp_path / output, name, predictor=predictor, **again)
    assert resumed.num_frames == 40
    assert 5 <= resumed.num_resumed < 40
    assert len(predictor.seen) == 40 - resumed.num_resumed
    other = Path(str(tmp_path / output).replace("out", "whole"))
    whole = run(film, other, name, **again)
    assert leftovers(tmp_path) == []
    if name == "png":
        for one, two in zip(sorted(resumed.output.parent.iterdir()),
                            sorted(whole.output.parent.iterdir()), strict=True):  # fmt: skip
            assert one.read_bytes() == two.read_bytes()
        return
    assert stamps_of(resumed.output) == stamps_of(whole.output) == stamps_of(film)
    assert sound_of(resumed.output) == sound_of(whole.output)
    for first, second in zip(pixels_of(resumed.output), pixels_of(whole.output), strict=True):
        assert np.array_equal(first, second)


class Stopping(RedPredictor):
    """Fails at the ninth frame."""

    def matte(self, image: Any, /) -> Any:
        if len(self.seen) == 8:
            raise KeyboardInterrupt
        return super().matte(image)


@pytest.mark.parametrize("change", [{"kind": "matte"}, {"resume": False}, {"stabilise": "flow"}])
def test_a_run_of_another_kind_begins_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    film = write_film(tmp_path / "in.mp4")
    short = {"segment_seconds": Fraction(1, 10)}
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out.mov", "prores", predictor=Stopping(), **short)
    assert leftovers(tmp_path) == [".out.mov.animatte"]
    report = run(film, tmp_path / "out.mov", "prores", **{**short, **change})
    assert (report.num_resumed, report.num_frames) == (0, 12)


def test_a_changed_clip_begins_anew_and_the_same_one_goes_on(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    short: dict[str, Any] = {"segment_seconds": Fraction(1, 10)}
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out.mov", "prores", predictor=Stopping(), **short)
    film.touch()
    assert run(film, tmp_path / "out.mov", "prores", **short).num_resumed > 0
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out.mov", "prores", predictor=Stopping(), **short)
    write_film(film, Film(stamps=tuple(range(0, 440, 40))))
    assert run(film, tmp_path / "out.mov", "prores", **short).num_resumed == 0


def test_a_foreign_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    (tmp_path / ".out.mov.animatte").mkdir()
    (tmp_path / ".out.mov.animatte" / "diary.txt").write_text("mine")
    with pytest.raises(VideoError, match="in the way and not ours"):
        run(film, tmp_path / "out.mov", "prores")
    assert (tmp_path / ".out.mov.animatte" / "diary.txt").read_text() == "mine"


def test_cuts_are_counted_and_nothing_is_carried_over_them(tmp_path: Path) -> None:
    def two_scenes(number: int, size: tuple[int, int]) -> NDArray[Any]:
        pixels = np.zeros((*size, 3), np.uint8)
        pixels[:] = (255, 255, 255) if number < 6 else (0, 40, 90)
        return pixels

    film = write_film(tmp_path / "in.mp4", Film(frames=two_scenes))
    report = run(film, tmp_path / "out.mov", "prores", stabilise="flow")
    assert report.num_cuts == 1
    alphas = [float(frame[:, :, 3].mean()) for frame in pixels_of(report.output)]
    assert min(alphas[:6]) > 252
    assert max(alphas[6:]) < 3


def test_a_full_disk_ends_in_one_line_and_what_is_finished_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "in.mp4")
    written: list[int] = []
    add = FilmWriter.add

    def full(self: FilmWriter, picture: Picture, pts: int) -> None:
        written.append(pts)
        if len(written) == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, picture, pts)

    monkeypatch.setattr(FilmWriter, "add", full)
    short: dict[str, Any] = {"segment_seconds": Fraction(1, 10)}
    with pytest.raises(VideoError, match=r"No space left .* run the same command again") as caught:
        run(film, tmp_path / "out.mov", "prores", **short)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mov").exists()
    kept = tmp_path / ".out.mov.animatte"
    assert not list(kept.glob("*.part"))
    assert all(pixels_of(path) for path in kept.glob("*.mov"))  # playable
    assert run(film, tmp_path / "out.mov", "prores", **short).num_resumed > 0


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from animatte.cli import main
sys.argv = ["animatte", *sys.argv[2:]]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_limit_of_file_size_leaves_nothing_half_written(tmp_path: Path, tiny_model: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    command = ["video", str(film), "-o", str(tmp_path / "out.mov"), "--model", str(tiny_model)]
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, "8000", *command],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert "cannot be written" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


def test_a_film_that_is_cut_off_gives_what_could_be_read_and_says_so(tmp_path: Path) -> None:
    many = Film(stamps=tuple(range(0, 2400, 40)), codec="mpeg4", sound="")
    film = write_film(tmp_path / "in.mkv", many)
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    report = run(film, tmp_path / "out.mov", "prores")
    assert 10 < report.num_frames < 60
    assert len(pixels_of(report.output)) == report.num_frames


def test_a_film_whose_index_names_more_than_there_is_says_so(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4", Film(stamps=tuple(range(0, 2400, 40))))
    with av.open(str(film)) as before, av.open(
        str(tmp_path / "front.mp4"), "w", options={"movflags": "faststart"}
    ) as after:  # fmt: skip
        stream = after.add_stream_from_template(before.streams.video[0])
        for packet in before.demux(video=0):
            if packet.size:
                packet.stream = stream
                after.mux(packet)
    content = (tmp_path / "front.mp4").read_bytes()
    film.write_bytes(content[: len(content) * 3 // 4])
    report = run(film, tmp_path / "out.mov", "prores")
    assert 0 < report.num_frames < 60
    assert "cut off" in report.damage
    assert "holds all that could be read" in report.damage


def test_damaged_pieces_are_left_out_and_counted(tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "in.mkv", Film(codec="mjpeg", pixel_format="yuvj420p", tags=(5, 2))
    )
    content = bytearray(film.read_bytes())
    starts = [k for k in range(len(content)) if content[k : k + 3] == b"\xff\xd8\xff"]
    content[starts[5] : starts[6] - 20] = bytes(starts[6] - 20 - starts[5])
    film.write_bytes(bytes(content))
    report = run(film, tmp_path / "out.mov", "prores")
    assert report.num_frames == 11
    assert "1 damaged" in report.damage


def test_the_key_of_a_run_is_stored_with_its_segments(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out.mov", "prores", predictor=Stopping(),
            segment_seconds=Fraction(1, 10))  # fmt: skip
    manifest = json.loads((tmp_path / ".out.mov.animatte" / "manifest.json").read_text())
    assert len(manifest["key"]) == 64
