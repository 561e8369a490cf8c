"""Films that are damaged or cut off: what can be read is cut, and the rest told."""

import re
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image
from tests.video.conftest import Film, pixels_of, write_film
from tests.video.runs import run

from animatte.video.frames import Window


def test_a_film_that_is_cut_off_gives_what_could_be_read_and_says_so(tmp_path: Path) -> None:
    many = Film(stamps=tuple(range(0, 2400, 40)), codec="mpeg4", sound="")
    film = write_film(tmp_path / "in.mkv", many)
    content = film.read_bytes()
    film.write_bytes(content[: len(content) * 2 // 3])
    report = run(film, tmp_path / "out.mov", "prores")
    assert 10 < report.num_frames < 60
    assert len(pixels_of(report.output)) == report.num_frames
    assert re.search(r"it ends at [\d.]+ s of 2.40 s, the rest is lost", report.damage)
    later = run(film, tmp_path / "later.mov", "prores", window=Window(Fraction(1, 2)))
    assert "the rest is lost" in later.damage


def test_a_film_whose_container_is_damaged_in_its_midst_says_so(tmp_path: Path) -> None:
    """Its reader takes the damage for the end."""
    many = Film(stamps=tuple(range(0, 2400, 40)), codec="mpeg4", sound="")
    film = write_film(tmp_path / "in.mkv", many)
    content = film.read_bytes()
    middle = len(content) // 2
    film.write_bytes(content[:middle] + bytes(len(content) - middle))
    report = run(film, tmp_path / "out.mov", "prores")
    assert 0 < report.num_frames < 60
    assert "the rest is lost" in report.damage


def test_frames_of_damaged_pieces_are_kept_and_counted(tmp_path: Path) -> None:
    many = Film(stamps=tuple(range(0, 2400, 40)), codec="mpeg4", sound="")
    film = write_film(tmp_path / "in.mkv", many)
    content = bytearray(film.read_bytes())
    with av.open(str(film)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos]
    content[places[30] + 12 : places[31] - 2] = bytes(places[31] - places[30] - 14)
    film.write_bytes(bytes(content))
    report = run(film, tmp_path / "out.mov", "prores")
    assert report.num_frames >= 59
    assert re.search(r"come from damaged pieces and may look it: \d+", report.damage)


def test_a_last_picture_that_is_shown_for_long_is_no_damage(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    pictures[0].save(
        tmp_path / "in.gif", save_all=True, append_images=pictures[1:], duration=[100, 100, 2000]
    )
    assert run(tmp_path / "in.gif", tmp_path / "gif.mov", "prores").damage == ""
    film = write_film(tmp_path / "in.mkv", Film(stamps=(0, 40, 80, 1000, 1040), sound=""))
    assert run(film, tmp_path / "out.mov", "prores").damage == ""


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
