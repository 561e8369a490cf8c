"""Two runs at a time: into one result they are refused, into two they do not meet."""

import errno
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.video.conftest import Film, RedPredictor, pixels_of, write_film
from tests.video.runs import Stopping, run
from tests.video.test_stopped_runs import KILLED, leftovers

from animatte.looks import Matte
from animatte.video import locking
from animatte.video.frames import VideoError
from animatte.video.locking import RunLock

SHORT: dict[str, Any] = {"segment_seconds": Fraction(1, 10)}


class Meeting(RedPredictor):
    """Begins another run into the same result at its fifth frame."""

    def __init__(self, *arguments: Any, **changes: Any) -> None:
        super().__init__()
        self.errors: list[str] = []
        self._other = (arguments, changes)

    def matte(self, image: Any, /) -> Matte:
        if len(self.seen) == 4:
            arguments, changes = self._other
            with pytest.raises(VideoError) as caught:
                run(*arguments, **changes)
            self.errors.append(str(caught.value))
        return super().matte(image)


@pytest.mark.parametrize("change", [{}, {"kind": "matte"}, {"resume": False}])
@pytest.mark.parametrize("name,output", [("prores", "out.mov"), ("png", "out/")])
def test_a_second_run_into_one_result_is_refused_and_harms_nothing(
    tmp_path: Path, name: str, output: str, change: dict[str, Any]
) -> None:
    film = write_film(tmp_path / "in.mp4")
    other = RedPredictor()
    first = Meeting(film, tmp_path / output, name, predictor=other, **{**SHORT, **change})
    report = run(film, tmp_path / output, name, predictor=first, **SHORT)
    assert other.seen == []
    assert len(first.errors) == 1
    assert "another run works in" in first.errors[0]
    assert "wait until it has ended, or write to another place" in first.errors[0]
    assert (report.num_frames, len(first.seen)) == (12, 12)
    assert leftovers(tmp_path) == []
    if name == "prores":
        assert len(pixels_of(report.output)) == 12


def test_two_patterns_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mp4")
    cat, dog = tmp_path / "out" / "cat-%d.png", tmp_path / "out" / "dog-%d.png"
    with pytest.raises(KeyboardInterrupt):
        run(film, cat, "png", predictor=Stopping(), **SHORT)
    assert leftovers(tmp_path) == [".out.cat-%d.png.animatte"]
    assert run(film, dog, "png", **SHORT).num_resumed == 0
    assert run(film, cat, "png", **SHORT).num_resumed > 0
    assert len(list((tmp_path / "out").iterdir())) == 24
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_lock_keeps_others_out_until_its_process_is_killed(tmp_path: Path) -> None:
    film = write_film(tmp_path / "in.mkv", Film(stamps=tuple(range(0, 8000, 40))))
    output = tmp_path / "out.mov"
    kept = tmp_path / ".out.mov.animatte"
    process = subprocess.Popen([sys.executable, "-c", KILLED, "prores", str(film), str(output)])
    try:
        for _ in range(1500):
            if (kept / "000001.json").exists() or process.poll() is not None:
                break
            time.sleep(0.02)
        with pytest.raises(VideoError, match="another run works in"):
            run(film, output, "prores", resume=False)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = {"segment_seconds": Fraction(1, 5), "stabilise": "flow"}
    assert run(film, output, "prores", **again).num_resumed > 0
    assert leftovers(tmp_path) == []


def test_after_a_lock_is_closed_nothing_is_left_of_it_and_the_next_one_is_given(
    tmp_path: Path,
) -> None:
    first = RunLock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        RunLock(tmp_path / "lock")
    first.close()
    assert list(tmp_path.iterdir()) == []
    RunLock(tmp_path / "lock").close()


@pytest.mark.skipif(sys.platform == "win32", reason="there, what is open is not removed")
def test_who_opened_a_file_that_was_then_removed_locks_the_one_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    holders = [RunLock(path)]
    take = locking._take

    def late(descriptor: int) -> None:
        if holders:
            holders.pop().close()
        take(descriptor)

    monkeypatch.setattr(locking, "_take", late)
    second = RunLock(path)
    with pytest.raises(BlockingIOError):
        RunLock(path)
    second.close()


def test_where_the_file_system_knows_no_locks_films_are_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(descriptor: int) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(locking, "_take", unknown)
    film = write_film(tmp_path / "in.mp4")
    assert run(film, tmp_path / "out.mov", "prores").num_frames == 12
    assert leftovers(tmp_path) == []
