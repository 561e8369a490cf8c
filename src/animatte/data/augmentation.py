"""Random views of a sample: geometry, then colour. Everything is drawn from a given generator.

A view is drawn once and then applied to every plane that belongs together. It reads only the part
of a plane that it shows, so a small view of a large picture is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample

Image = NDArray[np.float32]
Generator = np.random.Generator

_LUMA = np.array([0.299, 0.587, 0.114])
WHOLE_BLOCK = 8  # pixels: what starts at a multiple of it lies on whole pixels at 1/2, 1/4 and 1/8


@dataclass(frozen=True)
class ViewConfig:
    """How a square view is cut from a picture.

    Attributes:
        scale: least and greatest side of the view, in sides of the picture (its geometric mean).
        crops: sides in pixels of the picture, one of which is taken instead of `scale`; a side that
            the picture does not have is cut down to its shorter one, and the view stays inside.
        centred: probability to centre the view on a half-transparent pixel.
        aspect: greatest relative squeeze of the sides.
        tilt: standard deviation of the rotation, degrees.
        swing: greatest rotation, degrees, all angles alike, instead of `tilt`.
        turned: probability of any rotation at all angles up to ±180°.
    """

    scale: tuple[float, float] = (0.5, 1.0)
    crops: tuple[int, ...] = ()
    centred: float = 0.4
    aspect: float = 1.2
    tilt: float = 8.0
    swing: float = 0.0
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


@dataclass(frozen=True)
class View:
    """A rectangle cut from a picture, turned and resized: made once, applied to many planes.

    Attributes:
        matrix: (2, 3) from the view's x, y to the picture's.
        size: (height, width) of the view.
        shrink: pixels of the picture that a pixel of the view spans.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    shrink: float

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> View:
        """All of a picture as it is."""
        return cls(np.eye(2, 3), (shape[0], shape[1]), 1.0)

    def through(self, scale: float, offset: tuple[float, float]) -> View:
        """Return the same view of another picture, which lies behind the first one.

        Args:
            scale: pixels of the other picture that one of the first spans.
            offset: x, y in the other picture of the first one's corner.
        """
        centre = (scale - 1) / 2  # pixels are areas, their coordinates those of their centres
        matrix = scale * self.matrix
        matrix[:, 2] += np.array(offset) + centre
        return View(matrix, self.size, scale * self.shrink)

    def of(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the view from a plane (H, W, ...); what lies outside is mirrored."""
        size, box = self.size[::-1], self._box(plane.shape)
        if box is not None:
            # Below 2 a bilinear sample reads all that a pixel spans, in an eighth of the time.
            interpolation = cv2.INTER_AREA if self.shrink >= 2 else cv2.INTER_LINEAR
            part = cv2.resize(plane[box], size, interpolation=interpolation)
            return np.asarray(part if self.matrix[0, 0] > 0 else np.fliplr(part), np.uint8)
        if self.shrink > 1.5:  # bilinear sampling alone would alias
            seen = self._seen(plane.shape)
            # Only what is seen is ever written or read; coordinates stay the picture's own.
            smooth = np.empty_like(plane)
            smooth[seen] = cv2.GaussianBlur(plane[seen], (0, 0), 0.3 * self.shrink)
            plane = smooth
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        border = cv2.BORDER_REFLECT_101
        return np.asarray(
            cv2.warpAffine(plane, self.matrix, size, flags=flags, borderMode=border), np.uint8
        )

    def _box(self, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
        """Rows and columns shown, if the view is upright, of whole pixels and no enlargement."""
        if self.matrix[0, 1] != 0 or self.matrix[1, 0] != 0 or self.shrink < 1:
            return None
        corners = np.array([[-0.5, -0.5, 1], [self.size[1] - 0.5, self.size[0] - 0.5, 1]])
        exact = np.sort(self.matrix @ corners.T + 0.5, axis=1)
        edges = np.rint(exact)
        if np.abs(exact - edges).max() > 1e-3:
            return None
        (left, right), (top, bottom) = edges.astype(int).tolist()
        if min(left, top) < 0 or bottom > shape[0] or right > shape[1]:
            return None
        return slice(top, bottom), slice(left, right)

    def _seen(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns that are sampled, and what a blur reaches around them."""
        right, bottom = self.size[1] - 1, self.size[0] - 1
        corners = np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1]])
        reached = self.matrix @ corners
        margin = 3 + int(1.5 * self.shrink)
        low = np.floor(reached.min(1)).astype(int) - margin
        high = np.ceil(reached.max(1)).astype(int) + margin + 1
        return (
            _mirrored_range(int(low[1]), int(high[1]), shape[0]),
            _mirrored_range(int(low[0]), int(high[0]), shape[1]),
        )


def _mirrored_range(low: int, high: int, end: int) -> slice:
    """What is read of 0 to `end` by a range that is mirrored where it leaves it."""
    start, stop = max(0, low), min(end, high)
    if low < 0:
        stop = max(stop, 1 - low)
    if high > end:
        start = min(start, 2 * end - high - 1)
    return slice(max(0, start), min(end, stop))


