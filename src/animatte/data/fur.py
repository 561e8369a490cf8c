"""Fur grown on hard masks: hairs along the contour, with the exact alpha that they make.

A mask of a segmentation says nothing about hair, so a network trained on it learns to cut hair
off. Here hairs are drawn, so their alpha is known. They grow in tufts, lean one way, taper, curl,
and take their colours from the subject next to where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.data.strands import (
    Generator,
    Roots,
    Style,
    bent_strands,
    drawn_roots,
    painted_strands,
)
from animatte.foregrounds import Image, estimated_foreground
from animatte.images.arrays import unit_pixels


@dataclass(frozen=True)
class FurConfig:
    """How fur looks; every range is drawn from once a picture. Lengths in sides of the subject.

    The side of a subject is the square root of its area in pixels.

    Attributes:
        length: of the longest ordinary hairs.
        width: of a hair at its root; never below a quarter of a pixel.
        density: hairs side by side on one width of a hair.
        tuft: hairs that share a direction and lean together towards their tips.
        clumping: how far they do, 0 not at all to 1 into one point.
        lean: how far hairs lie along the skin, 0 upright to 2 nearly flat.
        curl: bend from root to tip, radians.
        wave: swing to and fro on the way, radians.
        unruly: standard deviation of a hair's own direction, radians.
        shade: standard deviation of a hair's own brightness, relative.
        inset: how deep inside the mask the skin lies, since hard masks take some background in.
    """

    length: tuple[float, float] = (0.04, 0.16)
    width: tuple[float, float] = (0.001, 0.004)
    density: tuple[float, float] = (0.5, 1.3)
    tuft: tuple[float, float] = (4, 16)
    clumping: tuple[float, float] = (0.1, 0.7)
    lean: tuple[float, float] = (0.4, 1.6)
    curl: tuple[float, float] = (0.1, 0.9)
    wave: tuple[float, float] = (0.0, 0.5)
    unruly: tuple[float, float] = (0.1, 0.35)
    shade: tuple[float, float] = (0.05, 0.16)
    inset: float = 0.006


class Furred(NamedTuple):
    """A subject with fur, to be put on any background.

    Attributes:
        foreground: (H, W, 3) float32 in [0, 1], straight colours, defined everywhere.
        alpha: (H, W) float32 in [0, 1].
    """

    foreground: Image
    alpha: Image


def furred(
    image: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    config: FurConfig,
    rng: Generator,
    side: float | None = None,
) -> Furred:
    """Grow fur on the contour of a subject.

    Args:
        image: (H, W, 3) RGB.
        alpha: (H, W) a mask, binary or with soft edges.
        config: ranges.
        rng: source of all chance.
        side: of the whole subject in these pixels, where `image` shows only a part of it; None
            measures it here.

    Returns:
        the subject with its fur; without a contour in the picture, the subject as it is.
    """
    size = float(np.sqrt(np.count_nonzero(alpha > 127))) if side is None else side
    skin = _skin(alpha, config.inset * size)
    foreground = estimated_foreground(unit_pixels(image), skin)
    style = _drawn_style(config, size, rng)
    roots = drawn_roots(skin, style, rng)
    if roots is None:
        return Furred(foreground, skin)
    strands = bent_strands(roots, style, rng)
    colours = _colours(foreground, skin, roots, style, rng)
    hair, share = painted_strands(strands, colours, style, skin.shape, rng)
    covered = share + (1 - share) * skin
    body = ((1 - share) * skin)[:, :, None] * foreground
    weight = covered[:, :, None]
    colour = np.where(weight > 1e-4, (hair + body) / np.maximum(weight, 1e-4), foreground)
    return Furred(np.clip(colour, 0, 1, dtype=np.float32), covered)


def _skin(alpha: NDArray[np.uint8], inset: float) -> Image:
    """The mask drawn in by `inset` pixels, its steps rounded off."""
    inside = (alpha > 127).astype(np.uint8)
    # Padded with the border, so that a subject cut by the frame stays whole there.
    margin = int(np.ceil(inset)) + 6
    padded = cv2.copyMakeBorder(inside, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    depth = np.subtract(
        cv2.distanceTransform(padded, cv2.DIST_L2, 5),
        cv2.distanceTransform(np.subtract(1, padded), cv2.DIST_L2, 5),
    )
    smooth = cv2.GaussianBlur(depth, (0, 0), 1 + inset / 2)[margin:-margin, margin:-margin]
    return np.asarray(np.clip(smooth - inset + 0.5, 0, 1), np.float32)


def _drawn_style(config: FurConfig, size: float, rng: Generator) -> Style:
    length, width = (
        np.exp(rng.uniform(*np.log(bounds))) * size for bounds in (config.length, config.width)
    )
    return Style(
        length=length,
        width=max(width, 0.25),
        density=rng.uniform(*config.density),
        tuft=rng.uniform(*config.tuft),
        clumping=rng.uniform(*config.clumping),
        lean=rng.uniform(*config.lean),
        curl=rng.uniform(*config.curl),
        wave=rng.uniform(*config.wave),
        unruly=rng.uniform(*config.unruly),
        shade=rng.uniform(*config.shade),
        comb=rng.normal(np.pi / 2, 0.9),  # gravity and habit comb fur downwards or sideways
    )


def _colours(
    foreground: Image, skin: Image, roots: Roots, style: Style, rng: Generator
) -> NDArray[np.float32]:
    """Colour of every hair, (N, 3): the subject's somewhere just inside its root."""
    count = len(roots.places)
    deep = rng.uniform(0.2, 1.2, count) * style.length + 1
    inward = -np.stack([np.cos(roots.outward), np.sin(roots.outward)], 1)
    sideways = rng.normal(0, 0.15 * style.length, (count, 2))
    limits = np.array(skin.shape[::-1]) - 1
    probes = np.clip(roots.places + inward * deep[:, None] + sideways, 0, limits).astype(int)
    soft = cv2.GaussianBlur(foreground, (0, 0), 0.7)
    colours = soft[probes[:, 1], probes[:, 0]]
    near = np.clip(roots.places + inward * 1.5, 0, limits).astype(int)
    outside = skin[probes[:, 1], probes[:, 0]] < 1
    colours[outside] = soft[near[outside, 1], near[outside, 0]]
    gain = np.exp(rng.normal(0, style.shade, count))
    return np.asarray(np.clip(colours * gain[:, None], 0, 1), np.float32)
