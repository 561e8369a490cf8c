"""Whole runs: a film in, a film out, compared with what went in."""

import gc
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.video.conftest import SIZE, Film, RedPredictor, pixels_of, scene, stamps_of, write_film
from tests.video.runs import GREEN, run

from animatte.backgrounds import Background
from animatte.video.frames import Window
from animatte.video.opening import opened

# PyAV 17, the last one for Python 3.10, takes it for BT.601.
BT2020 = pytest.param(
    (9, 1), marks=pytest.mark.skipif(int(av.__version__.split(".")[0]) < 18, reason="PyAV 17")
)


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


def test_nothing_but_the_result_stays(tmp_path: Path) -> None:
    run(write_film(tmp_path / "in.mp4"), tmp_path / "out.mov", "prores")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mov"]


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
