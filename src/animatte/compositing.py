"""Compositing αF + (1-α)B: the foreground's own colours, and backgrounds to put it on."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from animatte.tiles import magnified, tiles

Image: TypeAlias = NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]

_KERNELS = (11, 5)  # pixels, at every size of the pyramid
_HALO = 8  # pixels a tile needs from its neighbours: half of each kernel
_REDUCTION = 4  # from full size to the first coarse one; after that by 2
_COARSEST = 16  # longer side in pixels
_LEAST_WEIGHT = 1e-5


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
    _check_alpha(foreground, alpha)
    behind = np.asarray(background, np.float32)
    if behind.ndim > 1:
        _check_alpha(behind, alpha)
    weight = alpha[:, :, None].astype(np.float32)
    return np.asarray(weight * foreground + (1 - weight) * behind, np.float32)


def estimated_foreground(image: Image, alpha: Image) -> Image:
    """Estimate the subject's own colours, free of the old background.

    Blur fusion (Forte and Pitié 2021, "Approximate Fast Foreground Colour Estimation", eq. 4 to
    7) from coarse to fine: two passes at each size of a pyramid instead of one wide and one
    narrow pass at full size, so that broad and thin transitions both find sure colours. The
    full size runs in tiles, only where alpha is below 1.

    Args:
        image: (H, W, 3) in [0, 1].
        alpha: (H, W) in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1]: the image itself where alpha is 1; where alpha is 0 the
        subject's colours carried on smoothly, never the old background.

    Raises:
        ValueError: for sizes that differ.
    """
    _check_alpha(image, alpha)
    estimate = np.array(image, np.float32)
    coarse = _coarse_colours(estimate, np.asarray(alpha, np.float32), _REDUCTION)
    for inner, outer in tiles(alpha.shape, _HALO):
        tile_alpha = np.asarray(alpha[outer], np.float32)[:, :, None]
        if tile_alpha.min() == 1:
            continue
        colours = [magnified(each, alpha.shape, outer) for each in coarse]
        if tile_alpha.max() > 0:
            colours = _fused(np.asarray(image[outer], np.float32), tile_alpha, *colours)
        top, left = inner[0].start - outer[0].start, inner[1].start - outer[1].start
        target = estimate[inner]
        within = np.s_[top : top + target.shape[0], left : left + target.shape[1]]
        np.copyto(target, colours[0][within], where=tile_alpha[within] < 1)
    return estimate


def quick_foreground(image: Image, alpha: Image) -> Image:
    """Estimate the subject's own colours in a tenth of the time, for the frames of a film.

    As `estimated_foreground`, but the full size has no passes of its own: the coarse colours are
    magnified, and made to fit the image where alpha is between 0 and 1.

    Args:
        image: (H, W, 3) in [0, 1].
        alpha: (H, W) in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1], as `estimated_foreground`.

    Raises:
        ValueError: for sizes that differ.
    """
    _check_alpha(image, alpha)
    coarse = _coarse_colours(image, alpha, _REDUCTION)
    size = alpha.shape[::-1]
    foreground, background = (np.asarray(cv2.resize(each, size), np.float32) for each in coarse)
    cv2.copyTo(image, (alpha >= 1).astype(np.uint8), foreground)
    partly = np.flatnonzero((alpha > 0) & (alpha < 1))
    weight = alpha.ravel()[partly, None]
    pixels = foreground.reshape(-1, 3)  # a view: what is written there is written here
    inside, behind = pixels[partly], background.reshape(-1, 3)[partly]
    rest = image.reshape(-1, 3)[partly] - weight * inside - (1 - weight) * behind
    inside += weight * rest / (weight**2 + (1 - weight) ** 2)
    pixels[partly] = np.clip(inside, 0, 1)
    return foreground


def _coarse_colours(image: Image, alpha: Image, reduction: int) -> list[Image]:
    """Foreground and background colours, both defined everywhere, at 1/reduction of the size."""
    height, width = alpha.shape
    if max(height, width) > _COARSEST:
        size = (-(-width // reduction), -(-height // reduction))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        wider = _coarse_colours(image, alpha, 2)
        colours = [np.asarray(cv2.resize(each, size), np.float32) for each in wider]
    else:
        colours = [_mean_colour(image, alpha), _mean_colour(image, 1 - alpha)]
    return _fused(image, alpha[:, :, None], *colours)


def _fused(image: Image, alpha: Image, foreground: Image, background: Image) -> list[Image]:
    """Better foreground and background: each blurred by its weight, then made to fit the image.

    The difference that remains, I - αF - (1-α)B, is shared out by least squares, so that inside
    [0, 1] the two composite to the image exactly. Squared weights trust pure pixels more.

    Args:
        image: (H, W, 3).
        alpha: (H, W, 1).
        foreground: (H, W, 3), an estimate.
        background: (H, W, 3), an estimate.
    """
    shares = alpha, 1 - alpha
    spread = shares[0] ** 2 + shares[1] ** 2
    colours = [foreground, background]
    for kernel in _KERNELS:
        colours = [
            _weighted_blur(colour, share**2, kernel)
            for colour, share in zip(colours, shares, strict=True)
        ]
        rest = (image - shares[0] * colours[0] - shares[1] * colours[1]) / spread
        for colour, share in zip(colours, shares, strict=True):
            np.clip(colour + share * rest, 0, 1, out=colour)
    return colours


def _weighted_blur(colour: Image, weight: Image, kernel: int) -> Image:
    """Box mean of colours (H, W, 3) by weight (H, W, 1); without weight the colour stays."""
    size = (kernel, kernel)
    total = cv2.blur(weight, size).reshape(weight.shape)
    blurred = cv2.blur(colour * weight, size).reshape(colour.shape)
    return np.asarray((blurred + _LEAST_WEIGHT * colour) / (total + _LEAST_WEIGHT), np.float32)


def _mean_colour(image: Image, weight: Image) -> Image:
    """The picture's mean colour by weight (H, W), as a picture (H, W, 3)."""
    weights = np.maximum(weight, _LEAST_WEIGHT)
    mean = (image * weights[:, :, None]).sum((0, 1)) / weights.sum()
    return np.broadcast_to(mean, image.shape).astype(np.float32)


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


