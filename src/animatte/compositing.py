"""Compositing αF + (1-α)B: the foreground's own colours, and backgrounds to put it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, overload

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from animatte.images.arrays import Levels, Pixels, levels, unit_pixels
from animatte.scales import reduced, resized, viewed
from animatte.tiles import Area, magnified, tiles

Image: TypeAlias = NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]
# One area of a background, (h, w, 3) float32 in [0, 1], or a colour.
Backdrop: TypeAlias = Callable[[Area], Image | Colour]

_KERNELS = (11, 5)  # pixels, at every size of the pyramid
_SIDE = 192  # of full-size tiles: small ones keep close to the edge
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
    # Three equal planes: an array of one channel costs several times as much to multiply with.
    weight = cv2.merge([alpha.astype(np.float32)] * 3)
    image = np.asarray(weight * foreground, np.float32)
    image += (1 - weight) * behind
    return image


@overload
def estimated_foreground(image: Pixels, alpha: Image) -> Image: ...
@overload
def estimated_foreground(image: Pixels, alpha: Image, bit_depth: Literal[8, 16]) -> Levels: ...
def estimated_foreground(
    image: Pixels, alpha: Image, bit_depth: Literal[8, 16] | None = None
) -> Pixels:
    """Estimate the subject's own colours, free of the old background.

    Blur fusion (Forte and Pitié 2021, "Approximate Fast Foreground Colour Estimation", eq. 4 to
    7) from coarse to fine: two passes at each size of a pyramid instead of one wide and one
    narrow pass at full size, so that broad and thin transitions both find sure colours. All
    runs in tiles, at full size only where alpha is below 1.

    Args:
        image: (H, W, 3): floats in [0, 1], or levels of 8 or 16 bits.
        alpha: (H, W) in [0, 1].
        bit_depth: of the result; None for floats.

    Returns:
        (H, W, 3) float32 in [0, 1], or levels: the image itself where alpha is 1; where alpha is
        0 the subject's colours carried on smoothly, never the old background.

    Raises:
        ValueError: for sizes that differ.
    """
    _check_alpha(image, alpha)
    kind = {None: np.float32, 8: np.uint8, 16: np.uint16}[bit_depth]
    estimate = np.empty(image.shape, kind)
    coarse = _coarse_colours(image, np.asarray(alpha, np.float32), _REDUCTION)
    for inner, outer in tiles(alpha.shape, _HALO, _SIDE):
        estimate[inner] = _as_kind(image[inner], bit_depth)
        tile_alpha = np.asarray(alpha[outer], np.float32)[:, :, None]
        if tile_alpha.min() == 1:
            continue
        if tile_alpha.max() == 0:
            estimate[inner] = _as_kind(magnified(coarse[0], alpha.shape, inner), bit_depth)
            continue
        colours = [magnified(each, alpha.shape, outer) for each in coarse]
        colours = _fused(unit_pixels(image[outer]), tile_alpha, *colours)
        target, within = estimate[inner], _within(inner, outer)
        found = _as_kind(colours[0][within], bit_depth)
        np.copyto(target, found, where=tile_alpha[within] < 1)
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


def _as_kind(pixels: Pixels, bit_depth: Literal[8, 16] | None) -> Pixels:
    return unit_pixels(pixels) if bit_depth is None else levels(pixels, bit_depth)


def _within(inner: Area, outer: Area) -> Area:
    """Where a tile lies in the same tile widened."""
    rows, columns = (
        slice(one.start - wide.start, one.stop - wide.start)
        for one, wide in zip(inner, outer, strict=True)
    )
    return rows, columns


def _coarse_colours(image: Pixels, alpha: Image, reduction: int) -> list[Image]:
    """Foreground and background colours, both defined everywhere, at 1/reduction of the size."""
    height, width = alpha.shape
    if max(height, width) <= _COARSEST:
        image = unit_pixels(image)
        colours = [_mean_colour(image, alpha), _mean_colour(image, 1 - alpha)]
        return _fused(image, alpha[:, :, None], *colours)
    size = (-(-height // reduction), -(-width // reduction))
    image, alpha = viewed(image, size), viewed(alpha, size)
    wider = _coarse_colours(image, alpha, 2)
    result = [np.empty_like(image), np.empty_like(image)]
    for inner, outer in tiles(size, _HALO):
        colours = [_enlarged(each, size, outer) for each in wider]
        tile_alpha = alpha[outer][:, :, None]
        if tile_alpha.max() == 0 or tile_alpha.min() == 1:  # fusing would give the same
            colours[int(tile_alpha.max() == 0)] = image[outer]
        else:
            colours = _fused(image[outer], tile_alpha, *colours)
        for whole, tile in zip(result, colours, strict=True):
            whole[inner] = tile[_within(inner, outer)]
    return result


def _enlarged(coarse: Image, size: tuple[int, int], area: Area) -> Image:
    """One area of a coarse picture at another size, which is the whole where that is small."""
    if area == _all_of(size):
        return np.asarray(cv2.resize(coarse, size[::-1]), np.float32)
    return magnified(coarse, size, area)


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
    weights = [share**2 for share in shares]
    spread = weights[0] + weights[1]
    colours = [foreground, background]
    for kernel in _KERNELS:
        colours = [
            _weighted_blur(colour, weight, kernel)
            for colour, weight in zip(colours, weights, strict=True)
        ]
        rest = image - shares[0] * colours[0]
        rest -= shares[1] * colours[1]
        rest /= spread
        for colour, share in zip(colours, shares, strict=True):
            np.clip(colour + share * rest, 0, 1, out=colour)
    return colours


def _weighted_blur(colour: Image, weight: Image, kernel: int) -> Image:
    """Box mean of colours (H, W, 3) by weight (H, W, 1); without weight the colour stays."""
    size = (kernel, kernel)
    total: Image = np.asarray(cv2.blur(weight, size), np.float32).reshape(weight.shape)
    total += np.float32(_LEAST_WEIGHT)
    blurred: Image = np.asarray(cv2.blur(colour * weight, size), np.float32).reshape(colour.shape)
    blurred += np.float32(_LEAST_WEIGHT) * colour
    blurred /= total
    return blurred


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


def fitted_background(image: Pixels, size: tuple[int, int]) -> Image:
    """Fill a size with a picture: its middle, as large as fits the aspect, resized.

    Args:
        image: (h, w, 3): floats in [0, 1], or levels of 8 or 16 bits.
        size: (height, width) wanted.

    Returns:
        (height, width, 3) float32 in [0, 1].
    """
    return fitted_backdrop(image, size)(_all_of(size))


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
    return blurred_backdrop(image, alpha, strength)(_all_of(alpha.shape))


def blurred_backdrop(
    image: Pixels, alpha: Image, strength: float = 0.02
) -> Callable[[Area], Image]:
    """`blurred_background`, made area by area."""
    _check_alpha(image, alpha)
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


def _all_of(size: tuple[int, ...]) -> Area:
    return slice(0, size[0]), slice(0, size[1])


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
