"""Ctrl-C in a terminal reaches every process of a command: all end at once, and say it once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")

START, END = 60, 15  # seconds at most, on a machine that has much to do
COUNT = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures with masks, enough of them that no command is done when it is stopped."""
    rng = np.random.default_rng(0)
    for name in ("image", "alpha"):
        (tmp_path / name).mkdir()
    for number in range(COUNT):
        mask = np.zeros((160, 200), np.uint8)
        cv2.circle(mask, (100, 80), 50, 255, -1)
        cv2.imwrite(str(tmp_path / f"alpha/{number}.png"), mask)
        noise = rng.integers(0, 256, (160, 200, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"image/{number}.png"), noise)
    return tmp_path


def started(*arguments: object) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "animatte", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def running(group: int) -> bool:
    """Whether any process of a group is left; one that is only not yet reaped has ended."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return any(int(pgid) == group and not state.startswith("Z") for pgid, state, *_ in rows)


def interrupted(process: subprocess.Popen[str], out: Path, seconds: float | None = None) -> None:
    """Interrupt after some seconds, or as soon as a result is there; check how it ends."""
    end = time.monotonic() + START
    try:
        if seconds is not None:
            time.sleep(seconds)
        else:
            while not any(out.rglob("*.png")):
                assert time.monotonic() < end, "nothing was written"
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=END)
        assert (process.returncode, stdout, stderr) == (130, "", "stopped\n")
        end = time.monotonic() + END
        while running(process.pid):
            assert time.monotonic() < end, "a process is left"
            time.sleep(0.05)
    finally:
        if running(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def assert_whole(out: Path) -> int:
    """Every file is a whole picture under its own name; return how many there are."""
    files = [path for path in out.rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    for path in files:
        assert path.suffix == ".png"
        assert not path.name.startswith(".")
        assert cv2.imread(str(path)) is not None
    return len(files)


def test_preparation_stops_and_goes_on_later(folder: Path) -> None:
    out = folder / "out"
    interrupted(started("data", "prepare", "denoise", folder / "image", out, "--jobs", "2"), out)
    assert 1 <= assert_whole(out) < COUNT
    for path in (folder / "image").iterdir():  # a few are enough to go on with
        if int(path.stem) > 3 and not (out / path.name).exists():
            path.unlink()
    again = started("data", "prepare", "denoise", folder / "image", out, "--jobs", "2")
    stdout, stderr = again.communicate(timeout=START)
    assert (again.returncode, stderr) == (0, "")
    assert "kept" in stdout


def test_processes_that_are_still_starting_stop_as_quietly(folder: Path) -> None:
    out = folder / "out"
    process = started("data", "prepare", "denoise", folder / "image", out, "--jobs", "2")
    end = time.monotonic() + START
    while not out.is_dir():  # made just before the processes are
        assert time.monotonic() < end
        time.sleep(0.01)
    interrupted(process, out, seconds=0.3)
    assert_whole(out)


def test_composites_that_the_manifest_names_are_whole(folder: Path) -> None:
    recipe = folder / "tiny.yaml"
    recipe.write_text(
        yaml.safe_dump(
            {
                "name": "tiny",
                "network": {"name": "animatte-s"},
                "data": {
                    "root": str(folder),
                    "backgrounds": str(folder / "image"),
                    "sources": [{"folder": ".", "fur": 1.0, "replaced": 1.0}],
                },
                "stages": [
                    {"phases": [{"steps": 1, "size": 64, "batch": 1}], "loss": {"glance": 1.0}}
                ],
            }
        )
    )
    out = folder / "out"
    arguments = ("data", "compose", recipe, "-o", out, "--count", 10 * COUNT, "--jobs", "2")
    interrupted(started(*arguments), out)
    assert_whole(out)
    names = [json.loads(line)["name"] for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert names == [f"{number:06d}" for number in range(len(names))]
    for name in names:
        for part in ("image", "alpha", "foreground", "background"):
            assert (out / part / f"{name}.png").is_file()
