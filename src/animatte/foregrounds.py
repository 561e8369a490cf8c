"""The foreground's own colours: what a subject looks like without the background's share."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Levels, Pixels, levels, unit_pixels
from animatte.scales import halved_to, resized, viewed
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
    size = _reduced_size(alpha.shape, _REDUCTION)
    coarse = _coarse_colours(viewed(image, size), viewed(np.asarray(alpha, np.float32), size))
    for inner, outer in tiles(alpha.shape, _HALO, _SIDE):
        estimate[inner] = _as_kind(image[inner], bit_depth)
        tile_alpha = np.asarray(alpha[outer], np.float32)
        if tile_alpha.min() == 1:
            continue
        if tile_alpha.max() == 0:
            estimate[inner] = _as_kind(magnified(coarse[0], alpha.shape, inner), bit_depth)
            continue
        colours = [magnified(each, alpha.shape, outer) for each in coarse]
        colours = _fused(unit_pixels(image[outer]), tile_alpha, *colours)
        target, within = estimate[inner], _within(inner, outer)
        found = _as_kind(colours[0][within], bit_depth)
        np.copyto(target, found, where=tile_alpha[within][:, :, None] < 1)
    return estimate


def quick_foreground(image: Pixels, alpha: Image) -> Pixels:
    """Estimate the subject's own colours in less than half the time, for the frames of a film.

    As `estimated_foreground`, but the full size has no passes of its own: the coarse colours are
    magnified, and made to fit the image where alpha is between 0 and 1.

    Args:
        image: (H, W, 3): float32 in [0, 1], or levels of 8 or 16 bits.
        alpha: (H, W) in [0, 1].

    Returns:
        (H, W, 3) of the image's kind, as `estimated_foreground`.

    Raises:
        ValueError: for sizes that differ.
    """
    check_alpha(image, alpha)
    size = _reduced_size(alpha.shape, _REDUCTION)
    small = unit_pixels(halved_to(image, size)), np.asarray(halved_to(alpha, size), np.float32)
    foreground, background = (
        np.asarray(cv2.resize(_of_kind(each, image.dtype), alpha.shape[::-1]))
        for each in _coarse_colours(*small)
    )
    cv2.copyTo(image, (alpha >= 1).astype(np.uint8), foreground)
    partly = np.flatnonzero((alpha > 0) & (alpha < 1))
    pixels = foreground.reshape(-1, 3)  # a view: what is written there is written here
    seen, inside, behind = (_picked(each, partly) for each in (image, foreground, background))
    fitted = _fitted(seen, inside, behind, alpha.ravel()[partly])
    pixels[partly] = _of_kind(fitted, image.dtype).T
    return foreground


def _picked(pixels: Pixels, places: NDArray[np.intp]) -> Image:
    """(3, N) colours in [0, 1] at some places of (H, W, 3)."""
    return unit_pixels(np.ascontiguousarray(pixels.reshape(-1, 3).take(places, axis=0).T))


def _fitted(seen: Image, inside: Image, behind: Image, weight: Image) -> Image:
    """Foregrounds (3, N) as near `inside` as lets them composite to what is seen (eq. 7)."""
    rest = 1 - weight
    difference = seen - weight * inside
    difference -= rest * behind
    difference *= weight / (weight**2 + rest**2)
    inside += difference
    return np.asarray(np.clip(inside, 0, 1, out=inside), np.float32)


def _of_kind(pixels: Image, kind: np.dtype[Any]) -> Pixels:
    """Colours in [0, 1] as floats, or as the nearest levels."""
    if kind == np.uint8:
        return np.asarray(cv2.convertScaleAbs(pixels, alpha=255))
    return levels(pixels, 16) if kind == np.uint16 else pixels


def _as_kind(pixels: Pixels, bit_depth: Literal[8, 16] | None) -> Pixels:
    return unit_pixels(pixels) if bit_depth is None else levels(pixels, bit_depth)


def _within(inner: Area, outer: Area) -> Area:
    """Where a tile lies in the same tile widened."""
    rows, columns = (
        slice(one.start - wide.start, one.stop - wide.start)
        for one, wide in zip(inner, outer, strict=True)
    )
    return rows, columns


def _reduced_size(size: tuple[int, ...], reduction: int) -> tuple[int, int]:
    height, width = size
    if max(size) <= _COARSEST:
        return height, width
    return -(-height // reduction), -(-width // reduction)


def _coarse_colours(image: Image, alpha: Image) -> list[Image]:
    """Foreground and background colours, both defined everywhere, from coarse to fine."""
    size = _reduced_size(alpha.shape, 2)
    if size == alpha.shape:
        colours = [_mean_colour(image, alpha), _mean_colour(image, 1 - alpha)]
        return _fused(image, alpha, *_fused(image, alpha, *colours))  # means need it most
    wider = _coarse_colours(resized(image, size), resized(alpha, size))
    result = [np.empty_like(image), np.empty_like(image)]
    for inner, outer in tiles(alpha.shape, _HALO):
        colours = [_enlarged(each, alpha.shape, outer) for each in wider]
        tile_alpha = alpha[outer]
        if tile_alpha.max() == 0 or tile_alpha.min() == 1:  # fusing would give the same
            colours[int(tile_alpha.max() == 0)] = image[outer]
        else:
            colours = _fused(image[outer], tile_alpha, *colours)
        for whole, tile in zip(result, colours, strict=True):
            whole[inner] = tile[_within(inner, outer)]
    return result


def _enlarged(coarse: Image, size: tuple[int, ...], area: Area) -> Image:
    """One area of a coarse picture at another size, which is the whole where that is small."""
    if area == whole_area(size):
        return np.asarray(cv2.resize(coarse, (size[1], size[0])), np.float32)
    return magnified(coarse, size, area)


def _fused(image: Image, alpha: Image, foreground: Image, background: Image) -> list[Image]:
    """Better foreground and background: each blurred by its weight, then made to fit the image.

    The difference that remains, I - αF - (1-α)B, is shared out by least squares, so that inside
    [0, 1] the two composite to the image exactly. Squared weights trust pure pixels more.

    Args:
        image: (H, W, 3).
        alpha: (H, W).
        foreground: (H, W, 3), an estimate.
        background: (H, W, 3), an estimate.
    """
    shares = [_three_times(alpha), _three_times(1 - alpha)]
    weights = [share * share for share in shares]
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
            np.add(colour, share * rest, out=colour)
            np.clip(colour, 0, 1, out=colour)
    return colours


def _three_times(plane: Image) -> Image:
    """(H, W) as (H, W, 3): a plane by itself costs several times as much to multiply with."""
    return np.asarray(cv2.merge([plane] * 3), np.float32)


def _weighted_blur(colour: Image, weight: Image, kernel: int) -> Image:
    """Box mean of colours (H, W, 3) by a weight (H, W), three times; without it colours stay."""
    size = (kernel, kernel)
    total = _three_times(cv2.blur(weight[:, :, 0], size) + np.float32(_LEAST_WEIGHT))
    blurred: Image = np.asarray(cv2.blur(colour * weight, size), np.float32)
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
