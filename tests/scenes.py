"""Made scenes: textures, hair, and subjects on backgrounds that are known."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import (
    composite,
)

Picture = NDArray[np.float32]


class Scene(NamedTuple):
    foreground: Picture
    background: Picture
    alpha: Picture
    image: Picture


def solid(colour: tuple[float, float, float], size: tuple[int, int]) -> Picture:
    return np.full((*size, 3), colour, np.float32)


def texture(rng: np.random.Generator, size: tuple[int, int], grid: int) -> Picture:
    coarse = rng.random((grid, grid, 3), dtype=np.float32)
    fine = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(fine, 0, 1).astype(np.float32)


def hairy_alpha(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """An ellipse with thin straight hairs, drawn at four times the size and averaged."""
    height, width = size[0] * 4, size[1] * 4
    canvas = np.zeros((height, width), np.uint8)
    cv2.ellipse(canvas, (width // 2, height // 2), (width // 4, height // 4), 0, 0, 360, 255, -1)
    for angle in rng.uniform(0, 2 * np.pi, 120):
        root = np.array([width / 2, height / 2]) + 0.24 * np.array(
            [width * np.cos(angle), height * np.sin(angle)]
        )
        lean = angle + rng.normal(0, 0.4)
        length = rng.uniform(0.05, 0.15) * min(height, width)
        tip = root + length * np.array([np.cos(lean), np.sin(lean)])
        ends = [(int(x), int(y)) for x, y in (root, tip)]
        cv2.line(canvas, ends[0], ends[1], 255, int(rng.integers(1, 8)))
    reduced = cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.float32) / np.float32(255)


def scene(size: tuple[int, int], grid: int, softness: float, seed: int = 0) -> Scene:
    rng = np.random.default_rng(seed)
    alpha = hairy_alpha(rng, size)
    if softness:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), softness), np.float32)
        alpha[alpha < 1 / 512], alpha[alpha > 1 - 1 / 512] = 0, 1
    foreground, background = texture(rng, size, grid), texture(rng, size, grid)
    return Scene(foreground, background, alpha, composite(foreground, background, alpha))


def transition_error(estimate: Picture, truth: Picture, alpha: Picture) -> float:
    area = (alpha > 0) & (alpha < 1)
    return float(np.sqrt(np.mean((estimate - truth)[area] ** 2)))


def recomposed_error(estimate: Picture, truth: Picture, alpha: Picture) -> float:
    behind = np.float32(0)
    black = np.full_like(truth, behind)
    return transition_error(
        composite(estimate, black, alpha), composite(truth, black, alpha), alpha
    )
