"""Drawn creatures: the same by seed, exact, and whole on disk or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animatte.data.drawings import written_drawings
from animatte.data.registry import named_dataset


def test_drawings_are_composites_of_their_layers_with_soft_alphas(tmp_path: Path) -> None:
    written_drawings(tmp_path / "some/drawings", 3)
    pairs = named_dataset("folders").pairs(tmp_path / "some/drawings")
    assert len(pairs) == 3
    for pair in pairs:
        sample = pair.read("foreground", "background")
        assert sample.foreground is not None
        assert sample.background is not None
        alpha = sample.alpha[..., None] / 255
        composite = alpha * sample.foreground + (1 - alpha) * sample.background
        assert np.abs(composite - sample.image).max() <= 1.01
        assert ((sample.alpha > 0) & (sample.alpha < 255)).mean() > 0.005
        assert 0.05 < (sample.alpha > 127).mean() < 0.6


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        written_drawings(tmp_path / name, 2, seed)
    first, same, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.png"))] for name in "abc"
    )
    assert first == same
    assert first != other


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    written_drawings(folder, 2)
    assert not list(folder.iterdir())


def test_a_stop_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("animatte.data.drawings.write_alpha", full)
    with pytest.raises(OSError, match="No space"):
        written_drawings(tmp_path / "drawings", 2)
    assert not list(tmp_path.iterdir())
