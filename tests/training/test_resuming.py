"""Stops, kills, full disks: a training goes on as if nothing had happened, or says why not."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from animatte.training import loop
from animatte.training.checkpoints import save_state, saved_states
from animatte.training.logs import Moment, Reporter
from animatte.training.loop import train
from animatte.training.recipe import read_recipe
from animatte.training.stopping import TrainingStopped

# A moving rate, an average and momenta that a resumed run must take up where they were.
LIVELY = "stages.0.optimiser={ema: 0.5, schedule: {kind: cosine, warmup: 2}}"
KILLS = 3


@pytest.fixture(scope="module")
def forkserver() -> multiprocessing.context.ForkServerContext:
    """Processes that need not import torch again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["animatte.training.loop"])
    return context


def trained(
    recipe_file: Path, folder: Path, *overrides: str, last_step: int | None = None
) -> dict[str, Tensor]:
    return load_file(train(read_recipe(recipe_file, [LIVELY, *overrides]), folder, last_step))


@pytest.fixture(scope="module")
def unbroken(shared_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Weights of a run that nothing stopped; on one thread, as sums depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    weights = trained(shared_recipe, tmp_path_factory.mktemp("unbroken"))
    torch.set_num_threads(threads)
    return weights


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def differing(first: dict[str, Tensor], second: dict[str, Tensor]) -> list[str]:
    return [name for name in first if not torch.equal(first[name], second[name])]


class Killer(Reporter):
    """Kills its process after a step, or while the next checkpoint is being written."""

    def __init__(self, step: int, in_writing: bool) -> None:
        self.step = step
        self.in_writing = in_writing

    def on_step(self, moment: Moment) -> None:
        if moment.step >= self.step:
            if not self.in_writing:
                os.kill(os.getpid(), signal.SIGKILL)
            vars(os)["fsync"] = lambda _: os.kill(os.getpid(), signal.SIGKILL)


def train_and_die(recipe_file: Path, folder: Path, step: int, in_writing: bool) -> None:
    torch.set_num_threads(1)
    recipe = read_recipe(recipe_file, [LIVELY, "data.workers=1", "save_every=1"])
    train(recipe, folder, reporter=Killer(step, in_writing))


@pytest.mark.usefixtures("one_thread")
def test_a_run_killed_at_random_steps_ends_with_the_weights_of_an_unbroken_one(
    shared_recipe: Path,
    tmp_path: Path,
    forkserver: multiprocessing.context.ForkServerContext,
    unbroken: dict[str, Tensor],
) -> None:
    folder = tmp_path / "killed"
    steps = sorted(random.Random(5).choices(range(1, 6), k=KILLS))
    for number, step in enumerate(steps):
        process = forkserver.Process(
            target=train_and_die, args=(shared_recipe, folder, step, number % 2 == 1)
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert differing(unbroken, trained(shared_recipe, folder)) == []
    assert not list(folder.rglob("*.part"))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_run_ends_with_the_weights_of_an_unbroken_one(
    shared_recipe: Path, tmp_path: Path, unbroken: dict[str, Tensor], stop: int
) -> None:
    trained(shared_recipe, tmp_path, last_step=stop)
    assert differing(unbroken, trained(shared_recipe, tmp_path)) == []


def test_the_log_of_a_killed_run_tells_every_step_once(shared_recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    trained(shared_recipe, folder, "log_every=1", last_step=5)
    saved_states(folder)[-1].unlink()  # as if it had been killed after logging, before saving
    trained(shared_recipe, folder, "log_every=1")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5, 6]


class Interrupter(Reporter):
    def on_step(self, moment: Moment) -> None:
        if moment.step == 3:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("one_thread")
def test_ctrl_c_saves_and_says_how_to_go_on(
    shared_recipe: Path, tmp_path: Path, unbroken: dict[str, Tensor]
) -> None:
    folder = tmp_path / "run"
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingStopped, match=r"after step [34] of 6; the state is saved"):
        train(read_recipe(shared_recipe, [LIVELY]), folder, reporter=Interrupter())
    assert signal.getsignal(signal.SIGINT) is before
    assert differing(unbroken, trained(shared_recipe, folder)) == []


class NotedLines(Reporter):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_note(self, line: str) -> None:
        self.lines.append(line)


def test_a_resumed_run_says_from_where_and_whether_its_data_have_changed(
    recipe_file: Path, tmp_path: Path, discs: Path
) -> None:
    folder = tmp_path / "run"
    for expected in ([], ["goes on after step 1"], ["goes on after step 2", "data are not what"]):
        notes = NotedLines()
        steps = len(expected) + 1
        train(read_recipe(recipe_file), folder, last_step=steps, reporter=notes)
        assert len(notes.lines) == len(expected)
        assert all(part in line for part, line in zip(expected, notes.lines, strict=True))
        if steps == 2:
            (discs / "image/7.png").write_bytes((discs / "image/6.png").read_bytes())
    starts = json.loads((folder / "starts.json").read_text())
    assert [start["step"] for start in starts] == [0, 1, 2]


def test_the_last_checkpoints_are_kept(shared_recipe: Path, tmp_path: Path) -> None:
    trained(shared_recipe, tmp_path / "run", "save_every=1", "keep=3")
    names = [path.name for path in saved_states(tmp_path / "run")]
    assert names == ["step-00000004.pt", "step-00000005.pt", "step-00000006.pt"]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_in_a_line_and_costs_no_earlier_checkpoint(tmp_path: Path) -> None:
    save_state(tmp_path, 1, {"weights": torch.ones(3)}, keep=1)
    full = pytest.raises(OSError, match=r"step-00000002\.pt could not be written: File too large")
    with files_no_larger_than(100_000), full as caught:
        save_state(tmp_path, 2, {"weights": torch.ones(1_000_000)}, keep=1)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001.pt"]


def test_a_model_that_finds_no_room_leaves_the_one_before(
    shared_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(read_recipe(shared_recipe), tmp_path / "run", last_step=1)
    before = model.read_bytes()

    def save_on_a_full_disk(*arguments: Any) -> Path:
        with files_no_larger_than(100_000):
            return save_model(*arguments)

    save_model = loop.save_model
    monkeypatch.setattr(loop, "save_model", save_on_a_full_disk)
    with pytest.raises(OSError, match=r"tiny\.safetensors could not be written"):
        train(read_recipe(shared_recipe), tmp_path / "run", last_step=1)
    assert model.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_refused(
    shared_recipe: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "run/checkpoints/step-00000003.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"step-00000003\.pt is no whole checkpoint") as caught:
        trained(shared_recipe, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_a_run_is_not_resumed_by_another_recipe(shared_recipe: Path, tmp_path: Path) -> None:
    trained(shared_recipe, tmp_path / "run", last_step=1)
    change = r"begun with another recipe: stages\.0\.optimiser\.rate was 0\.0015, is 1e-05; choose"
    with pytest.raises(ValueError, match=change):
        trained(shared_recipe, tmp_path / "run", "stages.0.optimiser.rate=1e-5")
    trained(shared_recipe, tmp_path / "run", "data.workers=1", "save_every=3", last_step=2)
