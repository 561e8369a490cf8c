"""Random views of a sample: geometry, then colour. Everything is drawn from a given generator."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample

Image = NDArray[np.float32]
Generator = np.random.Generator


@dataclass(frozen=True)
class ViewConfig:
    """How a square view is cut from a picture.

    Attributes:
        scale: least and greatest side of the view, in sides of the picture (its geometric mean).
        centred: probability to centre the view on a half-transparent pixel.
        aspect: greatest relative squeeze of the sides.
        tilt: standard deviation of the rotation, degrees.
        turned: probability of any rotation at all angles up to ±180°.
    """

    scale: tuple[float, float] = (0.5, 1.0)
    centred: float = 0.4
    aspect: float = 1.2
    tilt: float = 8.0
    turned: float = 0.04


@dataclass(frozen=True)
class ColourConfig:
    """Probabilities and strengths of the photometric changes.

    Attributes:
        jitter: probability of brightness, contrast, saturation and white balance changes.
        grey: probability of a picture without colour.
        dark: probability of low light.
        noise: probability of Gaussian noise.
        jpeg: probability of JPEG compression.
        blur: probability of a soft picture.
    """

    jitter: float = 0.8
    grey: float = 0.08
    dark: float = 0.05
    noise: float = 0.2
    jpeg: float = 0.2
    blur: float = 0.12


def random_view(sample: Sample, size: int, config: ViewConfig, rng: Generator) -> Sample:
    """Cut a random square view by one resampling; what lies outside is mirrored.

    Args:
        sample: the picture.
        size: side of the view in pixels.
        config: ranges.
        rng: source of all chance.
    """
    matrix, shrink = _view_matrix(sample, size, config, rng)
    image, alpha = sample.image, sample.alpha
    if shrink > 1.5:  # bilinear sampling alone would alias
        blur = 0.3 * shrink
        image, alpha = (
            np.asarray(cv2.GaussianBlur(plane, (0, 0), blur), np.uint8) for plane in (image, alpha)
        )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = [
        cv2.warpAffine(x, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        for x in (image, alpha)
    ]
    return Sample(sample.name, warped[0].astype(np.uint8), warped[1].astype(np.uint8))


def _view_matrix(
    sample: Sample, size: int, config: ViewConfig, rng: Generator
) -> tuple[NDArray[np.float64], float]:
    """Return the 2×3 matrix from view to picture pixels, and picture pixels a view pixel spans."""
    height, width = sample.alpha.shape
    side = np.exp(rng.uniform(*np.log(config.scale))) * np.sqrt(height * width)
    squeeze = np.exp(rng.uniform(-1, 1) * np.log(config.aspect) / 2)
    spans = np.array([side * squeeze, side / squeeze])  # x, y
    centre = _view_centre(sample, spans, config, rng)
    turned = rng.random() < config.turned
    angle = np.deg2rad(rng.uniform(-180, 180) if turned else rng.normal(0, config.tilt))
    flip = -1 if rng.random() < 0.5 else 1
    scaling = np.diag(spans / size * [flip, 1])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ scaling
    offset = centre - linear @ np.full(2, (size - 1) / 2)
    return np.column_stack([linear, offset]), float(spans.max() / size)


def _view_centre(
    sample: Sample, spans: NDArray[np.float64], config: ViewConfig, rng: Generator
) -> NDArray[np.float64]:
    """Pick (x, y): on the transition, or so that the view stays inside where it fits."""
    ends = np.array(sample.alpha.shape[::-1], float)
    if rng.random() < config.centred:
        rows, columns = np.nonzero((sample.alpha > 12) & (sample.alpha < 243))
        if rows.size:
            pick = rng.integers(rows.size)
            return np.array([columns[pick], rows[pick]], float)
    slack = np.abs(ends - spans) / 2
    return (ends - 1) / 2 + rng.uniform(-1, 1, 2) * slack


def recoloured(image: Image, config: ColourConfig, rng: Generator) -> Image:
    """Change the colours of (H, W, 3) RGB in [0, 1] as light, camera and file would."""
    if rng.random() < config.jitter:
        image = _jittered(image, rng)
    if rng.random() < config.dark:
        gamma, gain = rng.uniform(1.5, 2.6), rng.uniform(0.3, 1.0)
        image = np.asarray(np.power(image, gamma) * gain, np.float32)
    if rng.random() < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4)).astype(np.float32)
    if rng.random() < config.noise:
        image = image + rng.normal(0, rng.uniform(0.01, 0.06), image.shape).astype(np.float32)
    if rng.random() < config.grey:
        image = _grey(image) * np.ones(3, np.float32)
    image = np.clip(image, 0, 1, dtype=np.float32)
    if rng.random() < config.jpeg:
        image = _compressed(image, int(rng.integers(30, 92)))
    return image


def _jittered(image: Image, rng: Generator) -> Image:
    gains = rng.uniform(0.75, 1.3) * np.exp(rng.normal(0, 0.06, 3))
    contrast, saturation = rng.uniform(0.7, 1.35), rng.uniform(0.5, 1.5)
    image = image * gains.astype(np.float32)
    mean = np.float32(image.mean())
    image = mean + np.float32(contrast) * (image - mean)
    grey = _grey(image)
    image = grey + np.float32(saturation) * (image - grey)
    return np.asarray(np.clip(image, 0, 1), np.float32)


def _grey(image: Image) -> Image:
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray((image @ weights)[..., None], np.float32)


def _compressed(image: Image, quality: int) -> Image:
    blue_first = levels(image, 8)[..., ::-1]
    coded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return unit_pixels(decoded[..., ::-1])
