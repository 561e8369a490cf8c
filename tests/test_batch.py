"""Many photos at a time: order, failures, memory, resuming, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from animatte.backgrounds import Background
from animatte.batch import (
    RECORD_NAME,
    CutFailure,
    Record,
    Result,
    cut_photos,
    plain_options,
    planned,
    record_of,
)
from animatte.cutting import CutOptions, CutReport
from animatte.images import Photo, image_size
from animatte.looks import Matte
from animatte.memory import BASE, SharedMemory, network_bytes
from animatte.outputs import FORMATS
from animatte.predictor import load
from animatte.strategies import views
from animatte.subjects import Margin, Point


class Counting:
    """A predictor that finds the left half, and counts how many use it at a time."""

    def __init__(self) -> None:
        self.present = self.most = self.calls = 0
        self._lock = Lock()

    def matte(self, image: Photo, /) -> Matte:
        with self._lock:
            self.calls += 1
            self.present += 1
            self.most = max(self.most, self.present)
        time.sleep(0.01)
        with self._lock:
            self.present -= 1
        alpha = np.zeros(image.size, np.float32)
        alpha[:, : image.size[1] // 2] = 1
        return Matte(alpha)

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        return np.zeros(image.size, np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "in" / f"{number:02}.png" for number in range(12)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        Image.new("RGB", (20 + number, 10), (9 * number, 50, 99)).save(path)
    return paths


def outputs(photos: list[Path]) -> list[Path]:
    return [photo.parents[1] / "out" / photo.name for photo in photos]


def kinds(results: list[Result]) -> list[str]:
    return [type(result).__name__ for result in results]


def cut(photos: list[Path], **more: Any) -> list[Result]:
    return list(cut_photos(Counting(), photos, outputs(photos), CutOptions(), **more))


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_order_and_are_the_same_for_any_number_of_jobs(
    photos: list[Path], jobs: int
) -> None:
    photos[4].write_text("not a picture")
    results = cut(photos, jobs=jobs)
    assert [result.photo for result in results] == photos
    assert kinds(results) == [*["CutReport"] * 4, "CutFailure", *["CutReport"] * 7]
    for number, output in enumerate(outputs(photos)):
        if number != 4:
            assert np.asarray(Image.open(output)).shape == (10, 20 + number, 4)


def test_photos_are_under_way_together_but_no_more_than_asked_for(photos: list[Path]) -> None:
    predictor = Counting()
    list(cut_photos(predictor, photos, outputs(photos), CutOptions(), jobs=3))
    assert 1 < predictor.most <= 3


def test_photos_wait_for_memory(photos: list[Path]) -> None:
    predictor, shared = Counting(), SharedMemory(500 * 12, is_hard=True)
    given = cut_photos(predictor, photos, outputs(photos), CutOptions(), jobs=4, memory=shared)
    assert kinds(list(given)) == ["CutReport"] * 12
    assert predictor.most <= 2


def test_what_does_not_fit_the_budget_is_that_photo_s_failure(photos: list[Path]) -> None:
    results = cut(photos, memory=SharedMemory(205 * 12, is_hard=True))
    assert kinds(results) == ["CutReport", *["CutFailure"] * 11]
    assert isinstance(results[1], CutFailure)
    assert "--memory leaves" in str(results[1].error)


def test_an_iteration_that_ends_early_begins_nothing_more(photos: list[Path]) -> None:
    predictor = Counting()
    results = cut_photos(predictor, photos, outputs(photos), CutOptions(), jobs=2)
    next(results)
    results.close()
    assert predictor.present == 0
    assert predictor.calls < 9
    made = sorted((photos[0].parents[1] / "out").iterdir())
    assert len(made) == predictor.calls
    assert all(image_size(path)[0] == 10 for path in made)


def test_a_photo_with_an_alpha_takes_more_memory(photos: list[Path]) -> None:
    Image.new("RGBA", (20, 10)).save(photos[0])
    results = cut(photos[:2], memory=SharedMemory(212 * 12, is_hard=True))
    assert kinds(results) == ["CutFailure", "CutReport"]


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="pipes have no path here")
def test_a_pipe_that_is_given_as_a_file_is_read_once(tmp_path: Path, photos: list[Path]) -> None:
    names = []
    for content in (photos[3].read_bytes(), b"hello", b""):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        names.append((Path(f"/dev/fd/{reading}"), reading))
    made = [tmp_path / f"{number}.png" for number in range(3)]
    pipes = [path for path, _ in names]
    photo, text, nothing = cut_photos(Counting(), pipes, made, CutOptions())
    for _, reading in names:
        os.close(reading)
    assert isinstance(photo, CutReport)
    assert image_size(made[0]) == image_size(photos[3])
    for result, path, reason in ((text, pipes[1], "not an image"), (nothing, pipes[2], "empty")):
        assert isinstance(result, CutFailure)
        assert str(result.error).startswith(f"{path} is {reason}")


def test_a_budget_is_shared_between_network_and_photos(tiny_model: Path) -> None:
    predictor = load(tiny_model, "cpu")
    jobs, shared = planned(predictor, 4, None)
    assert jobs == 4
    whole = load(tiny_model, "cpu", views())
    assert planned(whole, 4, BASE + 2 * network_bytes(2 * 704**2, 1))[0] == 2
    assert whole.most_pixels >= 704**2
    jobs, shared = planned(predictor, 4, BASE + 60 * 10**6)
    assert jobs == 1
    assert predictor.most_pixels < 300**2
    with shared.taken(10**6):
        pass


def resumed(photos: list[Path], settings: Mapping[str, Any], resume: bool = True) -> list[Result]:
    with Record(photos[0].parents[1] / "out", settings, resume) as record:
        return cut(photos, jobs=2, record=record)


def test_resuming_skips_what_is_whole_and_the_same(photos: list[Path]) -> None:
    assert kinds(resumed(photos, {"a": 1}, resume=False)) == ["CutReport"] * 12
    made = outputs(photos)
    before = [path.stat().st_mtime_ns for path in made]
    made[1].unlink()
    made[2].write_bytes(made[2].read_bytes()[:-1])
    Image.new("RGB", (5, 5)).save(photos[3])
    os.utime(photos[4], ns=(0, 12345))
    results = resumed(photos, {"a": 1})
    assert [number for number, result in enumerate(results) if isinstance(result, CutReport)] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    assert [path.stat().st_mtime_ns for path in made[5:]] == before[5:]
    assert kinds(resumed(photos, {"a": 1})) == ["CutSkipped"] * 12
    assert kinds(resumed(photos, {"a": 2})) == ["CutReport"] * 12
    assert kinds(resumed(photos, {"a": 2}, resume=False)) == ["CutReport"] * 12


def test_a_result_of_another_photo_is_not_taken_for_it(photos: list[Path]) -> None:
    resumed(photos, {})
    out = outputs(photos)
    with Record(out[0].parent, {}, True) as record:
        (result,) = cut_photos(Counting(), [photos[1]], [out[0]], CutOptions(), record=record)
    assert isinstance(result, CutReport)


def test_lines_that_are_none_are_passed_over(photos: list[Path]) -> None:
    resumed(photos, {})
    path = outputs(photos)[0].parent / RECORD_NAME
    path.write_bytes(b"\xff\n[3]\n" + path.read_bytes()[:-9])
    assert kinds(resumed(photos, {})).count("CutReport") == 1
    assert kinds(resumed(photos, {})) == ["CutSkipped"] * 12


def test_a_record_needs_a_folder(tmp_path: Path) -> None:
    for output in (None, str(tmp_path / "out.png")):
        with pytest.raises(ValueError, match="name one with -o"):
            record_of(output, {}, resume=True)


def test_a_file_is_no_folder_for_a_record_in_capitals_either(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name one with -o"):
        record_of(str(tmp_path / "OUT.PNG"), {}, resume=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_named_like_a_file_has_a_record(tmp_path: Path) -> None:
    for output in (f"{tmp_path / 'new.png'}{os.sep}", str(tmp_path / "new.png")):
        with record_of(output, {}, resume=True):
            assert (tmp_path / "new.png" / RECORD_NAME).is_file()


def test_the_report_is_not_the_record(tmp_path: Path) -> None:
    earlier = tmp_path / RECORD_NAME
    earlier.write_text("of an earlier run")
    for name in (RECORD_NAME, RECORD_NAME.upper(), f"a/../{RECORD_NAME}"):
        with pytest.raises(ValueError, match=r"is the record that --resume reads; choose another"):
            record_of(str(tmp_path), {}, False, tmp_path / name)
    assert earlier.read_text() == "of an earlier run"
    with record_of(str(tmp_path), {}, False, tmp_path / "report.jsonl"):
        pass


def test_options_that_differ_have_plain_values_that_differ() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    options = [
        CutOptions(),
        CutOptions(matte=True),
        CutOptions(crop=Margin()),
        CutOptions(crop=Margin(0.1)),
        CutOptions(subject=Point(1, 2)),
        CutOptions(output_format=FORMATS["png16"]),
        CutOptions(background=Background()),
        CutOptions(background=Background(colour=(0, 0, 0))),
        CutOptions(background=Background(picture=picture)),
        CutOptions(background=Background(picture=picture + np.uint8(1))),
    ]
    plain = [json.dumps(plain_options(each)) for each in options]
    assert len(set(plain)) == len(options)
    assert json.dumps(plain_options(replace(options[0], max_pixels=5))) == plain[0]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux'")
def test_a_kill_at_any_moment_leaves_only_whole_files(tmp_path: Path) -> None:
    """Large noise, so that writing takes its time; killed at several moments, then resumed."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    for number in range(6):
        Image.fromarray(noise).save(source / f"{number}.png")
    program = (
        "import sys, time; from pathlib import Path; import numpy as np\n"
        "from animatte.batch import Record, cut_photos; from animatte.cutting import CutOptions\n"
        "from animatte.looks import Matte\n"
        "class P:\n"
        "    def matte(self, image, /): return Matte(np.full(image.size, 1, 'f4'))\n"
        "photos = sorted(Path(sys.argv[1]).iterdir()); out = Path(sys.argv[2])\n"
        "with Record(out, {}, True) as record:\n"
        "    targets = [out / photo.name for photo in photos]\n"
        "    options = CutOptions()\n"
        "    for result in cut_photos(P(), photos, targets, options, jobs=2, record=record):\n"
        "        print(type(result).__name__, flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(source), str(out)]
    for lines in (1, 2, 3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(lines):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        for path in out.iterdir():
            if path.name != RECORD_NAME:
                assert path.suffix == ".png", path
                assert np.asarray(Image.open(path)).shape == (900, 900, 4)
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(done) == 6
    assert "CutSkipped" in done
