"""What GFM is trained for: the named loss terms of a batch."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from animatte.losses import alpha_l1_loss, glance_cross_entropy, gradient_loss, laplacian_loss
from animatte.models.gfm import GFMOutput
from animatte.models.rosta import (
    Rosta,
    focus_target,
    glance_label,
    soft_collaborative_matting,
)


class Batch(NamedTuple):
    """Examples as tensors; see `animatte.data.dataset.Example`.

    Attributes:
        image: (B, 3, H, W) RGB in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        label: (B, H, W) int64 TT classes.
        band: (B, 1, H, W), 1 where the focus is trained.
    """

    image: Tensor
    alpha: Tensor
    label: Tensor
    band: Tensor


def loss_terms(output: GFMOutput, batch: Batch, rosta: Rosta) -> dict[str, Tensor]:
    """Return GFM's loss terms (GFM §3.5), each a scalar, on a softly merged alpha.

    - `glance`: cross entropy of true logits.
    - `focus_l1`, `focus_laplacian`, `focus_gradient`: the focus in the band.
    - `focus_outside`: the focus elsewhere, so that a band found too wide does no harm.
    - `merged_l1`, `merged_laplacian`: the merged alpha over the whole image.
    """
    label = glance_label(batch.label, rosta)
    target = focus_target(batch.alpha, label, rosta)
    focus, logits = output.focus.float(), output.glance_logits.float()
    merged = soft_collaborative_matting(logits.softmax(dim=1), focus, rosta)
    everywhere = batch.band.new_ones(batch.band.shape)
    return {
        "glance": glance_cross_entropy(logits, label),
        "focus_l1": alpha_l1_loss(focus, target, batch.band),
        "focus_laplacian": laplacian_loss(focus, target, batch.band),
        "focus_gradient": gradient_loss(focus, target, batch.band),
        "focus_outside": alpha_l1_loss(focus, target, 1 - batch.band),
        "merged_l1": alpha_l1_loss(merged, batch.alpha, everywhere),
        "merged_laplacian": laplacian_loss(merged, batch.alpha),
    }
