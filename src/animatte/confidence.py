"""How sure to be of a matte: a probability that it is right, from what the glances disclose.

Two signs of error come from what the network has seen anyway. Where a glance wavers between
background and foreground, not merely at the edge, it does not know its subject; where two glances
at two sizes, one of them mirrored, differ, one of them is wrong. A logistic regression on both,
fitted on pictures with known alpha (`benchmarks/confidence.py`), makes a probability of them. Its
few numbers are stored with the weights that they were fitted for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.scales import Scale, resized, scale_dict, scale_of_dict

Array: TypeAlias = NDArray[np.float32]

CARD_ENTRY = "confidence"
# Signs are means, for which this many pixels are enough.
_LONGER_SIDE = 320
# Added before the logarithms: what no network falls below.
_LEAST_DOUBT, _LEAST_DIFFERENCE = 1e-4, 1e-3


class Signs(NamedTuple):
    """What hints at an error of a matte; the higher, the more.

    Attributes:
        confusion: log of the doubt between background and foreground over the subject's area.
        disagreement: log of one less the overlap of two glances' subjects.
    """

    confusion: float
    disagreement: float


@dataclass(frozen=True)
class Calibration:
    """From signs to a probability, for the weights and the glances that it was fitted with.

    Attributes:
        confusion: weight of that sign.
        disagreement: weight of that sign.
        bias: what is added.
        review: below this probability a matte should be looked at.
        least_iou: a matte is right if its overlap with the truth is at least this.
        glance: size at which the network glanced.
        mirrored: size of the mirrored glance, if there was one.
    """

    confusion: float
    disagreement: float
    bias: float
    review: float
    least_iou: float
    glance: Scale
    mirrored: Scale | None = None

    def confidence(self, signs: Signs) -> float:
        """Probability in [0, 1] that the matte is right."""
        score = (
            self.confusion * signs.confusion + self.disagreement * signs.disagreement + self.bias
        )
        return 1 / (1 + math.exp(-min(max(score, -50.0), 50.0)))

    def suits(self, glance: Scale, mirrored: Scale | None) -> bool:
        """Whether a network that glances at these sizes is the one that was measured."""
        return (self.glance, self.mirrored) == (glance, mirrored)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            **asdict(self),
            "glance": scale_dict(self.glance),
            "mirrored": None if self.mirrored is None else scale_dict(self.mirrored),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Rebuild from `as_dict`'s values.

        Raises:
            ValueError: if a field is missing or unknown.
        """
        try:
            mirrored = values["mirrored"]
            scales = {
                "glance": scale_of_dict(values["glance"]),
                "mirrored": None if mirrored is None else scale_of_dict(mirrored),
            }
            return cls(**{**values, **scales})
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"the card's confidence cannot be read ({error}); fit it again with "
                "benchmarks/confidence.py"
            ) from error


def signs_of_error(glance: Array, mirrored: Array | None = None) -> Signs:
    """Read signs from glances, at 320 pixels or their own lesser size.

    Of a glance's classes the first is background (or FT's rest), the last foreground (or BT's
    rest); the subject is the last and half of TT's transition between them.

    Args:
        glance: (C, h, w) class scores in [0, 1].
        mirrored: (C, h', w') of the second glance, mirrored back; None for one glance alone, which
            disagrees with nothing.
    """
    height, width = glance.shape[1:]
    scale = min(1.0, _LONGER_SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    planes = [_shares(each, size) for each in (glance, mirrored) if each is not None]
    mean = np.mean(planes, axis=0)
    doubt = float(np.minimum(mean[0], mean[-1]).sum())
    area = max(float(_subject(mean).sum()), 1.0)
    first, last = _subject(planes[0]), _subject(planes[-1])
    union = max(float(np.maximum(first, last).sum()), 1e-6)
    overlap = min(float(np.minimum(first, last).sum()) / union, 1.0) if mirrored is not None else 1
    return Signs(math.log(doubt / area + _LEAST_DOUBT), math.log(1 - overlap + _LEAST_DIFFERENCE))


def _shares(scores: Array, size: tuple[int, int]) -> Array:
    """Scores at a size, that sum to 1 in every pixel."""
    planes = np.stack([resized(plane, size) for plane in scores])
    return np.asarray(planes / np.maximum(planes.sum(axis=0), 1e-6), np.float32)


def _subject(shares: Array) -> Array:
    return np.asarray(shares[-1] + shares[1:-1].sum(axis=0) / 2, np.float32)
