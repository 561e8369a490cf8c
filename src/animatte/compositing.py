"""Compositing αF + (1-α)B, and backgrounds to put a foreground on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import cv2
import numpy as np
from PIL import ImageColor

from animatte.foregrounds import Image, check_alpha
from animatte.images.arrays import Levels, Pixels, levels, unit_pixels
from animatte.scales import reduced, resized
from animatte.tiles import Area, magnified, tiles, whole_area

Colour: TypeAlias = tuple[float, float, float]
# One area of a background, (h, w, 3) float32 in [0, 1], or a colour.
Backdrop: TypeAlias = Callable[[Area], Image | Colour]


def composite(foreground: Image, background: Image | Colour, alpha: Image) -> Image:
    """Put a foreground on a background: αF + (1-α)B.

    Args:
        foreground: (H, W, 3) in [0, 1], straight, not multiplied with alpha.
        background: (H, W, 3) in [0, 1], or one colour.
        alpha: (H, W) in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1].

    Raises:
        ValueError: for sizes that differ.
    """
    check_alpha(foreground, alpha)
    behind = np.asarray(background, np.float32)
    if behind.ndim > 1:
        check_alpha(behind, alpha)
    # Three equal planes: an array of one channel costs several times as much to multiply with.
    weight = cv2.merge([alpha.astype(np.float32)] * 3)
    image = np.asarray(weight * foreground, np.float32)
    image += (1 - weight) * behind
    return image


def parsed_colour(text: str) -> Colour:
    """Read a colour as people write it.

    Args:
        text: a CSS name, #rgb, #rrggbb, rgb(...), hsl(...), or "R,G,B" of 0 to 255.

    Returns:
        RGB in [0, 1].

    Raises:
        ValueError: naming the text, with examples of what is understood.
    """
    parts = text.split(",")
    written = f"rgb({text})" if len(parts) == 3 and "(" not in text else text.strip()
    try:
        channels: tuple[int, ...] = ImageColor.getrgb(written)
    except ValueError:
        channels = ()
    if len(channels) != 3 or max(channels) > 255:
        raise ValueError(
            f"colour {text!r} is not understood; write an opaque colour like "
            'white, #fff, #ff8000, "rgb(255, 128, 0)" or 255,128,0'
        )
    red, green, blue = (channel / 255 for channel in channels)
    return red, green, blue


def fitted_background(image: Pixels, size: tuple[int, int]) -> Image:
    """Fill a size with a picture: its middle, as large as fits the aspect, resized.

    Args:
        image: (h, w, 3): floats in [0, 1], or levels of 8 or 16 bits.
        size: (height, width) wanted.

    Returns:
        (height, width, 3) float32 in [0, 1].
    """
    return fitted_backdrop(image, size)(whole_area(size))


def fitted_backdrop(image: Pixels, size: tuple[int, int]) -> Callable[[Area], Image]:
    """`fitted_background`, made area by area."""
    (height, width), (rows, columns) = image.shape[:2], size
    scale = max(rows / height, columns / width)
    crop_height = min(height, max(1, round(rows / scale)))
    crop_width = min(width, max(1, round(columns / scale)))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    crop = np.ascontiguousarray(image[top : top + crop_height, left : left + crop_width])
    if scale < 1:
        crop = resized(crop, size)
    if crop.shape[:2] == size:
        return lambda area: unit_pixels(crop[area])
    return lambda area: unit_pixels(magnified(crop, size, area, cv2.INTER_CUBIC))


def blurred_background(image: Pixels, alpha: Image, strength: float = 0.02) -> Image:
    """Blur a photo's background as if the subject were not there, so that it leaves no glow.

    Args:
        image: (H, W, 3): floats in [0, 1], or levels of 8 or 16 bits.
        alpha: (H, W) in [0, 1]; from 0.1 up a pixel gives next to nothing to the blur.
        strength: standard deviation of the blur as a fraction of the longer side, above 0.

    Returns:
        (H, W, 3) float32 in [0, 1]; behind the subject the colours around it carry on.

    Raises:
        ValueError: for sizes that differ, or a strength that is not above 0.
    """
    return blurred_backdrop(image, alpha, strength)(whole_area(alpha.shape))


def blurred_backdrop(
    image: Pixels, alpha: Image, strength: float = 0.02
) -> Callable[[Area], Image]:
    """`blurred_background`, made area by area."""
    check_alpha(image, alpha)
    if not strength > 0:
        raise ValueError(f"strength is {strength}; it must be above 0, like 0.02")
    height, width = alpha.shape
    sigma = strength * max(height, width)
    step = max(1, int(sigma / 4))  # a blur of 4 pixels at reduced size looks the same

    def weighted(rows: slice) -> Image:
        weight = np.clip(1 - 10 * np.asarray(alpha[rows], np.float32)[:, :, None], 1e-3, 1) ** 2
        return np.concatenate([unit_pixels(image[rows]) * weight, weight], axis=2, dtype=np.float32)

    small = reduced(weighted, image.shape, (-(-height // step), -(-width // step)))
    blurred = _spread_colours(small, sigma / step)
    return lambda area: np.clip(magnified(blurred, alpha.shape, area), 0, 1)


def composited(
    foreground: Levels, backdrop: Backdrop, alpha: Image, bit_depth: Literal[8, 16]
) -> Levels:
    """`composite` of levels (H, W, 3), area by area, into levels of a bit depth."""
    result = np.empty(foreground.shape, np.uint8 if bit_depth == 8 else np.uint16)
    for area, _ in tiles(alpha.shape):
        mixed = composite(unit_pixels(foreground[area]), backdrop(area), alpha[area])
        result[area] = levels(mixed, bit_depth)
    return result


def _spread_colours(weighted: Image, sigma: float) -> Image:
    """Normalised Gaussian blur; where little weight is near, an ever wider one takes over.

    Args:
        weighted: (H, W, 4) colours times weight, and the weight, above 0.
        sigma: standard deviation of the first blur in pixels.

    Returns:
        (H, W, 3) colours.
    """
    size = weighted.shape[1::-1]
    if max(size) < 4:
        wider = weighted.mean((0, 1), keepdims=True)
        wider = wider[:, :, :3] / wider[:, :, 3:]
    else:
        reduced = (-(-size[0] // 4), -(-size[1] // 4))
        small = cv2.resize(weighted, reduced, interpolation=cv2.INTER_AREA)
        wider = cv2.resize(_spread_colours(np.asarray(small, np.float32), sigma), size)
    blurred = cv2.GaussianBlur(weighted, (0, 0), sigma)
    return np.asarray((blurred[:, :, :3] + 0.01 * wider) / (blurred[:, :, 3:] + 0.01), np.float32)
