"""Strands of hair: where they stand on a contour, how they bend, and drawing them exactly."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.foregrounds import Image
from animatte.images.arrays import unit_pixels

Generator = np.random.Generator
Points = NDArray[np.float32]

_JOINTS = 9  # points of a strand
_SUPERSAMPLING = 4
_FRACTION_BITS = 4  # of coordinates when drawn
_FRAME = 2  # pixels: where the picture cuts the subject no hair grows


class Style(NamedTuple):
    """One draw of every range of `animatte.data.fur.FurConfig`, lengths in pixels."""

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


class Roots(NamedTuple):
    """Where hairs stand, one row each."""

    places: Points  # (N, 2) x, y
    outward: NDArray[np.float32]  # (N,) radians
    tufts: NDArray[np.int64]  # (N,) number of the tuft
    vigour: NDArray[np.float32]  # (N,) relative length, smooth along the contour


def drawn_roots(skin: Image, style: Style, rng: Generator) -> Roots | None:
    """Spread hairs over the contours of a subject, tuft by tuft.

    Args:
        skin: (H, W) float32 in [0, 1], the subject without hair.
        style: how it looks.
        rng: source of all chance.

    Returns:
        None if there is no room for any.
    """
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
    return Roots(places, outward.astype(np.float32), tufts, vigour) if len(places) else None


def _tufts(at: NDArray[np.float64], spacing: float, rng: Generator) -> NDArray[np.int64]:
    """Number of every hair's tuft: tufts of all sizes that overlap, or they would look sown."""
    length = float(at.max(initial=0))
    bounds = np.sort(rng.uniform(0, length, int(length / spacing) + 1))
    return np.searchsorted(bounds, at + rng.normal(0, 0.5 * spacing, len(at)))


def _vigour(at: NDArray[np.float64], style: Style, rng: Generator) -> NDArray[np.float32]:
    """Relative length along a contour: a nose is short where a neck is long."""
    stretch = 6 * style.length
    knots = rng.uniform(0, 1, max(4, int(at.max(initial=0) / stretch) + 2))
    smooth = np.interp(at / stretch, np.arange(len(knots)), knots)
    return (0.2 + 0.9 * smooth**1.5).astype(np.float32)


def bent_strands(roots: Roots, style: Style, rng: Generator) -> Points:
    """Bend every hair from its root.

    Returns:
        (N, joints, 2) x, y, from root to tip.
    """
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


def painted_strands(
    strands: Points,
    colours: NDArray[np.float32],
    style: Style,
    shape: tuple[int, ...],
    rng: Generator,
) -> tuple[Image, Image]:
    """Paint tapered hairs, some over others.

    Every subpixel has one hair or none, so the mean over a pixel's subpixels is exact.

    Args:
        strands: (N, joints, 2) x, y.
        colours: (N, 3) RGB in [0, 1].
        style: how wide they are.
        shape: (H, W) of the picture.
        rng: source of all chance.

    Returns:
        colour times coverage (H, W, 3), and coverage (H, W), float32 in [0, 1].
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
