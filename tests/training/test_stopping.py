"""When a training stops by itself, and when it is asked to."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from animatte.training.checkpoints import saved_states
from animatte.training.loop import train
from animatte.training.recipe import read_recipe
from animatte.training.stopping import (
    DivergedError,
    divergence,
    is_astray,
    running_mean,
    stop_request,
)


@pytest.mark.parametrize(
    ("loss", "usual", "explosion", "expected"),
    [
        (math.nan, None, None, True),
        (math.inf, 1.0, 20.0, True),
        (19.0, 1.0, 20.0, False),
        (21.0, 1.0, 20.0, True),
        (21.0, 1.0, None, False),
        (21.0, None, 20.0, False),
    ],
)
def test_a_loss_is_astray_if_no_number_or_many_times_the_usual(
    loss: float, usual: float | None, explosion: float | None, expected: bool
) -> None:
    assert is_astray(loss, usual, explosion) is expected


def test_the_usual_loss_follows_slowly() -> None:
    usual: float | None = None
    for _ in range(100):
        usual = running_mean(usual, 3.0)
    assert usual == pytest.approx(3.0)
    assert running_mean(usual, 103.0) == pytest.approx(8.0)


def test_a_training_that_diverges_stops_and_keeps_its_last_good_checkpoint(
    shared_recipe: Path, tmp_path: Path
) -> None:
    wild = "stages.0.optimiser={kind: sgd, rate: 1e+30, schedule: {kind: constant, warmup: 0}}"
    recipe = read_recipe(shared_recipe, [wild, "save_every=1", "explosion=null"])
    with pytest.raises(DivergedError, match=r"at step [12] \(about .* in the batch: \d, \d;") as it:
        train(recipe, tmp_path)
    (kept, *more) = saved_states(tmp_path)[::-1]
    assert f"{kept} is kept" in str(it.value)
    assert "\n" not in str(it.value)
    assert len(more) <= 1


def test_a_loss_that_explodes_stops_the_training(shared_recipe: Path, tmp_path: Path) -> None:
    recipe = read_recipe(shared_recipe, ["explosion=1e-3"])
    with pytest.raises(DivergedError, match=r"the loss is \d.* at step 1 .*no checkpoint"):
        train(recipe, tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_long_batch_is_named_in_part() -> None:
    error = divergence("the loss is nan", 7, None, [f"cat{i}" for i in range(40)], "x is kept")
    assert "cat23 and 16 more" in str(error)


def test_the_second_request_to_stop_acts_at_once() -> None:
    asked: list[bool] = []
    with pytest.raises(KeyboardInterrupt), stop_request() as request:
        for _ in range(3):
            asked.append(request.asked)
            os.kill(os.getpid(), signal.SIGINT)
    assert asked == [False, True]


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_asked_of_the_whole_group_is_saved_too(
    shared_recipe: Path, tmp_path: Path, asked: signal.Signals
) -> None:
    command = [sys.executable, "-m", "animatte", "train", str(shared_recipe), "-o", str(tmp_path)]
    long = ["data.workers=1", "log_every=1", "stages.0.phases.0.steps=100000"]
    process = subprocess.Popen(
        [*command, *long], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    log = tmp_path / "metrics.jsonl"
    while process.poll() is None and not (log.exists() and log.stat().st_size):
        time.sleep(0.1)
    os.killpg(process.pid, asked)
    told, _ = process.communicate(timeout=100)
    assert b"the state is saved" in told, told
    assert process.returncode == 130
    assert saved_states(tmp_path)
