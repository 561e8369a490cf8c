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

from animatte.compositing import Image, estimated_foreground
from animatte.images.arrays import unit_pixels

Generator = np.random.Generator
Points = NDArray[np.float32]

_JOINTS = 9  # points of a strand
_SUPERSAMPLING = 4
_FRACTION_BITS = 4  # of coordinates when drawn
_FRAME = 2  # pixels: where the picture cuts the subject no hair grows


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


class _Style(NamedTuple):
    """One draw of every range of `FurConfig`, lengths in pixels."""

    length: float
    width: float
    density: float
    tuft: float
    clumping: float
    lean: float
    curl: float
    wave: float
    unruly: float
    shade: float
    comb: float  # direction that hairs lean to, radians


class _Roots(NamedTuple):
    """Where hairs stand, one row each."""

    places: Points  # (N, 2) x, y
    outward: NDArray[np.float32]  # (N,) radians
    tufts: NDArray[np.int64]  # (N,) number of the tuft
    vigour: NDArray[np.float32]  # (N,) relative length, smooth along the contour


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
    roots = _roots(skin, style, rng)
    if roots is None:
        return Furred(foreground, skin)
    strands = _strands(roots, style, rng)
    colours = _colours(foreground, skin, roots, style, rng)
    hair, share = _drawn(strands, colours, style, skin.shape, rng)
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


def _drawn_style(config: FurConfig, size: float, rng: Generator) -> _Style:
    length, width = (
        np.exp(rng.uniform(*np.log(bounds))) * size for bounds in (config.length, config.width)
    )
    return _Style(
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


def _roots(skin: Image, style: _Style, rng: Generator) -> _Roots | None:
    """Spread hairs over the contours, tuft by tuft; None if there is no room for any."""
    inside = (skin > 0.5).astype(np.uint8)
    contours = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    smooth = cv2.GaussianBlur(skin, (0, 0), max(1.5, style.length / 6))
    away = [-cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=5) for order in ((1, 0), (0, 1))]
    per_pixel = style.density / style.width
    found = []
    for contour in contours:
        if len(contour) < max(12, style.length):
            continue
        count = rng.poisson(len(contour) * per_pixel)
        at = np.sort(rng.uniform(0, len(contour), count))
        places = contour[:, 0][at.astype(int)].astype(np.float32)
        tufts = _tufts(at, style.tuft / per_pixel, rng)
        found.append((places, tufts, _vigour(at, style, rng)))
    if not found:
        return None
    places = np.concatenate([each[0] for each in found])
    starts = np.cumsum([0, *(each[1].max(initial=0) + 1 for each in found[:-1])])
    tufts = np.concatenate([each[1] + start for each, start in zip(found, starts, strict=True)])
    vigour = np.concatenate([each[2] for each in found])
    ends = np.array(skin.shape[::-1]) - 1 - _FRAME
    kept = ((places > _FRAME) & (places < ends)).all(1)
    places, tufts, vigour = places[kept], tufts[kept], vigour[kept]
    columns, rows = places.astype(int).T
    outward = np.arctan2(away[1][rows, columns], away[0][rows, columns])
    return _Roots(places, outward.astype(np.float32), tufts, vigour) if len(places) else None


def _tufts(at: NDArray[np.float64], spacing: float, rng: Generator) -> NDArray[np.int64]:
    """Number of every hair's tuft: tufts of all sizes that overlap, or they would look sown."""
    length = float(at.max(initial=0))
    bounds = np.sort(rng.uniform(0, length, int(length / spacing) + 1))
    return np.searchsorted(bounds, at + rng.normal(0, 0.5 * spacing, len(at)))


def _vigour(at: NDArray[np.float64], style: _Style, rng: Generator) -> NDArray[np.float32]:
    """Relative length along a contour: a nose is short where a neck is long."""
    stretch = 6 * style.length
    knots = rng.uniform(0, 1, max(4, int(at.max(initial=0) / stretch) + 2))
    smooth = np.interp(at / stretch, np.arange(len(knots)), knots)
    return (0.2 + 0.9 * smooth**1.5).astype(np.float32)


