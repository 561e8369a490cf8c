"""Whole runs: times of frames, and the sound, are kept."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.video.conftest import Film, pixels_of, sound_of, stamps_of, write_film
from tests.video.runs import GREEN, UNEVEN, run

from animatte.video.frames import Window


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
