"""Which way up a picture is: the turn in which a network is surest of its subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Pixels
from animatte.scales import LongerSide, viewed
from animatte.turning import turned, turned_back

Array: TypeAlias = NDArray[np.float32]
Look: TypeAlias = Callable[[Array], Array]

_SKETCH_SIDE = 256
_QUARTERS = (0.0, 90.0, 180.0, -90.0)
_TILTS = (-40.0, -20.0, 20.0, 40.0)
_FINE_TILTS = (-10.0, 10.0)


def upright_angle(image: Pixels, sketch: Look, least_gain: float) -> float:
    """Find by how much a picture is to be turned counter-clockwise to stand upright.

    A sketch is made in each of four quarter turns, then at tilts of 20 and 40 degrees to both
    sides of the best, then 10 degrees to both sides of the best of those: eight sketches, ten
    where a tilt is found. Each sketch is judged when turned back:

        agreement + 4 certainty - 2 border

    agreement: mean overlap with the other sketches of its round; certainty: mean of |2α-1| over
    the picture; border: mean α along its four sides, as a network that errs takes ground and sky
    for the subject. Certainty alone misleads: an empty matte is certain, too.

    Args:
        image: (H, W, 3), of any size: floats in [0, 1], or levels of 8 or 16 bits.
        sketch: (h, w, 3) -> (h, w) alpha; called with pictures of at most 256 pixels a side.
        least_gain: in that score, over leaving the picture as it is, else it is not turned; half
            of it for a tilt over the mere quarter turn, as tilts matter less.

    Returns:
        degrees in (-180, 180]; 0 where nothing is gained.
    """
    small = _reduced(image)
    as_it_is = sketch(small)
    seen = {angle: _seen(small, angle, sketch, as_it_is) for angle in _QUARTERS[1:]}
    quarter = _surest({0.0: as_it_is, **seen}, 0.0, least_gain)
    tilts = {quarter: {0.0: as_it_is, **seen}[quarter]}
    tilts |= {quarter + tilt: _seen(small, quarter + tilt, sketch, as_it_is) for tilt in _TILTS}
    best = _surest(tilts, quarter, least_gain / 2)
    if best != quarter:
        near = [best + tilt for tilt in _FINE_TILTS]
        tilts |= {angle: _seen(small, angle, sketch, as_it_is) for angle in near}
        best = _surest(tilts, best, 0.0)
    return 180.0 - (180.0 - best) % 360.0


def _seen(small: Array, degrees: float, sketch: Look, outside: Array) -> Array:
    return turned_back(sketch(turned(small, degrees)), degrees, outside)


def _surest(alphas: Mapping[float, Array], present: float, least_gain: float) -> float:
    """The angle whose alpha scores best, or the present one unless the gain is enough."""
    scores = {angle: _score(angle, alphas) for angle in alphas}
    best = max(scores, key=lambda angle: scores[angle])
    return best if scores[best] - scores[present] > least_gain else present


def _score(angle: float, alphas: Mapping[float, Array]) -> float:
    alpha = alphas[angle]
    others = [_overlap(alpha, other) for key, other in alphas.items() if key != angle]
    return float(np.mean(others)) + sureness(alpha)


def sureness(alpha: Array) -> float:
    """Four times the certainty of an alpha less twice what lies at its border; 4 at most."""
    certainty = np.abs(2 * alpha - 1).mean()
    sides = (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    return float(4 * certainty - 2 * np.mean([side.mean() for side in sides]))


def _overlap(one: Array, other: Array) -> float:
    """Intersection over union of two mattes as fuzzy sets; 1 where both are empty."""
    union = float(np.maximum(one, other).sum())
    return float(np.minimum(one, other).sum()) / union if union > 0 else 1.0


def _reduced(image: Pixels) -> Array:
    size = LongerSide(_SKETCH_SIDE, max_enlargement=1).size(image.shape[:2], stride=1)
    return viewed(image, size)
