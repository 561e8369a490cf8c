"""A small set of pictures with alphas and trimaps, and predictions of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.trimap import trimap_from_alpha

NAMES = ("cat_1", "cat_2", "cat_3", "dog_1", "dog_2", "dog_3")
SIZE = (48, 64)


def disc(number: int) -> NDArray[np.uint8]:
    """A soft disc whose place and size go with the number."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    distance = np.hypot(rows - 22 - number, columns - 26 - 2 * number)
    return np.asarray(np.clip((14 + number - distance) / 4, 0, 1) * 255, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`set/` with image/, alpha/ and trimap/."""
    rng = np.random.default_rng(0)
    for name in ("image", "alpha", "trimap"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        alpha = disc(number)
        noise = cv2.resize(rng.integers(0, 255, (5, 6, 3)).astype(np.uint8), SIZE[::-1])
        image = np.where(alpha[..., None] > 128, 255 - noise, noise)
        cv2.imwrite(str(tmp_path / f"set/image/{name}.png"), image)
        cv2.imwrite(str(tmp_path / f"set/alpha/{name}.png"), alpha)
        trimap = trimap_from_alpha(alpha.astype(np.float32) / 255, 5)
        cv2.imwrite(str(tmp_path / f"set/trimap/{name}.png"), trimap)
    return tmp_path / "set"


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """`blurred/`: the true alphas, blurred, the more the later they come."""
    target = tmp_path / "blurred"
    target.mkdir()
    for number, name in enumerate(NAMES):
        blurred = cv2.GaussianBlur(disc(number), (0, 0), 1 + number)
        cv2.imwrite(str(target / f"{name}.png"), blurred)
    return target
