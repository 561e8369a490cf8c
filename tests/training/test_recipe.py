"""Recipes: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.training.recipe import PhaseSection, read_recipe
from animatte.training.schedule import rate_factor, requests

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.num_steps > 0


def test_overrides_replace_values_by_path(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file, ["seed=7", "phases.1.steps=9", "optimiser.rate=1e-3"])
    assert (recipe.seed, recipe.phases[1].steps, recipe.optimiser.rate) == (7, 9, 1e-3)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("sed=7", "sed"),
        ("phases.0.size=65", r"phases\.0\.size.*multiple of 32"),
        ("phases.0.steps=many", r"phases\.0\.steps"),
        ("phases=[]", "phases"),
        ("optimiser.ema=2", r"optimiser\.ema"),
        ("network.rosta=XT", r"network\.rosta"),
        ("seed", "has no '='"),
        ("phases.7.steps=1", "phases.7.steps"),
        ("seed.inner=1", "seed"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(
    recipe_file: Path, override: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        read_recipe(recipe_file, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"), [("a: [", "not YAML"), ("- a", "no mapping"), ("name: x", "network")]
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_recipe(path)


def test_a_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no file"):
        read_recipe(tmp_path / "gone.yaml")


def test_no_position_is_asked_for_twice_and_none_is_left_out() -> None:
    phases = [PhaseSection(steps=3, size=64, batch=4), PhaseSection(steps=2, size=96, batch=2)]
    asked = [request for step in requests(phases, 0) for request in step]
    assert [request.position for request in asked] == list(range(16))
    assert [request.size for request in asked] == [64] * 12 + [96] * 4


def test_a_later_start_asks_for_what_an_early_one_would_have() -> None:
    phases = [PhaseSection(steps=3, size=64, batch=4), PhaseSection(steps=2, size=96, batch=2)]
    assert list(requests(phases, 2)) == list(requests(phases, 0))[2:]


def test_the_rate_warms_up_and_falls_to_nothing(recipe_file: Path) -> None:
    config = read_recipe(recipe_file, ["optimiser={warmup: 9, power: 1}"]).optimiser
    factors = [rate_factor(step, 100, config) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors.index(max(factors)) == 9
    assert factors[50] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0.01)
