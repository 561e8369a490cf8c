"""Small trees in published layouts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.matte_world import Draw, World


def drawn(
    path: Path, value: int | None = None, shape: tuple[int, int] = (48, 64), seed: int = 0
) -> None:
    """Write a smooth random photo, or a grey picture: of one value, or (-1) a soft disc."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture: NDArray[np.uint8]
    if value is None:
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
        picture = np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))
    elif value >= 0:
        picture = np.full(shape, value, np.uint8)
    else:
        disc = np.zeros(shape, np.uint8)
        cv2.circle(disc, (shape[1] // 2, shape[0] // 2), min(shape) // 4, 255, -1)
        picture = np.asarray(cv2.GaussianBlur(disc, (0, 0), 2), np.uint8)
    assert cv2.imwrite(str(path), picture)


@pytest.fixture
def draw() -> Draw:
    return drawn


@pytest.fixture
def world(tmp_path: Path, draw: Draw) -> World:
    """A folder of pictures, some with labels, and a model that finds what is green."""
    return World(tmp_path, draw)
