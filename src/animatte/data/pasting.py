"""Things pasted in front of a picture: another subject, or something that hides part of it.

Simple copy and paste (Ghiasi et al. 2021) makes of few photos many scenes: several animals, one
before the other, a tail that comes out behind something, in surroundings that no plain background
has.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from animatte.compositing import composite
from animatte.data.augmentation import Generator, View
from animatte.data.composed import Composed
from animatte.data.composition import Layers, Subject, layered, stacked_subjects
from animatte.data.pictures import Plane
from animatte.foregrounds import Image
from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample

EXTENT: Final = (0.2, 0.75)  # of what is pasted, in longer sides of the view
_SEEN = 13  # alpha levels from which something counts as there
_LEAST_SIDE = 16  # pixels of a subject that can be pasted
_LEAST_SHRINK = 0.5  # it is enlarged no further


class Patch(NamedTuple):
    """What is pasted.

    Attributes:
        colours: (H, W, 3) float32 in [0, 1].
        alpha: (H, W) float32 in [0, 1].
        is_subject: whether it belongs to the foreground; else it hides it.
    """

    colours: Image
    alpha: Image
    is_subject: bool


def placed(alpha: Plane, size: tuple[int, int], rng: Generator) -> View | None:
    """Draw where in a view another picture's subject comes to lie, and how large.

    Where it leaves its own picture it leaves the view too, so that no straight cut shows.

    Args:
        alpha: (H, W) of the other picture.
        size: (height, width) of the view.
        rng: source of all chance.

    Returns:
        the view of the other picture, which may reach beyond it; None for a subject that cannot be
        placed: none at all, one so small that it would be blurred, one that leaves its picture on
        opposite sides, or that is much longer than the view in one direction.
    """
    left, top, width, height = cv2.boundingRect(cv2.inRange(alpha, _SEEN, 255))
    if min(width, height) < _LEAST_SIDE:
        return None
    shrink = max(width, height) / (rng.uniform(*EXTENT) * max(size))
    if shrink < _LEAST_SHRINK:
        return None
    flip = bool(rng.random() < 0.5)
    starts = []
    for start, length, whole, side in (
        (left, width, alpha.shape[1], size[1]),
        (top, height, alpha.shape[0], size[0]),
    ):
        cut = (start == 0, start + length == whole)
        if all(cut):
            return None
        extent = length / shrink
        if side < 0.4 * extent:
            return None
        lies = rng.uniform(-0.3 * extent, side - 0.7 * extent)
        if any(cut):
            lies = -0.5 if cut[0] else side - extent + 0.5
        starts.append(start - lies * shrink)
    across = np.diag([shrink, shrink])
    offset = np.array(starts) + (shrink - 1) / 2
    matrix = np.column_stack([across, offset])
    if flip:  # the whole arrangement, so that what is cut stays at the view's edge
        matrix[0] = [-shrink, 0, offset[0] + shrink * (size[1] - 1)]
    return View(matrix, size, shrink)


def inside(view: View, shape: tuple[int, ...]) -> Image:
    """Return (H, W) float32: 1 where a view shows the picture, 0 beyond it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ones = np.ones(shape[:2], np.float32)
    seen = cv2.warpAffine(ones, view.matrix, view.size[::-1], flags=flags, borderValue=0)
    return np.asarray(seen, np.float32)


def pasted(image: Image, alpha: Image, patch: Patch) -> tuple[Image, Image]:
    """Put a patch in front of a picture; returns the picture and its alpha then.

    Args:
        image: (H, W, 3) in [0, 1].
        alpha: (H, W) in [0, 1].
        patch: of the same size.
    """
    left = (1 - patch.alpha) * alpha
    shown = left + patch.alpha if patch.is_subject else left
    return composite(patch.colours, image, patch.alpha), np.clip(shown, 0, 1, dtype=np.float32)


def pasted_layers(layers: Layers, patch: Patch) -> Layers:
    """Put a patch in front of layers; what hides the subject becomes part of the background.

    Alpha is rounded to 8 bits, as it is kept. By what the layers do not composite to the picture
    exactly, as those that are estimated of a photo, they do not do so afterwards.
    """
    alpha = unit_pixels(levels(pasted(layers.image, layers.alpha, patch)[1], 8))
    made = composite(layers.foreground, layers.background, layers.alpha)
    if patch.is_subject:
        own = Subject(layers.foreground, layers.alpha)
        front = stacked_subjects(Subject(patch.colours, patch.alpha), own)
        after = layered(Subject(front.foreground, alpha), layers.background)
    else:
        wanted = composite(patch.colours, made, patch.alpha)
        rest = (1 - alpha)[:, :, None]
        behind = (wanted - alpha[:, :, None] * layers.foreground) / np.maximum(rest, 1e-6)
        behind = np.where(rest > 1e-6, behind, layers.background)
        background = np.clip(behind, 0, 1, dtype=np.float32)
        after = layered(Subject(layers.foreground, alpha), background)
    error = (1 - patch.alpha)[:, :, None] * (layers.image - made)
    return after._replace(image=np.clip(after.image + error, 0, 1))


def in_front_of(composed: Composed, patch: Patch) -> Composed:
    """Put a patch in front of a picture for the network, and of its layers where it has them."""
    sample, layers = composed.sample, composed.layers
    if layers is None:
        image, alpha = pasted(unit_pixels(sample.image), unit_pixels(sample.alpha), patch)
    else:
        layers = pasted_layers(layers, patch)
        image, alpha = layers.image, layers.alpha
    seen = Sample(sample.name, levels(image, 8), levels(alpha, 8))
    return composed._replace(sample=seen, layers=layers)
