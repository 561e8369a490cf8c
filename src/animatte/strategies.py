"""Strategies: at which sizes a network sees a photo, and how what it sees is merged.

The glance wants few pixels (semantics), the focus many (hair). GFM's published test strategies
are fractions of the photo's sides; `views` gives each decoder a size of its own instead, whatever
the photo's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from animatte.scales import Fraction, LongerSide, Scale, scale_dict, scale_of_dict

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
    mirrored: int | None = 384,
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


def native() -> Strategy:
    """Return the strategy whose focus sees the photo's own pixels, in windows where it counts."""
    every_pixel = Fraction(1.0, cap=2**31)
    return replace(views(name="native"), focus=every_pixel, guided=False)


_WHOLE_VIEW = 416  # pixels; at this size a training validates its network
_HALF, _THIRD = Fraction(1 / 2), Fraction(1 / 3)
STRATEGIES: Mapping[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        views(),
        Strategy("resize", _HALF, _HALF),
        Strategy("hybrid", _THIRD, _HALF),
        Strategy("rim", _THIRD, _THIRD),
        whole(800, "late-fusion"),
        native(),
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


def default_strategy(rosta: str, *, published: bool = True) -> Strategy:
    """Return what suits a network that comes without a strategy of its own.

    Args:
        rosta: "TT", "FT" or "BT", "RIM" for their integration, or "LFM".
        published: whether it is of a paper's form, and made for the paper's strategy. Ours are
            trained on views: a third of a small photo would show them next to nothing.
    """
    if not published:
        return whole(_WHOLE_VIEW) if rosta == "RIM" else views()
    return STRATEGIES[{"RIM": "rim", "LFM": "late-fusion"}.get(rosta, "hybrid")]
