"""How a photo of any size becomes a full-size alpha: at which sizes the network sees it, and how.

The glance wants few pixels (semantics), the focus many (hair). GFM's published test strategies
are fractions of the photo's sides; `views` gives each decoder a size of its own instead, whatever
the photo's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.engine import WHOLE_OUTPUTS, Network
from animatte.refinement import guided_enlargement
from animatte.scales import (
    Fraction,
    LongerSide,
    Scale,
    Size,
    resized,
    scale_dict,
    scale_of_dict,
)

Array = NDArray[np.float32]

MERGINGS = ("labels", "soft")


@dataclass(frozen=True)
class Strategy:
    """The sizes that glance and focus see, and how the two merge.

    Attributes:
        name: what it is called.
        glance: size of the glance's image.
        focus: size of the focus' image; where it is the same, one forward gives both.
        merging: of glance and focus, where the network does not merge by itself. "labels", as
            published: the glance decides at full size, and whatever lies between two labels is
            transition. "soft": the glance's probabilities weigh the focus.
        shorter_side: first reduce the photo to this shorter side; None for not.
        guided: follow the photo's own edges where the matte is enlarged, instead of
            interpolating (`animatte.refinement`); with soft merging only.
        sharpness: power that the glance's probabilities are raised to before soft merging, at
            least 1; the higher, the nearer to labels, without their steps.
        mirrored: size at which the glance (or a network that merges by itself) sees the photo once
            more, mirrored, and the mean is taken: surer semantics for one look more, and surest
            where the two sizes differ. None for one look.
    """

    name: str
    glance: Scale
    focus: Scale
    merging: str = "labels"
    shorter_side: int | None = None
    guided: bool = False
    sharpness: float = 1.0
    mirrored: Scale | None = None

    def __post_init__(self) -> None:
        if self.merging not in MERGINGS:
            raise ValueError(
                f"merging {self.merging!r} is unknown; choose one of {', '.join(MERGINGS)}"
            )
        if self.shorter_side is not None and self.shorter_side < 1:
            raise ValueError(f"shorter_side is {self.shorter_side}; it must be at least 1")
        if not self.sharpness >= 1:
            raise ValueError(f"sharpness is {self.sharpness}; it must be at least 1")
        if self.guided and self.merging != "soft":
            raise ValueError("guided enlarging needs soft merging: labels merge at full size")

    def __str__(self) -> str:
        return self.name

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            **asdict(self),
            "glance": scale_dict(self.glance),
            "focus": scale_dict(self.focus),
            "mirrored": None if self.mirrored is None else scale_dict(self.mirrored),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Strategy:
        """Rebuild from `as_dict`'s values.

        Raises:
            ValueError: if a field is missing or unknown.
        """
        try:
            names = ["glance", "focus", *(["mirrored"] if values.get("mirrored") else [])]
            scales = {name: scale_of_dict(values[name]) for name in names}
            return cls(**{**values, **scales})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a strategy: {error}") from error


def views(
    glance: int = 320,
    focus: int = 704,
    mirrored: int | None = 448,
    merging: str = "soft",
    name: str = "view",
) -> Strategy:
    """Return a strategy of longer sides in pixels: for the glance, the focus, the mirrored glance.

    A small photo is enlarged to the glance's view, whose scale the network knows; for the focus
    at most by a quarter, as there is no more to see. Sizes, enlargement and sharpness were chosen
    by the mean error of animatte-s on its validation pictures.
    """
    is_soft = merging == "soft"
    return Strategy(
        name,
        LongerSide(glance),
        LongerSide(focus, max_enlargement=1.25),
        merging,
        guided=is_soft,
        sharpness=4.0 if is_soft else 1.0,
        mirrored=None if mirrored is None else LongerSide(mirrored),
    )


def whole(pixels: int, name: str = "whole") -> Strategy:
    """Return a strategy of one longer side in pixels, for networks that merge by themselves."""
    side = LongerSide(pixels)
    return Strategy(name, side, side, "soft", guided=True)


_HALF, _THIRD = Fraction(1 / 2), Fraction(1 / 3)
STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        views(),
        Strategy("resize", _HALF, _HALF),
        Strategy("hybrid", _THIRD, _HALF),
        Strategy("rim", _THIRD, _THIRD),
        whole(800, "late-fusion"),
        Strategy("resize-samples", _HALF, _HALF, shorter_side=1080),
        Strategy("hybrid-samples", _THIRD, _HALF, shorter_side=1080),
        Strategy("rim-samples", _THIRD, _THIRD, shorter_side=1080),
    )
}

# One small forward, to decide by and not to keep: which way up a photo is.
SKETCH = Strategy("sketch", LongerSide(256), LongerSide(256), "soft", sharpness=2.0)


def named_strategy(name: str) -> Strategy:
    """Return a known strategy.

    Raises:
        ValueError: if it is unknown.
    """
    if name not in STRATEGIES:
        raise ValueError(f"strategy {name!r} is unknown; choose one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def default_strategy(rosta: str) -> Strategy:
    """Return what was published for a RoSTa, for their integration ("RIM") or for "LFM"."""
    return STRATEGIES[{"RIM": "rim", "LFM": "late-fusion"}.get(rosta, "hybrid")]


def full_size_alpha(network: Network, image: Array, strategy: Strategy) -> Array:
    """Predict alpha at the photo's own size, which may be any from 1×1.

    Args:
        network: any; one that merges by itself (RIM, LFM) takes strategies of one size only.
        image: (H, W, 3) RGB in [0, 1].
        strategy: at which sizes the network sees it.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        ValueError: if the network gives no glance and focus apart, and `strategy` needs them.
    """
    size: Size = image.shape[:2]
    seen = _seen_size(size, strategy.shorter_side)
    view = resized(image, seen)
    focus_view = resized(view, strategy.focus.size(seen, network.stride))
    if network.rosta in WHOLE_OUTPUTS:
        alpha = _whole(network, focus_view, strategy)
    else:
        glance, focus = _glance_and_focus(network, view, focus_view, strategy)
        if strategy.merging == "soft":
            alpha = _soft_merge(glance**strategy.sharpness, focus, network.rosta)
        else:
            alpha = _merge_by_labels(glance, focus, network.rosta, seen)
    if strategy.guided and min(size[0] - alpha.shape[0], size[1] - alpha.shape[1]) > 0:
        return guided_enlargement(alpha, focus_view, image)
    # Cubic, as a matte magnified linearly shows a lattice along slanting edges; it overshoots
    # beside steep ones, mostly outside [0, 1], where it is cut off.
    full: Array = resized(alpha, size, cv2.INTER_CUBIC)
    np.clip(full, 0, 1, out=full)
    return full


def full_size_branches(network: Network, image: Array, strategy: Strategy) -> tuple[Array, Array]:
    """Predict late fusion's two branches at the photo's own size.

    Args:
        network: late fusion.
        image: (H, W, 3) RGB in [0, 1].
        strategy: at which size the network sees it.

    Returns:
        (H, W) probabilities of foreground and of background, in [0, 1].
    """
    size: Size = image.shape[:2]
    view = resized(image, strategy.focus.size(size, network.stride))
    foreground, background = network.branches(view)
    return resized(foreground, size), resized(background, size)


def _seen_size(size: Size, shorter_side: int | None) -> Size:
    if shorter_side is None or min(size) <= shorter_side:
        return size
    ratio = shorter_side / min(size)
    return round(size[0] * ratio), round(size[1] * ratio)


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
    network: Network, view: Array, focus_view: Array, strategy: Strategy
) -> tuple[Array, Array]:
    """(C, h, w) and (h', w'), each at the size that the strategy gives it."""
    glance_size = strategy.glance.size(view.shape[:2], network.stride)
    if glance_size == focus_view.shape[:2]:
        glance, focus = network.glance_and_focus(focus_view)
    else:
        glance, focus = network.glance(resized(view, glance_size)), network.focus(focus_view)
    if strategy.mirrored is not None:
        mirrored_size = strategy.mirrored.size(view.shape[:2], network.stride)
        glance = _mean(glance, network.glance(resized(view, mirrored_size)[:, ::-1])[:, :, ::-1])
    return glance, focus


def _mean(first: Array, second: Array) -> Array:
    """Mean of (C, h, w) of two sizes, at the larger one."""
    size = max(first.shape[1:], second.shape[1:])
    planes = [
        (resized(one, size) + resized(other, size)) / 2
        for one, other in zip(first, second, strict=True)
    ]
    return np.stack(planes).astype(np.float32, copy=False)


def _merge_by_labels(glance: Array, focus: Array, rosta: str, size: Size) -> Array:
    """Collaborative Matting at full size by the glance's largest class (GFM §3.3, HYBRID).

    Labels are enlarged as whole levels of a byte, in which flat areas stay exact: only between
    two different labels other levels appear, and for TT they all are transition.
    """
    levels = np.linspace(0, 255, len(glance)).round().astype(np.uint8)
    labels: NDArray[np.uint8] = resized(levels[glance.argmax(axis=0)], size)
    alpha: Array = resized(focus, size)
    if rosta == "TT":
        np.copyto(alpha, 0, where=labels == 0)
        np.copyto(alpha, 1, where=labels == 255)
        return alpha
    known = labels.astype(np.float32)
    known /= 255
    merged: Array = known + alpha if rosta == "FT" else known - alpha
    np.clip(merged, 0, 1, out=merged)
    return merged


def _soft_merge(glance: Array, focus: Array, rosta: str) -> Array:
    """Collaborative Matting in expectation over the glance, at the focus' size.

    Both are smooth at the photo's size, so that merging before enlarging loses nothing.
    """
    scores = [resized(plane, focus.shape) for plane in glance]
    total = np.maximum(np.sum(scores, axis=0), np.float32(1e-6))  # sigmoids do not sum to 1
    if rosta == "TT":
        merged = (scores[2] + scores[1] * focus) / total
    elif rosta == "FT":
        merged = (scores[1] + scores[0] * focus) / total
    else:
        merged = scores[1] * (1 - focus) / total
    return np.asarray(merged, np.float32)
