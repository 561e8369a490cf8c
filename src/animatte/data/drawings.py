"""Drawn furry creatures with exact alphas: something to train on where there are no pictures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite
from animatte.data.fur import FurConfig, furred
from animatte.images import write_alpha, write_image
from animatte.images.arrays import levels, unit_pixels

Generator = np.random.Generator
Picture = NDArray[np.uint8]

_SIDE = 160  # pixels
_CORNERS = 12
_LEAST_CONTRAST = 90.0  # between a creature and what is behind it, of 255


def written_drawings(folder: Path, count: int, seed: int = 0) -> None:
    """Draw pictures into `image/`, `alpha/`, `foreground/` and `background/` of a folder.

    The same count and seed give the same pictures. A folder that is there is left as it is; the
    pictures appear in it all at once.

    Args:
        folder: made if it is missing.
        count: how many.
        seed: of every choice.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        whole = Path(beside) / "whole"
        for number in range(count):
            _write(whole, f"{number:04}.png", np.random.default_rng([seed, number]))
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process was faster with the same pictures
                raise


def _write(folder: Path, name: str, rng: Generator) -> None:
    for plane in ("image", "alpha", "foreground", "background"):
        (folder / plane).mkdir(parents=True, exist_ok=True)
    ground, skin = _contrasting_colours(rng)
    background = _pattern(ground, rng)
    subject = furred(_pattern(skin, rng), _shape(rng), FurConfig(), rng)
    alpha = unit_pixels(levels(subject.alpha, 8))
    foreground, behind = subject.foreground, unit_pixels(background)
    image = composite(foreground, behind, alpha)
    write_image(folder / "image" / name, image)
    write_alpha(folder / "alpha" / name, alpha)
    write_image(folder / "foreground" / name, foreground)
    write_image(folder / "background" / name, behind)


def _contrasting_colours(rng: Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    while True:
        ground, skin = rng.uniform(20, 235, (2, 3))
        if np.linalg.norm(ground - skin) > _LEAST_CONTRAST:
            return ground, skin


def _pattern(colour: NDArray[np.float64], rng: Generator) -> Picture:
    """Soft patches around a colour."""
    coarse = np.clip(rng.normal(colour, 25, (8, 8, 3)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def _shape(rng: Generator) -> Picture:
    """A round body of random corners, its edge smooth."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    reach = rng.uniform(0.18, 0.34, _CORNERS) * _SIDE
    centre = rng.uniform(0.42, 0.58, 2) * _SIDE
    corners = centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 255)
    return np.where(cv2.GaussianBlur(mask, (0, 0), _SIDE / 40) > 127, 255, 0).astype(np.uint8)
