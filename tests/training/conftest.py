"""A data set and a recipe small enough to train on in seconds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml


def write_discs(root: Path, count: int) -> None:
    """Write pictures of a bright disc on a dark ground, and their alphas."""
    rng = np.random.default_rng(0)
    for name in ("image", "alpha"):
        (root / name).mkdir(parents=True)
    for index in range(count):
        alpha = np.zeros((80, 96), np.uint8)
        centre = tuple(int(value) for value in rng.integers(30, 50, 2))
        cv2.circle(alpha, centre, 20, 255, -1)
        alpha = cv2.GaussianBlur(alpha, (0, 0), 1.5).astype(np.uint8)
        ground = rng.integers(0, 90, (80, 96, 3))
        image = np.where(alpha[..., None] > 127, rng.integers(160, 255, 3), ground)
        cv2.imwrite(str(root / f"image/{index}.png"), image.astype(np.uint8))
        cv2.imwrite(str(root / f"alpha/{index}.png"), alpha)


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Folder of eight pictures with alphas."""
    write_discs(tmp_path / "data/discs", 8)
    return tmp_path / "data/discs"


@pytest.fixture
def recipe_file(tmp_path: Path, discs: Path) -> Path:
    """A recipe of six steps in two phases on the discs."""
    return written_recipe(tmp_path / "tiny.yaml", discs.parent)


@pytest.fixture(scope="session")
def shared_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a tiny network, to be left as it is; its data are in `data/discs` beside it."""
    folder = tmp_path_factory.mktemp("shared")
    write_discs(folder / "data/discs", 8)
    return written_recipe(folder / "tiny.yaml", folder / "data", "tiny")


def written_recipe(path: Path, root: Path, network: str = "animatte-s") -> Path:
    """Write the recipe of six steps on the discs below a folder."""
    recipe = {
        "name": "tiny",
        "network": {"name": network},
        "data": {
            "root": str(root),
            "sources": [{"folder": "discs", "replaced": 0}],
            "workers": 0,
        },
        "stages": [
            {
                "phases": [
                    {"steps": 4, "size": 64, "batch": 2},
                    {"steps": 2, "size": 96, "batch": 2},
                ],
                "loss": {"glance": 1.0, "focus_l1": 1.0, "merged_l1": 1.0, "merged_laplacian": 1.0},
            }
        ],
        "save_every": 2,
    }
    path.write_text(yaml.safe_dump(recipe))
    return path
