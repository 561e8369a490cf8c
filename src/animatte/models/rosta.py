"""RoSTa, representations of semantics and transition area, and how each merges (GFM §3.3)."""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor


class Rosta(str, Enum):
    """What the glance decoder tells apart, and so what the focus decoder is left with.

    - `TT`: background, transition, foreground; focus is alpha in the transition.
    - `FT`: not foreground, foreground (eroded); focus is alpha − foreground.
    - `BT`: background, rest (dilated); focus is rest − alpha.
    """

    TT = "TT"
    FT = "FT"
    BT = "BT"

    @property
    def num_classes(self) -> int:
        """Number of glance classes."""
        return 3 if self is Rosta.TT else 2


def collaborative_matting(glance: Tensor, focus: Tensor, rosta: Rosta) -> Tensor:
    """Merge glance and focus into alpha (Collaborative Matting, GFM Eq. 1-3).

    Args:
        glance: (B, C, H, W) class scores; only the largest counts.
        focus: (B, 1, H, W) in [0, 1].
        rosta: which merging; C is `rosta.num_classes`.

    Returns:
        (B, 1, H, W) alpha in [0, 1].
    """
    # Comparisons give what argmax gives (the first of equals) in a tenth of its time.
    scores = [glance[:, index : index + 1] for index in range(rosta.num_classes)]
    if rosta is Rosta.TT:
        # `logical_and`, not `&`: Core ML's converter knows the one and not the other.
        transition = torch.logical_and(scores[1] > scores[0], scores[1] >= scores[2])
        foreground = torch.logical_and(scores[2] > scores[0], scores[2] > scores[1])
        return torch.where(transition, focus, foreground.to(focus.dtype))
    known = (scores[1] > scores[0]).to(focus.dtype)
    merged = known + focus if rosta is Rosta.FT else known - focus
    return merged.clamp(0, 1)


def soft_collaborative_matting(glance: Tensor, focus: Tensor, rosta: Rosta) -> Tensor:
    """Merge as `collaborative_matting` does, in expectation over the glance's probabilities.

    Equal to it where the glance is certain, and differentiable in the glance, so that an error of
    the merged alpha trains both decoders. It is our addition, not part of the paper.

    Args:
        glance: (B, C, H, W) probabilities that sum to 1 over C.
        focus: (B, 1, H, W) in [0, 1].
        rosta: which merging; C is `rosta.num_classes`.

    Returns:
        (B, 1, H, W) alpha in [0, 1].
    """
    if rosta is Rosta.TT:
        return glance[:, 2:3] + glance[:, 1:2] * focus
    if rosta is Rosta.FT:
        return glance[:, 1:2] + glance[:, 0:1] * focus
    return glance[:, 1:2] * (1 - focus)


def glance_label(label: Tensor, rosta: Rosta) -> Tensor:
    """Return the classes of a RoSTa from those of TT.

    Args:
        label: (B, H, W) int64: 0 background, 1 transition, 2 foreground.
        rosta: FT: 1 where foreground; BT: 1 where foreground or transition.

    Returns:
        (B, H, W) int64.
    """
    if rosta is Rosta.TT:
        return label
    return (label == 2).long() if rosta is Rosta.FT else (label > 0).long()


def focus_target(alpha: Tensor, label: Tensor, rosta: Rosta) -> Tensor:
    """Return what the focus decoder is to predict: what the glance leaves of alpha.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        label: (B, H, W) int64 classes of this RoSTa.
        rosta: TT: alpha; FT: alpha − label; BT: label − alpha.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    if rosta is Rosta.TT:
        return alpha
    known = label[:, None].to(alpha.dtype)
    return alpha - known if rosta is Rosta.FT else known - alpha