def random_view(sample: Sample, size: int, config: ViewConfig, rng: Generator) -> Sample:
    """Cut a random square view by one resampling; what lies outside is mirrored.

    Args:
        sample: the picture.
        size: side of the view in pixels.
        config: ranges.
        rng: source of all chance.
    """
    view = drawn_view(sample.alpha, size, config, rng)
    return Sample(sample.name, view.of(sample.image), view.of(sample.alpha))


def drawn_view(alpha: NDArray[np.uint8], size: int, config: ViewConfig, rng: Generator) -> View:
    """Draw a square view of a picture.

    Args:
        alpha: (H, W) of the picture.
        size: side of the view in pixels.
        config: ranges.
        rng: source of all chance.
    """
    height, width = alpha.shape
    if config.crops:
        side = float(min(rng.choice(config.crops), height, width))
    else:
        side = np.exp(rng.uniform(*np.log(config.scale))) * np.sqrt(height * width)
    squeeze = np.exp(rng.uniform(-1, 1) * np.log(config.aspect) / 2)
    spans = np.array([side * squeeze, side / squeeze])  # x, y
    centre = _view_centre(alpha, spans, config, rng)
    if config.crops:
        ends = np.array([width, height], float)
        corner = np.clip(centre + 0.5 - spans / 2, 0, np.maximum(ends - spans, 0))
        centre = corner // WHOLE_BLOCK * WHOLE_BLOCK + spans / 2 - 0.5
    turned = rng.random() < config.turned
    angle = np.deg2rad(_angle(turned, config, rng))
    flip = -1 if rng.random() < 0.5 else 1
    scaling = np.diag(spans / size * [flip, 1])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ scaling
    offset = centre - linear @ np.full(2, (size - 1) / 2)
    return View(np.column_stack([linear, offset]), (size, size), float(spans.max() / size))


def _angle(turned: bool, config: ViewConfig, rng: Generator) -> float:
    if turned:
        return rng.uniform(-180, 180)
    return rng.uniform(-config.swing, config.swing) if config.swing else rng.normal(0, config.tilt)


def _view_centre(
    alpha: NDArray[np.uint8], spans: NDArray[np.float64], config: ViewConfig, rng: Generator
) -> NDArray[np.float64]:
    """Pick (x, y): on the transition, or so that the view stays inside where it fits."""
    ends = np.array(alpha.shape[::-1], float)
    if rng.random() < config.centred:
        transition = np.asarray(cv2.inRange(alpha, 13, 242))  # 255 where it is
        sums = cv2.reduce(transition, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        counts = np.cumsum(sums[:, 0] // 255)  # cheaper than listing them all
        if counts[-1]:
            pick = int(rng.integers(counts[-1]))
            row = int(np.searchsorted(counts, pick, "right"))
            columns = np.flatnonzero(transition[row])
            return np.array([columns[pick - counts[row]], row], float)  # counted from the end
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
        image = image + grain(image.shape, rng.uniform(0.01, 0.06), rng)
    if rng.random() < config.grey:
        image = np.asarray(cv2.transform(image, np.tile(_LUMA, (3, 1))), np.float32)
    image = np.clip(image, 0, 1, dtype=np.float32)
    if rng.random() < config.jpeg:
        image = _compressed(image, int(rng.integers(30, 92)))
    return image


def _jittered(image: Image, rng: Generator) -> Image:
    """Change brightness, white balance, contrast and saturation: together one affine map."""
    gains = rng.uniform(0.75, 1.3) * np.exp(rng.normal(0, 0.06, 3))
    contrast, saturation = rng.uniform(0.7, 1.35), rng.uniform(0.5, 1.5)
    mean = float((gains * cv2.mean(image)[:3]).mean())  # stays as it is when contrast changes
    saturated = saturation * np.eye(3) + (1 - saturation) * _LUMA
    matrix = np.column_stack([contrast * saturated * gains, np.full(3, (1 - contrast) * mean)])
    return np.asarray(np.clip(cv2.transform(image, matrix), 0, 1), np.float32)


def grain(shape: tuple[int, ...], sigma: float, rng: Generator) -> Image:
    """Gaussian noise, float32 of a standard deviation.

    Picked from 65,536 equally probable values, which takes a fifth of the time of drawing floats.
    """
    picked = rng.integers(0, 2**16, shape, np.uint16)
    return np.asarray(np.take(np.float32(sigma) * _normal_values(), picked), np.float32)


@cache
def _normal_values() -> NDArray[np.float32]:
    steps = 2**16
    values = [NormalDist().inv_cdf((step + 0.5) / steps) for step in range(steps // 2)]
    return np.array([*values, *(-value for value in reversed(values))], np.float32)


def _compressed(image: Image, quality: int) -> Image:
    blue_first = levels(image, 8)[..., ::-1]
    coded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return unit_pixels(decoded[..., ::-1])
