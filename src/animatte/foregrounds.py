"""The foreground's own colours: what a subject looks like without the background's share."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Levels, Pixels, levels, unit_pixels
from animatte.scales import viewed
from animatte.tiles import Area, magnified, tiles, whole_area

Image: TypeAlias = NDArray[np.float32]

_KERNELS = (11, 5)  # pixels, at every size of the pyramid
_SIDE = 192  # of full-size tiles: small ones keep close to the edge
_HALO = 8  # pixels a tile needs from its neighbours: half of each kernel
_REDUCTION = 4  # from full size to the first coarse one; after that by 2
_COARSEST = 16  # longer side in pixels
_LEAST_WEIGHT = 1e-5


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
    check_alpha(image, alpha)
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
    """Estimate the subject's own colours in a quarter of the time, for the frames of a film.

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
    check_alpha(image, alpha)
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
    if area == whole_area(size):
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


def check_alpha(image: NDArray[Any], alpha: NDArray[Any]) -> None:
    """Refuse an image and an alpha that do not go together.

    Raises:
        ValueError: naming both shapes.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image has shape {image.shape}; it must be (H, W, 3)")
    if alpha.shape != image.shape[:2]:
        raise ValueError(
            f"alpha has shape {alpha.shape}, the image {image.shape[:2]}; they must be the same"
        )
