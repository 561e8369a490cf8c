"""Things that an animal lies in or on: behind it, their rim in front, mostly of its own colours.

A cat in a basket, a dog on a rug of its colour: no plain background shows such scenes, and in
photos they are few.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from animatte.compositing import composite
from animatte.data.augmentation import Generator
from animatte.data.composition import Layers, Subject
from animatte.foregrounds import Image
from animatte.images.arrays import unit_pixels

_POINTS: Final = 96  # of an outline
_BITS: Final = 4  # of a point's coordinates below a pixel
_SURE: Final = 0.9  # alpha from which colours are the subject's own
_LEAST_AREA: Final = 64  # pixels of a subject that can lie in something
_MOST_HIDDEN: Final = 0.5  # of the subject, by the rim


class Nest(NamedTuple):
    """A thing around a subject.

    Attributes:
        colours: (H, W, 3) float32 in [0, 1].
        behind: (H, W) float32 in [0, 1], its alpha behind the subject.
        before: (H, W) float32 in [0, 1], that of its rim in front; 0 for a thing that only lies
            below.
    """

    colours: Image
    behind: Image
    before: Image


def drawn_nest(subject: Subject, cover: Image, rng: Generator) -> Nest | None:
    """Draw something for a subject to lie in or on.

    Args:
        subject: what lies in it.
        cover: (H, W, 3) in [0, 1], what it is made of; it mostly takes the subject's colours.
        rng: source of all chance.

    Returns:
        None for a subject too small to lie in anything.
    """
    sure = subject.alpha > _SURE
    if np.count_nonzero(sure) < _LEAST_AREA:
        return None
    colours = in_colours_of(cover, subject, rng) if rng.random() < 0.75 else cover
    left, top, width, height = cv2.boundingRect(sure.astype(np.uint8))
    radii = np.array([width * rng.uniform(0.5, 0.95), 0.0])
    radii[1] = radii[0] * rng.uniform(0.3, 0.9)
    centre = np.array([left + width * rng.normal(0.5, 0.12), top + height * rng.uniform(0.45, 1.0)])
    outline = _outline(rng)
    behind = _filled(outline * radii + centre, subject.alpha.shape)
    before = np.zeros_like(behind)
    if rng.random() < 0.6:
        opening = radii * [rng.uniform(0.75, 0.95), rng.uniform(0.3, 0.7)]
        lifted = centre - [0, radii[1] * rng.uniform(0.1, 0.4)]
        rows = np.arange(len(behind), dtype=np.float32)[:, None]
        below = np.clip(rows - np.float32(lifted[1]), 0, 1)
        before = behind * below * (1 - _filled(outline * opening + lifted, behind.shape))
        if (before * subject.alpha).sum() > _MOST_HIDDEN * subject.alpha.sum():
            before = np.zeros_like(behind)
    return Nest(colours, behind, before)


def in_colours_of(picture: Image, subject: Subject, rng: Generator) -> Image:
    """Give a picture the mean and spread of the colours around a random place of a subject.

    Args:
        picture: (H, W, 3) in [0, 1].
        subject: with at least one opaque pixel.
        rng: source of all chance.
    """
    rows, columns = np.nonzero(subject.alpha > _SURE)
    place = int(rng.integers(len(rows)))
    reach = 0.25 * np.sqrt(len(rows))
    near = np.hypot(rows - rows[place], columns - columns[place]) <= reach
    own = subject.foreground[rows[near], columns[near]].astype(np.float64)
    mean, spread = picture.mean((0, 1), np.float64), picture.std((0, 1), np.float64)
    gain = np.clip(own.std(0) / np.maximum(spread, 1e-3), 0.3, 2.5)
    aim = own.mean(0) + rng.normal(0, 0.04)
    matched = aim + (picture - mean) * gain
    strength = rng.uniform(0.6, 1)
    return np.asarray(np.clip(picture + strength * (matched - picture), 0, 1), np.float32)


def nested(layers: Layers, nest: Nest, darkened: float = 1.0) -> Layers:
    """Put a nest behind a subject, without its rim.

    What the layers do not composite to the picture exactly stays, where nothing new is seen.

    Args:
        layers: of the picture.
        nest: of the same size.
        darkened: factor of its colours inside, where less light falls.
    """
    foreground, alpha = layers.foreground, layers.alpha
    made = composite(foreground, layers.background, alpha)
    background = composite(nest.colours * np.float32(darkened), layers.background, nest.behind)
    image = composite(foreground, background, alpha)
    kept = (1 - (1 - alpha) * nest.behind)[:, :, None]
    image = np.clip(image + kept * (layers.image - made), 0, 1, dtype=np.float32)
    return Layers(image, alpha, foreground, background)


def _outline(rng: Generator) -> Image:
    """A closed curve (96, 2) around 0, between an ellipse and a box, with smooth dents."""
    angles = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    power = rng.uniform(2, 5)
    radius = (np.abs(np.cos(angles)) ** power + np.abs(np.sin(angles)) ** power) ** (-1 / power)
    for order in range(2, 6):
        dent = rng.normal(0, 0.12) / order
        radius *= 1 + dent * np.cos(order * angles + rng.uniform(0, 2 * np.pi))
    tilt = rng.normal(0, 0.15)
    points = radius * np.array([np.cos(angles + tilt), np.sin(angles + tilt)])
    return np.asarray(points.T, np.float32)


def _filled(points: Image, shape: tuple[int, ...]) -> Image:
    canvas = np.zeros(shape[:2], np.uint8)
    fixed = np.rint(points * 2**_BITS).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, _BITS)
    return unit_pixels(canvas)
