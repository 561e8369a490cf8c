"""Recipe files: names of shipped ones, parameters, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from animatte.cli import app
from animatte.training.recipe import read_recipe
from animatte.training.recipe_files import recipe_values, shipped_recipes

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[2]
FAMILY = """
parameters:
  root: data
  size: {small: {stages.0.size: 64}, large: {stages.0.size: 128, batch: 2}}
  kind: {plain: {}, fancy: {name: "{size} fancy"}}
name: net-{size}-{kind}
root: "{root}/pictures"
stages: [{size: 0}]
"""


@pytest.fixture
def family(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(FAMILY)
    return path


def test_the_first_option_is_taken_and_values_are_written_where_they_are_named(
    family: Path,
) -> None:
    assert recipe_values(family) == {
        "name": "net-small-plain",
        "root": "data/pictures",
        "stages": [{"size": 64}],
    }


def test_parameters_are_given_like_values_and_values_win(family: Path) -> None:
    values = recipe_values(family, ["stages.0.size=96", "kind=fancy", "root=/far", "size=large"])
    assert values == {
        "name": "large fancy",
        "root": "/far/pictures",
        "stages": [{"size": 96}],
        "batch": 2,
    }


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("size=smal", "size: expected one of small, large, given 'smal'; did you mean small"),
        ("size", "no '='"),
        ("=3", "no '='"),
        ("root={", "not YAML"),
        ("stages.1.size=3", "no place 'stages.1.size'"),
        ("name.first=3", "no place 'name.first'"),
        ("stages.first=3", "no place 'stages.first'"),
    ],
)
def test_a_wrong_override_is_named(family: Path, override: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        recipe_values(family, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: {c: 2, c: 3}", "the key 'c' is there twice"),
        ("parameters: 3", "parameters is no mapping"),
        ("parameters: {a: {b: 3}}", "parameters.a.b: expected a mapping of keys to values"),
        ("parameters: {a: {b: {x.y: 3}}}\nx: 2", "parameters.a.b: the recipe has no place 'x.y'"),
        ("\x00", "not YAML"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint) as caught:
        recipe_values(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ValueError, match="not YAML"):
        recipe_values(path)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("gfm", "gfm-r34-tt-ori"),
        ("gfm-r34-tt", "gfm-r34-tt-ori"),
        ("gfm-d121-rim", "gfm-d121-rim-ori"),
        ("gfm-r34_2b-bt-rssn", "gfm-r34_2b-bt-rssn"),
        ("gfm-coco", "gfm-r34-tt-coco"),
        ("smoke", "smoke"),
        ("labeller-first", "labeller-first"),
    ],
)
def test_a_shipped_recipe_is_known_by_its_name_from_anywhere(
    name: str, full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_recipe(Path(name)).name == full


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("gfm-r35-tt", "gfm-r35-tt is no file and no shipped recipe, of which gfm-r34-tt-ori"),
        ("smoek", "of which smoke is the nearest; list them with: animatte train --list"),
        ("gfm-tt-ft", "says tt and ft; rosta can be one of them"),
        ("gone/smoke", "gone/smoke is no file"),
        ("smoke.yml", "smoke.yml is no file"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        recipe_values(Path(name))


def test_every_listed_name_is_a_recipe_of_that_name() -> None:
    names = [name for family in shipped_recipes().values() for name in family]
    assert len(names) == len(set(names)) > 48
    assert all(read_recipe(Path(name)).name == name for name in names)


def test_the_list_is_short_and_has_every_family() -> None:
    result = CliRunner().invoke(app, ["train", "--list"])
    assert result.exit_code == 0
    assert "gfm-{r34,r34_2b,d121,r101}-{tt,ft,bt,rim}-{ori,rssn,coco}\n" in result.stdout
    assert result.stdout.split() == list(shipped_recipes())


def test_the_package_carries_every_recipe() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    files = [path.name for path in (ROOT / "recipes").glob("*.yaml")]
    assert carried == {f"recipes/{name}": f"animatte/recipes/{name}" for name in files}
