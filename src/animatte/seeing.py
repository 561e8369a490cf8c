"""From a photo of any size to a full-size alpha, by a network and a strategy, in bounded memory."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.confidence import Signs, signs_of_error
from animatte.engine import WHOLE_OUTPUTS, Network
from animatte.images.arrays import Pixels, bands, unit_pixels
from animatte.looks import Seen
from animatte.merging import (
    focus_counts,
    merge_softly_in_tiles,
    merged_by_labels,
    merged_softly,
)
from animatte.refinement import bounded_size, guided_enlargement
from animatte.scales import Size, resized, viewed
from animatte.strategies import Strategy
from animatte.tiles import coarse_part
from animatte.windows import LEAST_SIDE, windows

Array: TypeAlias = NDArray[np.float32]

# What a network is shown at once at most: a focus of the published strategies, whole.
MOST_PIXELS = 1600 * 1600
# A larger focus sees windows of this side, or smaller ones where less is allowed. The larger they
# are, the less of them is seen twice, for what counts is a window's middle.
_WINDOW_SIDE = 1536
_FLAT = np.float32(1 / 512)
# A photo this much larger than what is seen of it is reduced to that once, and not for each view.
_MUCH_LARGER = 4


class _Glance(NamedTuple):
    """(C, h, w) class scores, the mean where there are two glances, and what these disclose."""

    scores: Array
    signs: Signs


def full_size_alpha(
    network: Network, image: Pixels, strategy: Strategy, most_pixels: int = MOST_PIXELS
) -> Array:
    """Return (H, W) alpha as `full_size_look` does, alone."""
    return full_size_look(network, image, strategy, most_pixels).alpha


def full_size_look(
    network: Network, image: Pixels, strategy: Strategy, most_pixels: int = MOST_PIXELS
) -> Seen:
    """Predict alpha at the photo's own size, which may be any from 1×1.

    A focus larger than `most_pixels` is looked for in overlapping windows, and only in those
    where the glance leaves something to find. Where memory ends even so, the network is shown
    less and less at once.

    Args:
        network: any; one that merges by itself (RIM, LFM) takes strategies of one size only.
        image: (H, W, 3) RGB: floats in [0, 1], or levels of 8 or 16 bits.
        strategy: at which sizes the network sees it.
        most_pixels: what the network is shown at once; a glance, and what a network sees that
            merges by itself, is reduced to it.

    Returns:
        (H, W) float32 alpha in [0, 1], and the signs of error in the glances that led to it.

    Raises:
        ValueError: if the network gives no glance and focus apart, and `strategy` needs them.
        MemoryError: if there is not even enough for small windows.
    """
    size: Size = image.shape[:2]
    seen = _seen_size(size, strategy.shorter_side)
    scales = [strategy.glance, strategy.focus, *([strategy.mirrored] if strategy.mirrored else [])]
    largest = max((scale.size(seen, network.stride) for scale in scales), key=_area)
    view = image if seen == size else viewed(image, seen)
    if strategy.merging == "soft" and max(seen) >= 2 * _MUCH_LARGER * max(largest):
        view = viewed(view, bounded_size(seen, _MUCH_LARGER**2 * _area(largest)))
    while (found := _if_memory_lasts(network, view, image, strategy, most_pixels)) is None:
        most_pixels = max(min(most_pixels, _area(largest)) // 4, LEAST_SIDE**2)
    return found


def _if_memory_lasts(
    network: Network, view: Pixels, image: Pixels, strategy: Strategy, most_pixels: int
) -> Seen | None:
    """What is seen, or None if less is to be tried at once."""
    try:
        return _enlarged(network, view, image, strategy, most_pixels)
    except MemoryError:
        if most_pixels <= LEAST_SIDE**2:
            raise
    return None


def full_size_branches(network: Network, image: Pixels, strategy: Strategy) -> tuple[Array, Array]:
    """Predict late fusion's two branches at the photo's own size.

    Args:
        network: late fusion.
        image: (H, W, 3) RGB: floats in [0, 1], or levels of 8 or 16 bits.
        strategy: at which size the network sees it.

    Returns:
        (H, W) probabilities of foreground and of background, in [0, 1].
    """
    size: Size = image.shape[:2]
    view = viewed(image, strategy.focus.size(size, network.stride))
    foreground, background = network.branches(view)
    return resized(foreground, size), resized(background, size)


def largest_seen(strategy: Strategy) -> int:
    """The most pixels that a network is shown at once of a photo of any size."""
    largest = max(strategy.glance.most_pixels, strategy.focus.most_pixels)
    return largest if largest <= MOST_PIXELS else _WINDOW_SIDE**2


def _enlarged(
    network: Network, view: Pixels, image: Pixels, strategy: Strategy, most_pixels: int
) -> Seen:
    size: Size = image.shape[:2]
    (alpha, signs), focus_view = _seen_alpha(network, view, strategy, most_pixels)
    _flatten(alpha)
    if strategy.guided and min(size[0] - alpha.shape[0], size[1] - alpha.shape[1]) > 0:
        return Seen(guided_enlargement(alpha, unit_pixels(focus_view), image), signs)
    # Cubic, as a matte magnified linearly shows a lattice along slanting edges; it overshoots
    # beside steep ones, mostly outside [0, 1], where it is cut off.
    full: Array = resized(alpha, size, cv2.INTER_CUBIC)
    np.clip(full, 0, 1, out=full)
    return Seen(full, signs)


def _flatten(alpha: Array) -> None:
    """Make 0 and 1 of what eight bits cannot tell from them: flat areas need no work at full size.

    A network is never quite sure, and without this no pixel would be.
    """
    for rows in bands(alpha.shape):
        part = alpha[rows]
        part[part < _FLAT] = 0
        part[part > 1 - _FLAT] = 1


def _seen_alpha(
    network: Network, view: Pixels, strategy: Strategy, most_pixels: int
) -> tuple[Seen, Pixels]:
    """Alpha as the strategy sees it (labels: at the view's size), and what the focus saw."""
    seen: Size = view.shape[:2]
    focus_size = strategy.focus.size(seen, network.stride)
    if network.rosta in WHOLE_OUTPUTS:
        focus_view = viewed(view, _bounded(focus_size, most_pixels, network.stride))
        return Seen(_whole(network, focus_view, strategy)), focus_view
    if _area(focus_size) > most_pixels:
        levels = resized(view, focus_size)
        glance, signs = _glance(network, view, strategy, most_pixels)
        glance = glance ** _power(strategy)
        focus = _focus_in_windows(network, levels, glance, strategy.merging, most_pixels)
        if strategy.merging == "soft":
            merge_softly_in_tiles(glance, focus, network.rosta)
            return Seen(focus, signs), levels
        return Seen(merged_by_labels(glance, focus, network.rosta, seen), signs), levels
    focus_view = viewed(view, focus_size)
    (glance, signs), focus = _glance_and_focus(network, view, focus_view, strategy, most_pixels)
    if strategy.merging == "soft":
        alpha = merged_softly(glance ** _power(strategy), focus, network.rosta)
    else:
        alpha = merged_by_labels(glance, focus, network.rosta, seen)
    return Seen(alpha, signs), focus_view


def _whole(network: Network, focus_view: Array, strategy: Strategy) -> Array:
    if strategy.glance != strategy.focus:
        raise ValueError(
            f"strategy {strategy.name!r} asks for glance and focus at two sizes, and model "
            f"{network.name!r} ({network.rosta}) gives alpha alone; choose rim, resize or "
            "late-fusion"
        )
    alpha = network.alpha(focus_view)
    if strategy.mirrored is not None:
        size = strategy.mirrored.size(focus_view.shape[:2], network.stride)
        again = network.alpha(resized(focus_view, size)[:, ::-1])[:, ::-1]
        alpha = np.asarray((alpha + resized(again, alpha.shape)) / 2, np.float32)
    return alpha


def _glance_and_focus(
    network: Network, view: Pixels, focus_view: Array, strategy: Strategy, most_pixels: int
) -> tuple[_Glance, Array]:
    """(C, h, w) and (h', w'), each at the size that the strategy gives it; one forward if equal."""
    size = strategy.glance.size(view.shape[:2], network.stride)
    if size != focus_view.shape[:2]:
        return _glance(network, view, strategy, most_pixels), network.focus(focus_view)
    glance, focus = network.glance_and_focus(focus_view)
    return _with_mirrored(network, view, strategy, most_pixels, glance), focus


def _glance(network: Network, view: Pixels, strategy: Strategy, most_pixels: int) -> _Glance:
    size = strategy.glance.size(view.shape[:2], network.stride)
    glance = network.glance(viewed(view, _bounded(size, most_pixels, network.stride)))
    return _with_mirrored(network, view, strategy, most_pixels, glance)


def _with_mirrored(
    network: Network, view: Pixels, strategy: Strategy, most_pixels: int, glance: Array
) -> _Glance:
    """Mean of a glance and of the mirrored one, where the strategy has one."""
    if strategy.mirrored is None:
        return _Glance(glance, signs_of_error(glance))
    size = strategy.mirrored.size(view.shape[:2], network.stride)
    mirrored = viewed(view, _bounded(size, most_pixels, network.stride))[:, ::-1]
    again = network.glance(mirrored)[:, :, ::-1]
    return _Glance(_mean(glance, again), signs_of_error(glance, again))


def _focus_in_windows(
    network: Network, view: Pixels, glance: Array, merging: str, most_pixels: int
) -> Array:
    """(H, W) focus of a view; 0, or anything, where it does not count."""
    counts = focus_counts(glance, network.rosta, merging)
    size: Size = view.shape[:2]
    focus = np.zeros(size, np.float32)
    side = min(_WINDOW_SIDE, int(most_pixels**0.5))
    for window in windows(size, side, network.stride):
        rows, columns = (
            coarse_part(coarse, whole, part, 1)
            for coarse, whole, part in zip(counts.shape, size, window.kept, strict=True)
        )
        if counts[rows, columns].any():
            seen = network.focus(unit_pixels(view[window.seen]))
            focus[window.kept] += window.weights * seen[window.kept_of_seen]
    return focus


def _power(strategy: Strategy) -> float:
    return strategy.sharpness if strategy.merging == "soft" else 1.0


def _mean(first: Array, second: Array) -> Array:
    """Mean of (C, h, w) of two sizes, at the larger one."""
    size = max(first.shape[1:], second.shape[1:])
    planes = [
        (resized(one, size) + resized(other, size)) / 2
        for one, other in zip(first, second, strict=True)
    ]
    return np.stack(planes).astype(np.float32, copy=False)


def _seen_size(size: Size, shorter_side: int | None) -> Size:
    if shorter_side is None or min(size) <= shorter_side:
        return size
    ratio = shorter_side / min(size)
    return round(size[0] * ratio), round(size[1] * ratio)


def _bounded(size: Size, most_pixels: int, stride: int) -> Size:
    """A size that is not too large, divisible by the stride as before."""
    if _area(size) <= most_pixels:
        return size
    height, width = (max(side // stride, 1) * stride for side in bounded_size(size, most_pixels))
    return height, width


def _area(size: Size) -> int:
    return size[0] * size[1]
