"""What a user reads when a recipe is wrong: the whole line."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.training.recipe import read_recipe

PHASE = "a mapping with the keys batch, epochs, scale, size, steps"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("sed=7", "sed: there is no such key; did you mean seed?"),
        ("seed=true", "seed: expected a whole number, given true"),
        ("seed=1.5", "seed: expected a whole number, given 1.5"),
        ("seed='7'", 'seed: expected a whole number, given "7"'),
        ("name=null", "name: expected a text, given null"),
        ("precision=bf61", 'given "bf61"; did you mean bf16?'),
        ("data.root=3", "data.root: expected a path, given 3"),
        ("networ.name=x", "networ: there is no such key; did you mean network?"),
        ("rate=1", "rate: there is no such key; did you mean stages.0.optimiser.rate?"),
        ("zzz=1", "zzz: there is no such key; the keys here are accumulation, "),
        ("data.sources.0.foldr=x", "data.sources.0.foldr: there is no such key; did you mean fol"),
        ("data.sources.0.fur=2", "fur: expected a number at least 0 and at most 1, given 2"),
        ("data.sources=[3]", "data.sources.0: expected a mapping with the keys dataset, "),
        ("data.sources=3", "data.sources: expected a list that is not empty, each a mapping "),
        ("data.view.crops=[1, x]", 'data.view.crops.1: expected a whole number above 0, given "x"'),
        ("data.composition.track=rsnn", 'given "rsnn"; did you mean rssn?'),
        (
            "network.encoder_anew=true",
            "network: encoder_anew takes all but the encoder from initial",
        ),
        ("network.initial=5", "initial: expected a path or a list, each a path or null, given 5"),
        ("network.rosta=XT", "network.rosta: expected one of TT, FT, BT, RIM or null, given"),
        ("stages.0.phases.0.size=65", "size: expected a whole number above 0 and a multiple of 32"),
        ("stages.0.phases.0.scale=[1]", "scale.1: it is missing; expected a number above 0"),
        ("stages.0.phases.0.scale=[1, 2, 3]", "phases.0.scale: expected a list of 2: a number"),
        ("stages.0.phases.0=null", f"stages.0.phases.0: expected {PHASE}, given null"),
        (
            "stages.0.phases=[]",
            f"phases: expected a list that is not empty, each {PHASE}, given []",
        ),
        (
            "stages.0.loss={}",
            "stages.0.loss: expected a mapping that is not empty, each value a nu",
        ),
        ("stages.0.loss.glance=x", 'stages.0.loss.glance: expected a number, given "x"'),
        (
            "stages.0.optimizer.rate=1",
            "stages.0.optimizer: there is no such key; did you mean opti",
        ),
        (
            "stages.0.optimiser.rate=.nan",
            "stages.0.optimiser.rate: expected a number above 0, give",
        ),
        (
            "stages.0.optimiser.encoder_rate=x",
            "encoder_rate: expected a number above 0 or null, gi",
        ),
        (
            "stages.0.optimiser.schedule={kind: square}",
            "stages.0.optimiser.schedule.kind: expected one of ",
        ),
        (
            "stages.0.optimiser.schedule={kind: triangular, lowst: 1}",
            "schedule.lowst: there is no such key; did you mean lowest?",
        ),
        (
            "stages.0.optimiser.schedule={kind: triangular, lowest: 2}",
            "stages.0.optimiser.schedule.lowest: expected a number above 0 and at most 1, given 2",
        ),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_a_line_names_the_key_what_was_expected_and_the_nearest(
    recipe_file: Path, override: str, line: str, in_file: bool
) -> None:
    overrides = [override]
    if in_file:
        # As a parameter's option puts it, which is as it would stand in the file.
        key, _, value = override.partition("=")
        text = f"parameters: {{wrong: {{yes_: {{'{key}': {value}}}}}}}\n"
        recipe_file.write_text(text + recipe_file.read_text())
        overrides = []
    with pytest.raises(ValueError, match=r"tiny\.yaml") as caught:
        read_recipe(recipe_file, overrides)
    assert line in str(caught.value)
    assert str(caught.value).startswith(f"{recipe_file}: ")
    assert "\n" not in str(caught.value)


def test_a_number_with_an_exponent_is_a_number(recipe_file: Path) -> None:
    overrides = ["stages.0.optimiser.rate=1e-3", "stages.0.optimiser.encoder_rate=2E+1"]
    optimiser = read_recipe(recipe_file, overrides).stages[0].optimiser
    assert (optimiser.rate, optimiser.encoder_rate) == (1e-3, 20.0)


def test_a_missing_section_is_named_with_its_keys(recipe_file: Path) -> None:
    text = recipe_file.read_text().replace("network:\n  name: animatte-s\n", "")
    recipe_file.write_text(text)
    with pytest.raises(ValueError, match="network: it is missing; expected a mapping with the key"):
        read_recipe(recipe_file)
