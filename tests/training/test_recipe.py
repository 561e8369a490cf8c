"""Recipes: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.models.registry import gfm_config
from animatte.training.recipe import read_recipe
from animatte.training.schedule import plans
from animatte.training.sources import stream_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.name.startswith(path.stem)
    assert plans(recipe.stages, 100)[-1].end > 0


def test_overrides_replace_values_by_path(recipe_file: Path) -> None:
    recipe = read_recipe(
        recipe_file, ["seed=7", "stages.0.phases.1.steps=9", "stages.0.optimiser.rate=1e-3"]
    )
    (stage,) = recipe.stages
    assert (recipe.seed, stage.phases[1].steps, stage.optimiser.rate) == (7, 9, 1e-3)


def test_a_width_widens_the_network(recipe_file: Path) -> None:
    network = read_recipe(recipe_file, ["network.width=2"]).network
    assert network.config == gfm_config(network.name).widened(2)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("sed=7", "sed"),
        ("stages.0.phases.0.size=65", r"phases\.0\.size.*multiple of 32"),
        ("stages.0.phases.0.steps=many", r"phases\.0\.steps"),
        ("stages.0.phases=[]", "phases"),
        ("stages=[]", "stages"),
        ("stages.0.phases.0.scale=[1.2, 0.6]", r"scale is \[1\.2, 0\.6\]; give the least first"),
        ("stages.0.reading=paper", r"stages\.0\.reading is of late fusion's losses"),
        ("stages.0.phases.0.epochs=2", "steps or epochs"),
        ("stages.0.optimiser.schedule={kind: square}", "schedule"),
        ("stages=[{loss: {a: 1}, phases: [{size: 64, batch: 1}]}]", "steps or epochs"),
        ("stages.0.optimiser.ema=2", r"optimiser\.ema"),
        ("stages.0.loss.glanc=1", r"stages\.0\.loss\.glanc: .* did you mean glance"),
        ("stages.0.loss.fusion_sparsity=1", r"fusion_sparsity: animatte-s has no such term"),
        ("network={name: lfm}", r"stages\.0\.loss\.\w+: lfm has no such term; it has foreground_"),
        ("network={name: lfm, rosta: TT}", "has no RoSTa 'TT'"),
        ("network.name=r35", "network 'r35' is unknown; choose one of r34, "),
        ("network={name: lfm, width: 2}", "width is 2.0, but lfm has one width; leave it out"),
        ("network.width=0", r"network\.width"),
        ("network.rosta=RIM", "did you mean tt_"),
        ("network.rosta=XT", r"network\.rosta"),
        ("data.composition.track=rsnn", r"composition\.track"),
        ("data.composition.noise=7", r"composition\.noise"),
        ("data.sources.0.fur=2", r"sources\.0\.fur"),
        ("seed", "has no '='"),
        ("stages.0.phases.7.steps=1", "phases.7.steps"),
        ("seed.inner=1", "seed"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(
    recipe_file: Path, override: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        read_recipe(recipe_file, [override])
    assert "\n" not in str(caught.value)


def test_a_track_sets_the_switches_that_the_recipe_leaves_open(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file, ["data.composition={track: rssn, noise: 0.2}"])
    config = recipe.data.composition.config
    assert (config.noise, config.sharpness, config.num_backgrounds) == (0.2, 0.5, 5)
    assert config.placement == "fill"


def test_sources_take_the_track_s_share_of_composites_unless_they_say_so(
    recipe_file: Path, discs: Path
) -> None:
    somewhere = f"data.composition.objects={discs}/image"
    for changes, expected in (
        (["data.sources.0.replaced=null"], 0.35),
        (["data.sources.0.replaced=null", "data.composition.track=dim"], 1),
        (["data.sources.0.replaced=0.5", "data.composition.track=dim"], 0.5),
        (["data.sources.0.replaced=null", "data.composition.track=ori"], 0),
    ):
        stream = stream_of(read_recipe(recipe_file, [*changes, somewhere]).data, 0)
        assert stream.sources[0].replaced == expected


def test_where_backgrounds_lie_does_not_decide_what_a_training_is(recipe_file: Path) -> None:
    here, there = (
        read_recipe(recipe_file, [f"data.composition.objects={folder}"]) for folder in "ab"
    )
    assert here.decisive == there.decisive
    other = read_recipe(recipe_file, ["data.composition.noise=1"])
    assert here.decisive != other.decisive


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
