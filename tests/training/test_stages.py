"""LFM's three stages: what each touches, and that stops between them leave no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor

from animatte.checkpoint import load_checkpoint
from animatte.models.late_fusion import LFM
from animatte.training.loop import train
from animatte.training.recipe import read_recipe

BRANCHES = {
    f"{branch}_{term}": 1.0
    for branch in ("foreground", "background")
    for term in ("cross_entropy", "difference", "gradient")
}
FUSION = {"fusion_difference": 1.0, "fusion_gradient": 1.0, "fusion_sparsity": 0.01}
SGD = {"kind": "sgd", "rate": 0.01, "encoder_rate": None, "ema": 0}
TRIANGLE = {"schedule": {"kind": "triangular", "lowest": 0.3, "half_cycle": 0.25}}


@pytest.fixture
def staged_file(tmp_path: Path, discs: Path) -> Path:
    """A recipe of LFM's three stages, two steps each, on the discs."""
    phases = [{"steps": 2, "size": 64, "batch": 2}]
    stages: list[dict[str, Any]] = [
        {
            "name": "segmentation",
            "trained": ["encoder", "foreground_decoder", "background_decoder"],
            "loss": BRANCHES,
        },
        {"name": "fusion", "trained": ["fusion"], "loss": FUSION},
        {"name": "joint", "statistics": [], "loss": {**FUSION, "foreground_difference": 0.5}},
    ]
    recipe = {
        "name": "staged",
        "network": {"name": "lfm-s"},
        "data": {"root": str(discs.parent), "sources": [{"folder": "discs"}], "workers": 0},
        "stages": [
            {**stage, "phases": phases, "optimiser": {**SGD, **TRIANGLE}} for stage in stages
        ],
        "save_every": 1,
    }
    path = tmp_path / "staged.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def is_statistic(name: str) -> bool:
    return name.endswith(("running_mean", "running_var"))


@pytest.fixture
def results(staged_file: Path, tmp_path: Path) -> dict[str, dict[str, Tensor]]:
    """Weights and statistics after each stage."""
    folder = tmp_path / "run"
    model = train(read_recipe(staged_file), folder)
    names = ("segmentation", "fusion", "joint")
    stages = {name: load_file(folder / f"staged.{name}.safetensors") for name in names}
    assert not changed(stages["joint"], load_file(model))
    return stages


def test_the_first_stage_trains_both_branches_and_their_statistics(
    staged_file: Path, tmp_path: Path, results: dict[str, dict[str, Tensor]]
) -> None:
    still = [f"stages.0.optimiser.{name}=1e-12" for name in ("rate", "encoder_rate")]
    train(read_recipe(staged_file, still), tmp_path / "still", last_step=2)
    first = load_file(tmp_path / "still/staged.segmentation.safetensors")
    moved = changed(first, results["segmentation"])
    for part in ("encoder.", "foreground_decoder.", "background_decoder."):
        assert any(name.startswith(part) for name in moved)
    assert not any(name.startswith("fusion.") for name in moved)
    fresh = torch.zeros(24)
    name = "foreground_decoder.blocks.4.norm.running_mean"
    assert not torch.equal(results["segmentation"][name], fresh)


def test_the_second_stage_touches_the_fusion_alone(
    results: dict[str, dict[str, Tensor]],
) -> None:
    moved = changed(results["segmentation"], results["fusion"])
    assert moved
    assert all(name.startswith("fusion.") for name in moved)
    assert any(is_statistic(name) for name in moved)


def test_the_third_stage_trains_all_and_leaves_statistics_alone(
    results: dict[str, dict[str, Tensor]],
) -> None:
    moved = changed(results["fusion"], results["joint"])
    assert not any(is_statistic(name) for name in moved)
    for part in ("encoder.", "foreground_decoder.", "background_decoder.", "fusion."):
        assert any(name.startswith(part) for name in moved)


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5])
def test_a_stop_in_or_between_stages_leaves_no_trace(
    staged_file: Path, tmp_path: Path, results: dict[str, dict[str, Tensor]], stop: int
) -> None:
    recipe = read_recipe(staged_file)
    train(recipe, tmp_path / "broken", last_step=stop)
    resumed = train(recipe, tmp_path / "broken")
    assert not changed(results["joint"], load_file(resumed))


def test_momentum_as_in_keras_is_resumed_exactly_too(staged_file: Path, tmp_path: Path) -> None:
    recipe = read_recipe(staged_file, ["stages.0.optimiser.rescaled_momentum=false"])
    whole = load_file(train(recipe, tmp_path / "whole", last_step=2))
    train(recipe, tmp_path / "broken", last_step=1)
    assert not changed(whole, load_file(train(recipe, tmp_path / "broken", last_step=2)))
    other = train(read_recipe(staged_file), tmp_path / "other", last_step=2)
    assert changed(whole, load_file(other))


def test_the_paper_reading_can_be_trained_by_too(staged_file: Path, tmp_path: Path) -> None:
    recipe = read_recipe(staged_file, ["stages.0.reading=paper", "precision=bf16"])
    network, _ = load_checkpoint(train(recipe, tmp_path / "run", last_step=3))
    assert isinstance(network, LFM)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
