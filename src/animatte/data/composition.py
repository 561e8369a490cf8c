"""Composites for training: what is done to foreground and background, as pure functions.

After every step the image is αF + (1-α)B of the layers that are returned, to within rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite
from animatte.data.augmentation import grain
from animatte.foregrounds import Image
from animatte.images.arrays import levels, unit_pixels

Generator = np.random.Generator
Placement: TypeAlias = Literal["view", "fill", "crop"]
TrackName: TypeAlias = Literal["views", "rssn", "coco", "dim", "ori"]


@dataclass(frozen=True)
class CompositionConfig:
    """How a foreground comes onto a background. Switches are probabilities: 0 off, 1 always.

    The four parts of RSSN (Li et al. 2022, section 4.3) are resolution, sharpness, semantic, and
    noise with its denoising.

    Attributes:
        replaced: probability that a picture is composited at all, where its source says nothing.
        placement: of the background. "view": a random view of its own. "fill": as large as covers
            the foreground's picture, then seen through the same view. "crop": at its own scale,
            enlarged only if it is too small, then seen through the same view.
        num_backgrounds: that a foreground meets; 0 for all that there are.
        stacked: probability that a second foreground stands behind the first, as in DIM.
        resolution: probability that a background has at least the foreground's resolution.
        sharpness: probability that the background is out of focus.
        boxes: widths of the box that blurs it, in pixels of the foreground's picture; empty for a
            Gaussian.
        sigmas: least and greatest standard deviation of that Gaussian, in pixels of the view.
        semantic: probability that a background shows no object that could be a subject.
        denoised: probability that denoised versions take both layers' place, where they are given.
        noise: probability of Gaussian noise.
        noise_sigma: its standard deviation, in levels of 0 to 255.
        pasted: probability that another subject is pasted in front; see `animatte.data.pasting`.
        hidden: probability that something without life, of a subject's shape and a background's
            colours, is pasted in front and hides what is behind it.
        nested: probability that the subject lies in or on a thing, mostly of its own colours; see
            `animatte.data.nesting`.
    """

    replaced: float = 0.35
    placement: Placement = "view"
    num_backgrounds: int = 0
    stacked: float = 0.0
    resolution: float = 0.0
    sharpness: float = 0.5
    boxes: tuple[int, ...] = ()
    sigmas: tuple[float, float] = (0.5, 8.0)
    semantic: float = 1.0
    denoised: float = 0.0
    noise: float = 0.0
    noise_sigma: float = 10.0
    pasted: float = 0.0
    hidden: float = 0.0
    nested: float = 0.0


TRACKS: Final[Mapping[TrackName, CompositionConfig]] = {
    "views": CompositionConfig(),
    "rssn": CompositionConfig(
        replaced=1,
        placement="fill",
        num_backgrounds=5,
        resolution=1,
        sharpness=0.5,
        boxes=(20, 30, 40, 50, 60),
        denoised=0.5,
        noise=0.5,
    ),
    "coco": CompositionConfig(
        replaced=1, placement="fill", num_backgrounds=5, sharpness=0, semantic=0
    ),
    "dim": CompositionConfig(
        replaced=1, placement="crop", num_backgrounds=100, stacked=0.5, sharpness=0, semantic=0
    ),
    "ori": CompositionConfig(replaced=0),
}


class Subject(NamedTuple):
    """A foreground by itself.

    Attributes:
        foreground: (H, W, 3) float32 in [0, 1], straight colours.
        alpha: (H, W) float32 in [0, 1].
    """

    foreground: Image
    alpha: Image


class Layers(NamedTuple):
    """A composite and what it is made of, float32 in [0, 1].

    Attributes:
        image: (H, W, 3), αF + (1-α)B.
        alpha: (H, W).
        foreground: (H, W, 3).
        background: (H, W, 3).
    """

    image: Image
    alpha: Image
    foreground: Image
    background: Image


def layered(subject: Subject, background: Image) -> Layers:
    """Put a subject on a background (H, W, 3)."""
    foreground, alpha = subject
    return Layers(composite(foreground, background, alpha), alpha, foreground, background)


def eight_bit(subject: Subject) -> Subject:
    """Round alpha as files and samples keep it, so that composites are exact with it."""
    return Subject(subject.foreground, unit_pixels(levels(subject.alpha, 8)))


def stacked_subjects(front: Subject, back: Subject) -> Subject:
    """Put one subject before another: both become the foreground (Xu et al. 2017's data, widened).

    Returns:
        alpha 1 - (1-α₁)(1-α₂), and the colours with which any background composites to the same
        as one subject after the other.
    """
    behind = (1 - front.alpha) * back.alpha
    alpha = np.asarray(front.alpha + behind, np.float32)
    both = front.alpha[:, :, None] * front.foreground + behind[:, :, None] * back.foreground
    colour = both / np.maximum(alpha, 1e-6)[:, :, None]
    colour = np.where(alpha[:, :, None] > 1e-6, colour, front.foreground)
    return Subject(np.clip(colour, 0, 1, dtype=np.float32), np.clip(alpha, 0, 1))


def out_of_focus(
    background: Image, config: CompositionConfig, shrink: float, width: float
) -> Image:
    """Blur a background: RSSN's sharpness.

    Args:
        background: (H, W, 3).
        config: which blur.
        shrink: pixels of the foreground's picture that a pixel here spans.
        width: of the box in pixels of that picture, or the Gaussian's sigma in pixels here.
    """
    if not config.boxes:
        return np.asarray(cv2.GaussianBlur(background, (0, 0), width), np.float32)
    side = max(1, round(width / shrink))
    return np.asarray(cv2.blur(background, (side, side)), np.float32)


def drawn_blur(config: CompositionConfig, rng: Generator) -> float:
    """Draw the width for `out_of_focus`."""
    return float(rng.choice(config.boxes) if config.boxes else rng.uniform(*config.sigmas))


def noisy(
    subject: Subject, background: Image, sigma: float, rng: Generator
) -> tuple[Subject, Image]:
    """Add the same Gaussian noise to foreground and background: RSSN's noise.

    Their composite then has that noise too, and is what they make; nothing wraps round.

    Args:
        subject: what stands in front.
        background: (H, W, 3).
        sigma: standard deviation in levels of 0 to 255.
        rng: source of all chance.
    """
    noise = grain(background.shape, sigma / 255, rng)
    colours = subject.foreground + noise
    noise += background
    for plane in (colours, noise):
        np.clip(plane, 0, 1, out=plane)
    return Subject(colours, subject.alpha), noise


def partners(
    foreground: int, count: int, config: CompositionConfig, seed: int
) -> NDArray[np.int64]:
    """Which backgrounds a foreground meets: chosen by the seed, not by their place in the list.

    Args:
        foreground: its number.
        count: backgrounds that there are.
        config: how many of them it meets.
        seed: of the pairing.
    """
    if not 0 < config.num_backgrounds < count:
        return np.arange(count)
    rng = np.random.default_rng([seed, foreground, count])
    return rng.choice(count, config.num_backgrounds, replace=False)