def fitted_background(image: Image, size: tuple[int, int]) -> Image:
    """Fill a size with a picture: its middle, as large as fits the aspect, resized.

    Args:
        image: (h, w, 3) in [0, 1].
        size: (height, width) wanted.

    Returns:
        (height, width, 3) float32 in [0, 1].
    """
    (height, width), (rows, columns) = image.shape[:2], size
    scale = max(rows / height, columns / width)
    crop_height = min(height, max(1, round(rows / scale)))
    crop_width = min(width, max(1, round(columns / scale)))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    crop = np.asarray(image[top : top + crop_height, left : left + crop_width], np.float32)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fitted = cv2.resize(crop, (columns, rows), interpolation=interpolation)
    return np.clip(fitted, 0, 1).astype(np.float32)


def blurred_background(image: Image, alpha: Image, strength: float = 0.02) -> Image:
    """Blur a photo's background as if the subject were not there, so that it leaves no glow.

    Args:
        image: (H, W, 3) in [0, 1].
        alpha: (H, W) in [0, 1]; from 0.1 up a pixel gives next to nothing to the blur.
        strength: standard deviation of the blur as a fraction of the longer side, above 0.

    Returns:
        (H, W, 3) float32 in [0, 1]; behind the subject the colours around it carry on.

    Raises:
        ValueError: for sizes that differ, or a strength that is not above 0.
    """
    _check_alpha(image, alpha)
    if not strength > 0:
        raise ValueError(f"strength is {strength}; it must be above 0, like 0.02")
    height, width = alpha.shape
    sigma = strength * max(height, width)
    step = max(1, int(sigma / 4))  # a blur of 4 pixels at reduced size looks the same
    size = (-(-width // step), -(-height // step))
    weight = np.clip(1 - 10 * np.asarray(alpha, np.float32)[:, :, None], 1e-3, 1) ** 2
    weighted = np.concatenate([image * weight, weight], axis=2, dtype=np.float32)
    small = np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32)
    blurred = _spread_colours(small, sigma / step)
    return np.clip(cv2.resize(blurred, (width, height)), 0, 1).astype(np.float32)


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


def _check_alpha(image: NDArray[Any], alpha: NDArray[Any]) -> None:
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image has shape {image.shape}; it must be (H, W, 3)")
    if alpha.shape != image.shape[:2]:
        raise ValueError(
            f"alpha has shape {alpha.shape}, the image {image.shape[:2]}; they must be the same"
        )
