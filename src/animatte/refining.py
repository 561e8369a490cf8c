"""Refinements by name: what may follow any network, alpha and photo in, a finer alpha out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from animatte.closed_form import check_pymatting, closed_form_alpha
from animatte.images.arrays import Pixels
from animatte.refinement import guided_filter
from animatte.tiles import Array
from animatte.trimap import trimap_around

Refinement: TypeAlias = Callable[[Array, Pixels], Array]

# Shares of the photo's longer side, as what a network gets wrong grows with it.
_TRIMAP_SHARE: Final = 0.02
_CLOSED_FORM_SHARE: Final = 0.005
_GUIDED_SHARE: Final = 0.005


def default_trimap_radius(shape: tuple[int, ...]) -> int:
    """Pixels for a photo of (height, width, ...): the paper's 20 where the longer side is 1000."""
    return _share(shape, _TRIMAP_SHARE)


def named_refinement(name: str) -> Refinement:
    """Return what refines: a function of alpha (H, W) in [0, 1] and of the image, (H, W, 3).

    Args:
        name: "guided" (`animatte.refinement.guided_filter`) or "closed-form"
            (`animatte.closed_form.closed_form_alpha` behind `animatte.trimap.trimap_around`).

    Raises:
        ValueError: if it is unknown.
        ModuleNotFoundError: if what it needs is not installed, naming the extra.
    """
    if name not in REFINEMENTS:
        raise ValueError(f"refinement {name!r} is unknown; choose one of {', '.join(REFINEMENTS)}")
    if name == "closed-form":
        check_pymatting()
    return REFINEMENTS[name]


def _guided(alpha: Array, image: Pixels) -> Array:
    return guided_filter(alpha, image, _share(alpha.shape, _GUIDED_SHARE))


def _closed_form(alpha: Array, image: Pixels) -> Array:
    trimap = trimap_around(alpha, _share(alpha.shape, _CLOSED_FORM_SHARE))
    return closed_form_alpha(alpha, image, trimap)


def _share(shape: tuple[int, ...], share: float) -> int:
    return max(1, round(max(shape[:2]) * share))


REFINEMENTS: Mapping[str, Refinement] = {"guided": _guided, "closed-form": _closed_form}
