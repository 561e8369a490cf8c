"""Runs that were killed, or found no room: they go on, and leave nothing half-written."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.video.conftest import Film, RedPredictor, pixels_of, sound_of, stamps_of, write_film
from tests.video.runs import UNEVEN, Stopping, run

from animatte.video.encoding import FilmWriter
from animatte.video.frames import VideoError
from animatte.video.rendering import Picture


def test_pictures_that_were_moved_before_a_kill_keep_their_numbers(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    again = {"segment_seconds": Fraction(1, 5)}
    run(film, tmp_path / "whole", "png", **again)
    kept = tmp_path / ".out.%05d.png.animatte"
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
    beside = tmp_path / f".{output.replace('/', '.')}.animatte"
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


def test_the_key_of_a_run_is_stored_with_its_segments(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out.mov", "prores", predictor=Stopping(),
            segment_seconds=Fraction(1, 10))  # fmt: skip
    manifest = json.loads((tmp_path / ".out.mov.animatte" / "manifest.json").read_text())
    assert len(manifest["key"]) == 64
