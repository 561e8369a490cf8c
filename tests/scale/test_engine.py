"""Runs of Ray's workers against those of the local engine; skipped where the extra is not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animatte.batch import CutFailure
from animatte.cli import app
from animatte.cutting import CutOptions, CutReport
from animatte.looks import Looks
from animatte.scale import Setup, cut_scaled, engine

pytest.importorskip("ray.data")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own are not ours to mend


def make_pictures(folder: Path, count: int, side: int = 48) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number:02}.png")
    return sorted(folder.iterdir())


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".png"}


def workers_of(process: int) -> list[int]:
    """Ray's workers with a model, below a process."""
    parents, found = {}, []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text()
            title = (entry / "cmdline").read_text()
        except OSError:  # it ended
            continue
        parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])
        if title.startswith("ray::MapWorker"):
            found.append(int(entry.name))

    def is_below(pid: int) -> bool:
        while pid > 1 and pid != process:
            pid = parents.get(pid, 0)
        return pid == process

    return [pid for pid in found if is_below(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_a_killed_worker_s_pictures_have_exactly_one_result_each(
    tmp_path: Path, tiny_model: Path
) -> None:
    photos = make_pictures(tmp_path / "trip", 40, side=256)
    (tmp_path / "trip" / "broken.png").write_bytes(b"no picture")
    command = [sys.executable, "-m", "animatte", "cut", "trip", "-o", "out", "--engine", "ray"]
    command += ["--jobs", "2", "--model", str(tiny_model), "--report", "report.jsonl"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        end = monotonic() + 120
        workers: list[int] = []
        while len(workers) < 2 or not list(tmp_path.glob("out/*.png")):
            assert process.poll() is None and monotonic() < end
            sleep(0.005)
            workers = workers_of(process.pid)
        os.kill(workers[0], signal.SIGKILL)
        assert process.stderr is not None
        messages = process.stderr.read()
    assert process.returncode == 1, messages  # for the broken one
    assert "1 of 41 failed" in messages
    local = [sys.executable, "-m", "animatte", "cut", "trip", "-o", "local"]
    subprocess.run(
        [*local, "--model", str(tiny_model), "-q", "--jobs", "1"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert results(tmp_path / "out") == results(tmp_path / "local")
    assert len(results(tmp_path / "out")) == len(photos)
    assert {path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".png"} == {
        "animatte.jsonl"
    }
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line["photo"] for line in lines] == [
        *(f"trip/{photo.name}" for photo in photos),
        "trip/broken.png",
    ]
    assert "error" in lines[-1]


def test_a_picture_that_ends_every_worker_fails_alone(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mortal(engine._Worker):
        def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
            if row["number"] == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__call__(row)

    monkeypatch.setattr(engine, "_Worker", Mortal)
    photos = make_pictures(tmp_path / "trip", 4)
    outputs = [tmp_path / "out" / photo.name for photo in photos]
    setup = Setup(str(tiny_model), "cpu", None, None, Looks(), None)
    found = list(
        cut_scaled(setup, CutOptions(), [str(each) for each in photos], [str(o) for o in outputs])
    )
    failures = [result for result in found if isinstance(result, CutFailure)]
    assert [failure.photo for failure in failures] == [photos[1]]
    assert "ended its worker 3 times" in str(failures[0].error)
    assert sorted(str(each.output) for each in found if isinstance(each, CutReport)) == [
        str(outputs[number]) for number in (0, 2, 3)
    ]
    assert [output.exists() for output in outputs] == [True, False, True, True]


def test_what_an_earlier_run_made_is_skipped_and_an_address_takes_results(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_pictures(tmp_path / "trip", 3)
    shown = ["--model", str(tiny_model)]
    assert CliRunner().invoke(app, ["cut", "trip", "-o", "out", *shown]).exit_code == 0
    done = CliRunner().invoke(
        app, ["cut", "trip", "-o", "out", "--engine", "ray", "--resume", *shown]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.count("as it was") == 3
    address = f"file://{tmp_path}"
    done = CliRunner().invoke(
        app, ["cut", f"{address}/trip", "-o", f"{address}/kept", "--engine", "ray", *shown]
    )
    assert done.exit_code == 0, done.output
    assert f"{address}/kept/00.cutout.png" in done.stdout
    assert results(tmp_path / "kept") == results(tmp_path / "out")
