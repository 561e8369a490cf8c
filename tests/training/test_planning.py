"""What a plan says of a training without training it."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.training.planning import PhasePlan, plan_lines, spelt_time, training_plan
from animatte.training.recipe import read_recipe
from animatte.training.sources import network_of


def test_a_plan_counts_what_a_training_would_take_and_writes_nothing(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    phases = "[{steps: 7, size: 64, batch: 2}, {steps: 3, size: 64, batch: 4}]"
    overrides = [f"stages.0.phases={phases}", "network.frozen=[features.0]"]
    recipe = read_recipe(recipe_file, overrides)
    plan = training_plan(recipe)
    assert sorted(tmp_path.rglob("*")) == before
    network, _ = network_of(recipe.network)
    parameters = sum(each.numel() for each in network.parameters())
    still = sum(each.numel() for each in network.encoder.features[0].parameters())  # type: ignore[union-attr,index]
    assert (plan.parameters, plan.trained) == (parameters, parameters - still)
    assert plan.gradients == 4 * plan.trained
    assert plan.optimiser >= 2 * plan.gradients  # AdamW's two moments
    first, second = plan.phases
    assert second.activations == pytest.approx(2 * first.activations, rel=0.05)
    assert plan.epoch == 8
    lines = list(plan_lines(plan))
    assert lines[-1].startswith("in all: 10 steps, 26 samples, about ")
    assert "million parameters" in lines[0]


def test_examples_are_made_while_others_are_learned_from_if_processes_make_them() -> None:
    def phase(workers: int, example_seconds: float) -> PhasePlan:
        return PhasePlan("all", 10, 4, 64, 1.0, example_seconds, workers, 0)

    assert phase(0, 0.1).seconds == pytest.approx(14)
    assert phase(1, 0.1).seconds == pytest.approx(10)
    assert phase(1, 0.5).seconds == pytest.approx(20)
    assert phase(2, 0.5).seconds == pytest.approx(10)


def test_times_are_spelt_as_one_says_them() -> None:
    assert [spelt_time(each) for each in (45, 720, 12_000)] == ["45 s", "12 min", "3 h 20 min"]
