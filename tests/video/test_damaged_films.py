"""Films that are damaged or cut off: what can be read is cut, and the rest told."""

from pathlib import Path

import av
from tests.video.conftest import Film, pixels_of, write_film
from tests.video.runs import run


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
