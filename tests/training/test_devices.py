"""Several processes, accumulated parts, mixed precision, compilation: one result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from animatte.models.registry import GFM_CONFIGS, built_encoder
from animatte.training.devices import check_parts, compiler_works, shares
from animatte.training.loop import train
from animatte.training.recipe import read_recipe
from animatte.training.schedule import plans
from animatte.training.sources import network_of
from animatte.training.state import set_training_mode

# Each process and each part has statistics of its own, so that only frozen ones give one result.
# SGD, since AdamW's first steps tell the sign of the least difference.
ALIKE = (
    "stages.0.statistics=[]",
    "stages.0.phases=[{steps: 2, size: 64, batch: 4}]",
    "stages.0.optimiser={kind: sgd, rate: 0.05, encoder_rate: 0.05, ema: 0.5}",
)


class Process(NamedTuple):
    """What a share of a batch depends on."""

    process_index: int
    num_processes: int
    gradient_accumulation_steps: int


def close(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-4, atol=1e-6, msg=name)


def alone(recipe_file: Path, folder: Path, *overrides: str) -> dict[str, Tensor]:
    return load_file(train(read_recipe(recipe_file, [*ALIKE, *overrides]), folder))


def logged_scores(folder: Path) -> list[float]:
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [each["validation"]["discs"]["mad"] for each in records if "validation" in each]


def test_two_processes_end_with_the_weights_of_one(shared_recipe: Path, tmp_path: Path) -> None:
    root = shared_recipe.parent / "data"
    watched = f"validation={{root: {root}, folders: [discs], every: 1, pictures: 3}}"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    verb = ["-m", "animatte", "train", str(shared_recipe), "-o", str(tmp_path / "two")]
    done = subprocess.run(
        [sys.executable, *launcher, *verb, *ALIKE, watched],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "two/tiny.safetensors")
    assert done.stdout.count("tiny.safetensors") == 1  # the second process keeps silent
    one = alone(shared_recipe, tmp_path / "one", watched)
    close(one, load_file(tmp_path / "two/tiny.safetensors"))
    shorter = alone(shared_recipe, tmp_path / "shorter", "stages.0.phases.0.steps=1")
    with pytest.raises(AssertionError):
        close(one, shorter)  # so the comparison sees what a step changes
    scores = [logged_scores(tmp_path / name) for name in ("one", "two")]
    assert scores[0] == pytest.approx(scores[1], rel=1e-4)


def test_a_batch_in_accumulated_parts_ends_with_the_weights_of_a_whole_one(
    shared_recipe: Path, tmp_path: Path
) -> None:
    whole = alone(shared_recipe, tmp_path / "whole")
    close(whole, alone(shared_recipe, tmp_path / "parts", "accumulation=2"))


def test_processes_and_parts_share_each_batch_without_gap_or_overlap(
    shared_recipe: Path,
) -> None:
    recipe = read_recipe(shared_recipe, ["stages.0.phases=[{steps: 3, size: 64, batch: 12}]"])
    (plan,) = plans(recipe.stages, 10)
    processes = [Process(index, 3, 2) for index in range(3)]
    owned_shares = (shares(plan.requests(0, 3), process) for process in processes)
    for step, owned in enumerate(zip(*owned_shares, strict=True)):
        parts = [part for own in owned for part in own]
        assert [len(part) for part in parts] == [2] * 6
        positions = [request.position for part in parts for request in part]
        assert positions == list(range(12 * step, 12 * step + 12))


def test_a_batch_that_does_not_part_evenly_is_refused(shared_recipe: Path, tmp_path: Path) -> None:
    recipe = read_recipe(shared_recipe)
    with pytest.raises(ValueError, match=r"batch of 2 .* among 3 processes .* multiple of 3"):
        check_parts(recipe.stages, processes=3, accumulation=1)
    with pytest.raises(ValueError, match="accumulation is 4, which does not divide a batch of 2"):
        read_recipe(shared_recipe, ["accumulation=4"])


def test_bfloat16_trains_too(shared_recipe: Path, tmp_path: Path) -> None:
    half = alone(shared_recipe, tmp_path / "half", "precision=bf16")
    assert all(torch.isfinite(value).all() for value in half.values())
    full = alone(shared_recipe, tmp_path / "full")
    assert not all(torch.equal(value, full[name]) for name, value in half.items())


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU knows fp16")
def test_a_precision_that_the_device_does_not_know_is_refused(
    shared_recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="precision fp16 cannot be had on a CPU") as caught:
        train(read_recipe(shared_recipe, ["precision=fp16"]), tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_a_compiled_network_learns_the_same(
    shared_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = alone(shared_recipe, tmp_path / "whole")
    graphs: list[Any] = []

    def counted(graph: torch.fx.GraphModule, _inputs: Any) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    # The graphs are taken but run as they are: what a compiler makes of them takes minutes.
    compiled: Any = partial(torch.compile, backend=counted)
    monkeypatch.setattr(torch, "compile", lambda model, **_: compiled(model))
    close(whole, alone(shared_recipe, tmp_path / "compiled", "compile=true"))
    assert len(graphs) > 1


def test_without_a_compiler_a_line_says_that_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_graph: torch.fx.GraphModule, _inputs: Any) -> nn.Module:
        raise RuntimeError("no C++ compiler\nand more")

    compiled: Any = partial(torch.compile, backend=broken)
    monkeypatch.setattr(torch, "compile", lambda model, **_: compiled(model))
    notes: list[str] = []
    assert not compiler_works(notes.append)
    (note,) = notes
    assert "not compiled" in note
    assert "no C++ compiler" in note
    assert "\n" not in note


def test_batch_norm_over_several_gpus_can_be_frozen_too(shared_recipe: Path) -> None:
    recipe = read_recipe(shared_recipe)
    network, _ = network_of(recipe.network)
    names = network.state_dict().keys()
    nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    assert network.state_dict().keys() == names
    (section,) = recipe.stages
    set_training_mode(network, section.model_copy(update={"statistics": ("trunk.context",)}))
    norms = {
        name: module.training
        for name, module in network.named_modules()
        if isinstance(module, nn.SyncBatchNorm)
    }
    assert norms
    assert all(training == name.startswith("trunk.context.") for name, training in norms.items())


def test_an_encoder_s_folded_batch_norm_stays_frozen_over_several_gpus() -> None:
    encoder = built_encoder(GFM_CONFIGS["animatte-s"].encoder)
    nn.SyncBatchNorm.convert_sync_batchnorm(encoder)  # type: ignore[no-untyped-call]
    encoder.train()
    norms = [
        module
        for module in encoder.get_submodule("features").modules()
        if isinstance(module, nn.SyncBatchNorm)
    ]
    assert norms
    assert not any(norm.training for norm in norms)
