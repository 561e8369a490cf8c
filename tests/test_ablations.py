"""The ablation benchmark on a tiny network and pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks import ablations
from tests.training.conftest import write_discs, written_recipe

from animatte.training.recipe import read_recipe

SHORT = ["--steps", "1", "--size", "64", "--batch", "2", "--count", "1"]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of two sources; one of them can be left out."""
    for name in ("discs", "more"):
        write_discs(tmp_path / "train" / name, 2)
        write_discs(tmp_path / "validation" / name, 1)
    path = written_recipe(tmp_path / "tiny.yaml", tmp_path / "train", "tiny")
    text = path.read_text().replace("sources:", "sources:\n  - {folder: more, replaced: 0}", 1)
    path.write_text(text)
    return path


def test_variants_change_one_thing_each(recipe: Path) -> None:
    plain = read_recipe(recipe)
    known = ablations.variants(plain, steps=3)
    changed = {name: read_recipe(recipe, overrides) for name, overrides in known.items()}
    assert changed.pop(ablations.REFERENCE) == plain
    assert all(each != plain for each in changed.values())
    (kept,) = changed["without more"].data.sources
    assert str(kept.folder) == "discs"
    assert changed["twice as long"].stages[0].phases[0].steps == 6


def test_each_variant_is_trained_once_and_scored_against_the_recipe(
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    asked = ["--only", ablations.REFERENCE, "--only", "decoders half as wide"]
    places = [str(recipe), str(tmp_path / "validation"), "-o", str(out)]
    monkeypatch.setattr(sys, "argv", ["ablations.py", *places, *SHORT, *asked])
    ablations.main()
    tables = capsys.readouterr().out.split("discs, 1 pictures")[1]
    rows = [line for line in tables.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:3]] == ["| the recipe", "| decoders half as wide"]
    assert rows[1].endswith("1.00 |")
    assert "(+" in rows[2] or "(-" in rows[2]
    models = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    assert len(models) == 2
    ablations.main()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == models
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--steps", "2"])
    with pytest.raises(ValueError, match="holds another training"):
        ablations.main()
