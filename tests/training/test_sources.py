"""From a recipe to the pictures that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.training.recipe import read_recipe
from animatte.training.sources import included, stream_of


def as_am2k(discs: Path) -> Path:
    """Rename the folders of the discs as AM-2k has them."""
    root = discs.parent / "AM-2k"
    (root / "train").mkdir(parents=True)
    (discs / "image").rename(root / "train/original")
    (discs / "alpha").rename(root / "train/mask")
    return root


def test_a_source_may_be_a_published_data_set(recipe_file: Path, discs: Path) -> None:
    as_am2k(discs)
    source = "data.sources=[{folder: AM-2k, dataset: am2k, split: train, exclude: ['3']}]"
    recipe = read_recipe(recipe_file, [source])
    (section,) = recipe.data.sources
    names = [pair.name for pair in included(recipe.data.root, section)]
    assert names == ["0", "1", "2", "4", "5", "6", "7"]
    assert stream_of(recipe.data, recipe.seed).epoch_length == 7


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{folder: x, dataset: am3k}", "'am3k' is unknown; choose one of am2k, "),
        ("{folder: x, dataset: am2k, split: test}", "no split 'test'; choose one of train"),
        ("{folder: x, split: train}", "give dataset too"),
    ],
)
def test_an_unknown_data_set_or_split_is_refused(
    recipe_file: Path, source: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_recipe(recipe_file, [f"data.sources=[{source}]"])


def test_of_a_source_those_that_a_table_lists_may_be_taken_alone(
    recipe_file: Path, tmp_path: Path
) -> None:
    hard = tmp_path / "hard.csv"
    hard.write_text("set,name,kind\ndiscs,3,add\ndiscs,3,erase\ndiscs,5,add\nothers,1,add\n")
    source = f"data.sources=[{{folder: discs}}, {{folder: discs, only: {hard}}}]"
    recipe = read_recipe(recipe_file, [source])
    whole, few = (
        [pair.name for pair in included(recipe.data.root, section)]
        for section in recipe.data.sources
    )
    assert (len(whole), few) == (8, ["3", "5"])
    hard.write_text("set,name\nothers,1\n")
    with pytest.raises(ValueError, match=r"hard.csv lists no picture of .*discs; it must name"):
        included(recipe.data.root, recipe.data.sources[1])
    hard.unlink()
    with pytest.raises(ValueError, match=r"data.sources.1: .*hard.csv: No such file"):
        stream_of(recipe.data, recipe.seed)


@pytest.mark.parametrize("switch", ["hidden", "nested"])
def test_things_need_backgrounds(recipe_file: Path, switch: str) -> None:
    recipe = read_recipe(recipe_file, ["data.backgrounds=null", f"data.composition.{switch}=0.1"])
    with pytest.raises(ValueError, match=rf"data\.composition\.{switch} takes colours from"):
        stream_of(recipe.data, recipe.seed)


def test_other_backgrounds_are_asked_for_only_where_there_are_some(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file, ["data.sources.0.replaced=0.5", "data.backgrounds=null"])
    with pytest.raises(
        ValueError, match=r"data\.sources\.0\.replaced is 0\.5, and there is nothing"
    ):
        stream_of(recipe.data, recipe.seed)
