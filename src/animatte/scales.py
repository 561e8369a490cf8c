"""The size at which a network sees a photo, by rules that hold for any photo; resizing to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Pixels, bands, unit_pixels

Size = tuple[int, int]


@dataclass(frozen=True)
class Fraction:
    """A fraction of the photo's sides, as GFM was published.

    Attributes:
        ratio: of each side, above 0 and at most 1.
        multiple: sides are floored to a multiple of it.
        cap: longest side.
    """

    ratio: float
    multiple: int = 32
    cap: int = 1600

    def __post_init__(self) -> None:
        if not 0 < self.ratio <= 1 or self.multiple < 1 or self.cap < 1:
            raise ValueError(f"{self}: ratio must be in (0, 1], multiple and cap at least 1")

    @property
    def most_pixels(self) -> int:
        """Of the largest photo."""
        return self.cap**2

    def size(self, photo: Size, stride: int) -> Size:
        """(height, width) for a photo of (height, width); divisible by `stride`, never 0."""
        height, width = (self._side(side, stride) for side in photo)
        return height, width

    def _side(self, side: int, stride: int) -> int:
        step = math.lcm(self.multiple, stride)
        # The small term undoes rounding: a third of 96 is 32.
        wanted = min(math.floor(side * self.ratio + 1e-6), self.cap)
        return max(wanted // step, 1) * step


@dataclass(frozen=True)
class LongerSide:
    """A longer side in pixels, whatever the photo's; the aspect is kept as near as strides allow.

    Attributes:
        pixels: of the longer side, about.
        max_enlargement: how much a small photo may grow; None for no limit.
    """

    pixels: int
    max_enlargement: float | None = None

    def __post_init__(self) -> None:
        limit = self.max_enlargement
        if self.pixels < 1 or (limit is not None and not limit > 0):
            raise ValueError(f"{self}: pixels must be at least 1, max_enlargement above 0")

    @property
    def most_pixels(self) -> int:
        """Of the largest photo."""
        return self.pixels**2

    def size(self, photo: Size, stride: int) -> Size:
        """(height, width) for a photo of (height, width); divisible by `stride`, never 0."""
        scale = self.pixels / max(photo)
        if self.max_enlargement is not None:
            scale = min(scale, self.max_enlargement)
        height, width = (max(round(side * scale / stride), 1) * stride for side in photo)
        return height, width


Scale = Fraction | LongerSide
_SCALES: Mapping[str, type[Scale]] = {"fraction": Fraction, "longer_side": LongerSide}


def scale_dict(scale: Scale) -> dict[str, Any]:
    """Return plain values, ready for JSON."""
    kind = next(name for name, known in _SCALES.items() if isinstance(scale, known))
    return {"kind": kind, **asdict(scale)}


def scale_of_dict(values: Mapping[str, Any]) -> Scale:
    """Rebuild from `scale_dict`'s values.

    Raises:
        KeyError, TypeError: if a field is missing or unknown.
    """
    return _SCALES[values["kind"]](**{name: values[name] for name in values if name != "kind"})


def viewed(pixels: Pixels, size: Size) -> NDArray[np.float32]:
    """A picture (H, W, ...) of levels or floats as float32 in [0, 1] at another size; `resized`."""
    return reduced(lambda rows: unit_pixels(pixels[rows]), pixels.shape, size)


def reduced(
    rows_of: Callable[[slice], NDArray[np.float32]], shape: tuple[int, ...], size: Size
) -> NDArray[np.float32]:
    """`resized`, of a picture that is made band by band and never is in memory as a whole.

    Args:
        rows_of: the picture's rows of a slice, (h, W, ...).
        shape: (H, W, ...) of the picture.
        size: (height, width) wanted.
    """
    width = min(shape[1], size[1])
    narrow = None
    for rows in bands(shape):
        band = rows_of(rows)
        if narrow is None:
            narrow = np.empty((shape[0], width, *band.shape[2:]), np.float32)
        narrow[rows] = resized(band, (band.shape[0], width))
    assert narrow is not None, "a picture has at least one row"
    return np.asarray(resized(narrow, size), np.float32)


def resized(array: NDArray[Any], size: Size, enlarging: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """Resize (H, W) or (H, W, C): sides that shrink by area means, sides that grow by `enlarging`.

    The array itself where it has the size already.
    """
    smaller = (min(array.shape[0], size[0]), min(array.shape[1], size[1]))
    if smaller != array.shape[:2]:
        array = cv2.resize(array, smaller[::-1], interpolation=cv2.INTER_AREA)
    if size != array.shape[:2]:
        array = cv2.resize(array, size[::-1], interpolation=enlarging)
    return array


def halved_to(array: NDArray[Any], size: Size) -> NDArray[Any]:
    """`resized` to a smaller size in half the time: sides are halved while that leaves enough."""
    while array.shape[0] >= 2 * size[0] and array.shape[1] >= 2 * size[1]:
        half = -(-array.shape[0] // 2), -(-array.shape[1] // 2)
        array = resized(array, half)
    return resized(array, size)


def resized_in_range(pixels: Pixels, size: Size) -> Pixels:
    """`resized`, sides that grow cubically, floats kept in [0, 1]."""
    return in_range(resized(pixels, size, cv2.INTER_CUBIC))


def in_range(pixels: Pixels) -> Pixels:
    """Floats cut off at 0 and 1; levels, which cannot leave their range, as they are."""
    if pixels.dtype.kind == "f":
        np.clip(pixels, 0, 1, out=pixels)
    return pixels
