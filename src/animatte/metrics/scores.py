"""The scores of one matte by the rules of a published protocol."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.metrics.checks import Alpha, Region, validated_pair, validated_regions
from animatte.metrics.connectivity import connectivity_error
from animatte.metrics.differences import difference
from animatte.metrics.gradient import gradient_error
from animatte.metrics.protocols import Area, Protocol, named_protocol
from animatte.trimap import dilated


class Errors(NamedTuple):
    """Of each pixel, (H, W), before they are added up."""

    absolute: NDArray[np.float64]
    gradient: NDArray[np.float64]
    connectivity: NDArray[np.float64]


class Sums(NamedTuple):
    """Of errors over an area: plain, of their squares, and of how many pixels."""

    plain: float
    squared: float
    pixels: int


def alpha_scores(
    predicted: Alpha,
    true: Alpha,
    trimap: NDArray[np.uint8] | None = None,
    protocol: str = "gfm",
    *,
    area: Area | None = None,
    band: int | None = None,
) -> dict[str, float]:
    """Score a matte as a published table would (`PROTOCOLS`).

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        trimap: (H, W) uint8: 0 background, 255 foreground, any value between unknown: the
            transition area.
        protocol: a key of `PROTOCOLS`, which states each score's scale.
        area: "image" or "transition", over which `sad`, `mse`, `mad`, `grad` and `conn` are taken
            in place of the protocol's own.
        band: pixels by which the unknown area is dilated for the scores of the band; without a
            trimap it starts from 0 < true < 1. Late fusion's tables have 25.

    Returns:
        `sad`, `mse`, `mad`, `grad` and `conn`. With a trimap also `sad_transition`,
        `mse_transition`, `mad_transition`, `sad_foreground` and `sad_background`, and but for
        `gfm`, which has none, `grad_transition` and `conn_transition`. With a band all five as
        `sad_band` and so on. A mean over no pixel is 0.

    Raises:
        ValueError: if a size, type or value does not fit, or the area asks for a trimap.
    """
    rules = named_protocol(protocol)
    validated_pair(predicted, true)
    if trimap is not None:
        validated_regions(trimap, true.shape)
    chosen = _area(trimap, area or rules.area, rules)
    around = None if band is None else dilated_band(trimap, true, band)
    errors = _errors(predicted, true, rules)
    scores = _over(errors, chosen, rules)
    if trimap is not None:
        scores |= _by_trimap(errors, true, trimap, rules)
    if around is not None:
        scores |= _suffixed(_over(errors, around, rules), "band")
    return scores


def unknown_area(trimap: NDArray[np.uint8]) -> Region:
    """Pixels that a trimap calls neither background (0) nor foreground (255), (H, W)."""
    return np.asarray((trimap != 0) & (trimap != 255), np.bool_)


def dilated_band(trimap: NDArray[np.uint8] | None, true: Alpha, radius: int) -> Region:
    """Pixels no farther than `radius` from the unknown area, (H, W).

    Args:
        trimap: (H, W); None for the area where 0 < true < 1.
        true: (H, W) alpha in [0, 1].
        radius: of the disc, in pixels, at least 0.

    Raises:
        ValueError: if the radius is below 0.
    """
    if radius < 0:
        raise ValueError(f"band is {radius}; it must be at least 0 pixels")
    unknown = (true > 0) & (true < 1) if trimap is None else unknown_area(trimap)
    return dilated(unknown, radius)


def _errors(predicted: Alpha, true: Alpha, rules: Protocol) -> Errors:
    return Errors(
        absolute=np.abs(difference(predicted, true)),
        gradient=gradient_error(predicted, true, rules.grad),
        connectivity=connectivity_error(predicted, true, rules.conn),
    )


def _area(trimap: NDArray[np.uint8] | None, area: str, rules: Protocol) -> Region | None:
    if area == "image":
        return None
    if area != "transition":
        raise ValueError(f"area is {area!r}; it must be 'image' or 'transition'")
    if trimap is None:
        raise ValueError(
            f"protocol {rules.name!r} scores the unknown area of a trimap, and there is none: "
            "pass a trimap, or area='image'"
        )
    return unknown_area(trimap)


def _over(errors: Errors, area: Region | None, rules: Protocol) -> dict[str, float]:
    return {
        **_differences(_sums(errors.absolute, area), rules),
        "grad": _sums(errors.gradient, area).plain / rules.grad.divisor,
        "conn": _sums(errors.connectivity, area).plain / rules.conn.divisor,
    }


def _sums(error: NDArray[np.float64], area: Region | None) -> Sums:
    if area is None:
        return Sums(cv2.norm(error, cv2.NORM_L1), cv2.norm(error, cv2.NORM_L2SQR), error.size)
    mask = area.view(np.uint8)
    plain, squared = (cv2.norm(error, norm, mask) for norm in (cv2.NORM_L1, cv2.NORM_L2SQR))
    return Sums(plain, squared, int(np.count_nonzero(area)))


def _differences(absolute: Sums, rules: Protocol) -> dict[str, float]:
    mean = rules.mean_factor / max(absolute.pixels, 1)
    return {
        "sad": absolute.plain / 1000,
        "mse": absolute.squared * mean,
        "mad": absolute.plain * mean,
    }


def _by_trimap(
    errors: Errors, true: Alpha, trimap: NDArray[np.uint8], rules: Protocol
) -> dict[str, float]:
    unknown, foreground, background = unknown_area(trimap), trimap == 255, trimap == 0
    if rules.known_filled:
        inside = _sums(errors.absolute, unknown)
        filled = _sums(np.abs(true - foreground.astype(np.float64)), ~unknown)
        both = Sums(inside.plain + filled.plain, inside.squared + filled.squared, inside.pixels)
        transition = _differences(both, rules)
    else:
        transition = _over(errors, unknown, rules)
    return {
        **_suffixed(transition, "transition"),
        "sad_foreground": _sums(errors.absolute, foreground).plain / 1000,
        "sad_background": _sums(errors.absolute, background).plain / 1000,
    }


def _suffixed(scores: dict[str, float], suffix: str) -> dict[str, float]:
    return {f"{metric}_{suffix}": score for metric, score in scores.items()}
