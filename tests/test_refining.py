"""Refinements by their names."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from animatte.refining import REFINEMENTS, default_trimap_radius, named_refinement
from animatte.tiles import Array


@pytest.fixture
def scene() -> tuple[Array, Array]:
    rows, columns = np.mgrid[:80, :90]
    alpha = np.clip((25 - np.hypot(rows - 40, columns - 45)) / 4, 0, 1).astype(np.float32)
    image = np.stack([0.2 + 0.6 * alpha, 0.8 - 0.5 * alpha, rows / 100], axis=2)
    return alpha, image.astype(np.float32)


@pytest.mark.parametrize("name", REFINEMENTS)
def test_an_alpha_that_fits_the_photo_nearly_stays(name: str, scene: tuple[Array, Array]) -> None:
    alpha, image = scene
    refined = named_refinement(name)(alpha, image)
    assert refined.dtype == np.float32
    assert refined.shape == alpha.shape
    assert np.abs(refined - alpha).mean() < 0.01
    assert 0 <= refined.min() <= refined.max() <= 1


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'magic' is unknown; choose one of guided, closed-form"):
        named_refinement("magic")


def test_a_missing_solver_is_told_before_the_first_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'animatte\[solver\]'"):
        named_refinement("closed-form")
    named_refinement("guided")


def test_the_radius_grows_with_the_photo() -> None:
    sizes = [(1, 1), (1000, 500), (4000, 6000, 3)]
    assert [default_trimap_radius(size) for size in sizes] == [1, 20, 120]


def test_choosing_a_refinement_imports_no_solver() -> None:
    program = (
        "import sys; from animatte.refining import named_refinement as named; named('closed-form');"
        "print(sorted({'numba', 'pymatting', 'scipy', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert (result.stdout, result.stderr) == ("[]\n", "")
