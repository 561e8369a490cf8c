"""Pictures turned, and subjects made smaller, with the alpha that is then true."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite, fitted_background
from animatte.data.folders import Truth
from animatte.foregrounds import estimated_foreground

Array: TypeAlias = NDArray[np.float32]
CANVAS = 1280  # longer side of pictures with pasted subjects


def rotated(truth: Truth, degrees: float) -> Truth:
    """Turn counter-clockwise; on a canvas of the same size, unless by a quarter."""
    if degrees % 90 == 0:
        quarters = round(degrees / 90)
        return Truth(
            np.ascontiguousarray(np.rot90(truth.image, quarters)),
            np.ascontiguousarray(np.rot90(truth.alpha, quarters)),
            np.ascontiguousarray(np.rot90(truth.known, quarters)),
        )
    height, width = truth.alpha.shape
    size = (width, height)
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    image = cv2.warpAffine(truth.image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    alpha = cv2.warpAffine(truth.alpha, matrix, size)
    known = cv2.warpAffine(truth.known.astype(np.float32), matrix, size) > 0.99
    return Truth(np.asarray(image, np.float32), np.asarray(alpha, np.float32), np.asarray(known))


def pasted(truth: Truth, background: Array, divisor: float, random: np.random.Generator) -> Truth:
    """Put the subject on a background, its longer side CANVAS / divisor, at a random place.

    Raises:
        ValueError: if there is no subject.
    """
    if truth.alpha.max() <= 0.05:
        raise ValueError("its alpha is empty; there is no subject to be made smaller")
    rows, columns = (np.flatnonzero(truth.alpha.max(axis=axis) > 0.05) for axis in (1, 0))
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    alpha = truth.alpha[area]
    foreground = estimated_foreground(truth.image, truth.alpha)[area]
    scale = CANVAS / divisor / max(alpha.shape)
    size = tuple(max(1, round(side * scale)) for side in alpha.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    alpha, foreground = (
        np.clip(cv2.resize(part, size[::-1], interpolation=how), 0, 1, dtype=np.float32)
        for part in (alpha, foreground)
    )
    height = min(CANVAS, max(CANVAS * 3 // 4, size[0]))
    canvas = fitted_background(background, (height, CANVAS))
    place = _random_place((height, CANVAS), size, random)
    image, whole = canvas.copy(), np.zeros((height, CANVAS), np.float32)
    image[place] = composite(foreground, canvas[place], alpha)
    whole[place] = alpha
    return Truth(image, whole, np.ones(whole.shape, bool))


def shrunk(truth: Truth, divisor: float, random: np.random.Generator) -> Truth:
    """Put the photo, 1 / divisor of its size, at a random place of a canvas of its own size.

    Around it its border goes on, blurred: there is no second subject.
    """
    if divisor == 1:
        return truth
    shape = truth.alpha.shape
    size = (max(1, round(shape[0] / divisor)), max(1, round(shape[1] / divisor)))
    image, alpha, known = (
        np.asarray(cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA))
        for part in (truth.image, truth.alpha, truth.known.astype(np.float32))
    )
    place = _random_place(shape, size, random)
    top, left = place[0].start, place[1].start
    edges = (top, shape[0] - top - size[0], left, shape[1] - left - size[1])
    canvas = cv2.copyMakeBorder(image, *edges, cv2.BORDER_REPLICATE)
    canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(size) / 20), np.float32)
    canvas[place] = image
    whole, sure = np.zeros(shape, np.float32), np.ones(shape, bool)
    whole[place], sure[place] = alpha, known > 0.99
    return Truth(np.asarray(canvas, np.float32), whole, sure)


def _random_place(
    shape: tuple[int, ...], size: tuple[int, ...], random: np.random.Generator
) -> tuple[slice, slice]:
    top, left = (
        int(random.integers(0, side - part + 1)) for side, part in zip(shape, size, strict=True)
    )
    return slice(top, top + size[0]), slice(left, left + size[1])