def _strands(roots: _Roots, style: _Style, rng: Generator) -> Points:
    """Bend every hair from its root: (N, joints, 2) x, y."""
    count = len(roots.places)
    numbers = roots.tufts
    of_tuft = rng.normal(0, 1, (numbers.max() + 1, 3)).astype(np.float32)
    # Outward, pulled over to the comb's direction, but never into the body.
    toward = np.stack([np.cos(roots.outward), np.sin(roots.outward)])
    comb = np.array([[np.cos(style.comb)], [np.sin(style.comb)]])
    along = comb - toward * np.minimum((comb * toward).sum(0), 0)
    direction = toward + style.lean * along
    angle = np.arctan2(direction[1], direction[0])
    angle = angle + style.unruly * (0.6 * of_tuft[numbers, 0] + rng.normal(0, 0.7, count))
    turn = np.sin(angle - style.comb)  # curls go with the lean
    bend = -turn * style.curl + style.curl * (
        0.4 * of_tuft[numbers, 1] + rng.normal(0, 0.35, count)
    )
    # Much short underfur, few long guard hairs.
    length = style.length * roots.vigour * (0.2 + rng.beta(1.2, 2.6, count))
    length = length * np.exp(0.2 * of_tuft[numbers, 2])
    steps = np.linspace(0, 1, _JOINTS, dtype=np.float32)
    angles = angle[:, None] + bend[:, None] * steps
    phase = 2 * of_tuft[numbers, 1] + rng.normal(0, 0.5, count)
    angles += style.wave * np.sin(2 * np.pi * 1.3 * steps + phase[:, None])
    moves = np.stack([np.cos(angles), np.sin(angles)], 2) * (length / (_JOINTS - 1))[:, None, None]
    moves[:, 0] = 0
    path = np.cumsum(moves, 1)
    # Roots stand at various depths, so that no seam shows.
    depth = rng.exponential(0.15, count) * length
    start = roots.places - (toward * depth).T
    strands = start[:, None] + path + rng.uniform(-0.5, 0.5, (count, 1, 2))
    return _clumped(strands.astype(np.float32), numbers, style.clumping, steps)


def _clumped(
    strands: Points, tufts: NDArray[np.int64], clumping: float, steps: NDArray[np.float32]
) -> Points:
    """Draw the hairs of a tuft together towards their tips."""
    counts = np.maximum(np.bincount(tufts), 1)
    flat = strands.reshape(len(strands), -1)
    sums = np.stack([np.bincount(tufts, column) for column in flat.T], 1)
    middle = (sums / counts[:, None])[tufts].reshape(strands.shape)
    pull = (clumping * steps**1.5)[None, :, None]
    return np.asarray(strands + pull * (middle - strands), np.float32)


def _colours(
    foreground: Image, skin: Image, roots: _Roots, style: _Style, rng: Generator
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


def _drawn(
    strands: Points,
    colours: NDArray[np.float32],
    style: _Style,
    shape: tuple[int, ...],
    rng: Generator,
) -> tuple[Image, Image]:
    """Draw tapered hairs, later ones over earlier: colour times coverage (H, W, 3), and coverage.

    Every subpixel has one hair or none, so the mean over a pixel's subpixels is exact.
    """
    fine = _SUPERSAMPLING
    low = np.clip(np.floor(strands.min((0, 1)) - 2), 0, None).astype(int)
    high = np.minimum(np.ceil(strands.max((0, 1)) + 3).astype(int), shape[::-1])
    width, height = np.maximum(high - low, 1)
    canvas = np.zeros((height * fine, width * fine, 4), np.uint8)
    outlines = _outlines((strands - low + 0.5) * fine - 0.5, style.width * fine, rng)
    corners = np.rint(outlines * 2**_FRACTION_BITS).astype(np.int32)
    paints = np.column_stack([np.rint(colours * 255), np.full(len(colours), 255)]).tolist()
    for number in rng.permutation(len(corners)).tolist():
        cv2.fillPoly(canvas, [corners[number]], paints[number], cv2.LINE_8, _FRACTION_BITS)
    small = unit_pixels(cv2.resize(canvas, (int(width), int(height)), interpolation=cv2.INTER_AREA))
    layer = np.zeros((*shape, 4), np.float32)
    layer[low[1] : high[1], low[0] : high[0]] = small
    return layer[:, :, :3], layer[:, :, 3]


def _outlines(strands: Points, width: float, rng: Generator) -> Points:
    """Outlines of hairs that taper to a point: (N, 2·joints - 1, 2)."""
    along = np.gradient(strands, axis=1)
    across = np.stack([-along[..., 1], along[..., 0]], 2)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-6)
    taper = (1 - np.linspace(0, 1, _JOINTS, dtype=np.float32) ** 2)[None, :, None]
    # What is drawn covers every subpixel that it touches, half a one on either side.
    half = (width * rng.uniform(0.6, 1.2, (len(strands), 1, 1)) * taper - 1) / 2
    offset = np.maximum(half, 0) * across
    return np.concatenate([strands + offset, (strands - offset)[:, -2::-1]], 1)
