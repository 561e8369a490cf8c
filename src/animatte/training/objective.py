"""What a network is trained for: the named loss terms of a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from animatte.losses.gfm import (
    alpha_l1_loss,
    glance_cross_entropy,
    gradient_loss,
    laplacian_loss,
)
from animatte.losses.late_fusion import (
    ReadingName,
    branch_cross_entropy,
    branch_difference,
    fusion_difference,
    fusion_sparsity,
    gradient_difference,
)
from animatte.models.gfm import GFM, GFMOutput
from animatte.models.late_fusion import LFM, LFMOutput
from animatte.models.registry import MattingNetwork
from animatte.models.rosta import (
    Rosta,
    focus_target,
    glance_label,
    soft_collaborative_matting,
)
from animatte.training.stage_sections import StageSection

BRANCH_TERMS = ("cross_entropy", "difference", "gradient")


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


def loss_terms(
    network: MattingNetwork, output: GFMOutput | LFMOutput, batch: Batch, section: StageSection
) -> Mapping[str, Tensor]:
    """Return the terms of a network's loss, each a scalar.

    Args:
        network: GFM or LFM.
        output: what it predicts for the batch.
        batch: what is true.
        section: weights tell which of LFM's terms are wanted; others are not computed.
    """
    if isinstance(network, LFM):
        assert isinstance(output, LFMOutput)
        return lfm_loss_terms(output, batch.alpha, section.loss, section.reading)
    assert isinstance(network, GFM)
    assert isinstance(output, GFMOutput)
    return gfm_loss_terms(output, batch, network.rosta)


def gfm_loss_terms(output: GFMOutput, batch: Batch, rosta: Rosta) -> dict[str, Tensor]:
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


def lfm_loss_terms(
    output: LFMOutput, alpha: Tensor, wanted: Collection[str], reading: ReadingName
) -> dict[str, Tensor]:
    """Return LFM's loss terms (Zhang et al. 2019, section 3.4), each a scalar.

    - `foreground_cross_entropy`, `foreground_difference`, `foreground_gradient`: of the foreground
      branch against alpha, summed over 1/8 to 1/1; `background_...` against 1 − alpha.
    - `fusion_difference`, `fusion_gradient`, `fusion_sparsity`: of the fused alpha.

    Args:
        output: of the network.
        alpha: (B, 1, H, W) true alpha.
        wanted: names of terms; a branch none of whose terms is named is left out, as is the fusion.
        reading: how the losses are read.
    """
    terms: dict[str, Tensor] = {}
    branches = {
        "foreground": (output.foreground_sides, alpha),
        "background": (output.background_sides, 1 - alpha),
    }
    for name, (sides, target) in branches.items():
        if any(term.startswith(name) for term in wanted):
            values = _branch_terms(sides, target, reading)
            terms |= {f"{name}_{term}": value for term, value in values.items()}
    if any(term.startswith("fusion") for term in wanted):
        terms |= {
            "fusion_difference": fusion_difference(output.alpha, alpha, reading),
            "fusion_gradient": gradient_difference(output.alpha, alpha, reading),
            "fusion_sparsity": fusion_sparsity(output.alpha, reading),
        }
    return terms


def _branch_terms(
    sides: Sequence[Tensor], target: Tensor, reading: ReadingName
) -> dict[str, Tensor]:
    functions = (branch_cross_entropy, branch_difference, gradient_difference)
    return {
        name: torch.stack([function(side, target, reading) for side in sides]).sum()
        for name, function in zip(BRANCH_TERMS, functions, strict=True)
    }
