"""What a network is trained for: the named loss terms of a batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from animatte.losses.gfm import (
    alpha_l1_loss,
    composition_loss,
    glance_cross_entropy,
    gradient_loss,
    laplacian_loss,
    laplacian_loss_published,
)
from animatte.losses.late_fusion import (
    ReadingName,
    branch_cross_entropy,
    branch_difference,
    fusion_difference,
    fusion_sparsity,
    gradient_difference,
)
from animatte.models.gfm import GFMOutput, IntegratedGFM, RIMOutput
from animatte.models.late_fusion import LFM, LFMConfig, LFMOutput
from animatte.models.registry import GFMConfig, MattingNetwork, NetworkConfig
from animatte.models.rosta import (
    Rosta,
    focus_target,
    glance_label,
    soft_collaborative_matting,
)
from animatte.training.stage_sections import StageSection

TRANSITION_CLASS = 1
BRANCH_TERMS = ("cross_entropy", "difference", "gradient")
LFM_TERMS = (
    *(f"{branch}_{term}" for branch in ("foreground", "background") for term in BRANCH_TERMS),
    *(f"fusion_{term}" for term in ("difference", "gradient", "sparsity")),
)


class Batch(NamedTuple):
    """Examples as tensors; see `animatte.data.dataset.Example`.

    Attributes:
        image: (B, 3, H, W) RGB in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        label: (B, H, W) int64 TT classes.
        band: (B, 1, H, W), 1 where the focus is trained.
        foreground: (B, 3, H, W) RGB in [0, 1]; empty unless a loss asks for it.
        background: (B, 3, H, W) RGB in [0, 1]; empty unless a loss asks for it.
        wide_label: (B, H, W) int64, `label` as FT and BT want it; empty where it is the same.
    """

    image: Tensor
    alpha: Tensor
    label: Tensor
    band: Tensor
    foreground: Tensor
    background: Tensor
    wide_label: Tensor


class RostaTruth:
    """What one RoSTa predicts for a batch, and what is true of it.

    Args:
        output: of the network or, in RIM, of the RoSTa's heads.
        batch: what is true.
        rosta: which RoSTa.

    Attributes:
        logits: (B, C, H, W) of the glance.
        glance: (B, C, H, W) its scores in [0, 1].
        focus: (B, 1, H, W).
        alpha: (B, 1, H, W), merged as at use.
        label: (B, H, W) true glance.
        target: (B, 1, H, W) true focus.
        band: (B, 1, H, W), 1 where the focus is trained.
        batch: what is true.
    """

    def __init__(self, output: GFMOutput, batch: Batch, rosta: Rosta) -> None:
        is_wide = rosta is not Rosta.TT and batch.wide_label.numel() > 0
        self.batch = batch
        self.rosta = rosta
        self.logits, self.glance = output.glance_logits.float(), output.glance.float()
        self.focus, self.alpha = output.focus.float(), output.alpha.float()
        self.label = glance_label(batch.wide_label if is_wide else batch.label, rosta)
        self.target = focus_target(batch.alpha, self.label, rosta)
        self.band = batch.band
        if is_wide:
            self.band = (batch.wide_label == TRANSITION_CLASS)[:, None].to(batch.band.dtype)

    @cached_property
    def merged(self) -> Tensor:
        """(B, 1, H, W) alpha, merged so that its error trains the glance too."""
        return soft_collaborative_matting(self.logits.softmax(dim=1), self.focus, self.rosta)


AlphaTerm: TypeAlias = Callable[[Tensor, Batch], Tensor]
RostaTerm: TypeAlias = Callable[[RostaTruth], Tensor]


def _of_merged(term: AlphaTerm) -> RostaTerm:
    return lambda known: term(known.merged, known.batch)


def _of_alpha(term: AlphaTerm) -> RostaTerm:
    return lambda known: term(known.alpha, known.batch)


# Of an alpha over the whole image.
ALPHA_TERMS: Mapping[str, AlphaTerm] = {
    "l1": lambda alpha, batch: alpha_l1_loss(alpha, batch.alpha, torch.ones_like(batch.alpha)),
    "laplacian": lambda alpha, batch: laplacian_loss(alpha, batch.alpha),
    "laplacian_published": lambda alpha, batch: laplacian_loss_published(alpha, batch.alpha),
    "composition": lambda alpha, batch: composition_loss(
        alpha, batch.alpha, batch.foreground, batch.background
    ),
}
# Of one RoSTa (GFM section 3.5), each a scalar.
GFM_TERMS: Mapping[str, RostaTerm] = {
    # Cross entropy of true logits, and of the glance's scores taken for logits, as published; so
    # too the Laplacian, as the paper says and as GFM's program computes it.
    "glance": lambda known: glance_cross_entropy(known.logits, known.label),
    "glance_published": lambda known: glance_cross_entropy(known.glance, known.label),
    # The focus in the band; and elsewhere, so that a band found too wide does no harm.
    "focus_l1": lambda known: alpha_l1_loss(known.focus, known.target, known.band),
    "focus_laplacian": lambda known: laplacian_loss(known.focus, known.target, known.band),
    "focus_laplacian_published": lambda known: laplacian_loss_published(
        known.focus, known.target, known.band
    ),
    "focus_gradient": lambda known: gradient_loss(known.focus, known.target, known.band),
    "focus_outside": lambda known: alpha_l1_loss(known.focus, known.target, 1 - known.band),
    # Alpha merged in expectation (ours), and merged as at use (the paper's).
    **{f"merged_{name}": _of_merged(term) for name, term in ALPHA_TERMS.items()},
    **{f"alpha_{name}": _of_alpha(term) for name, term in ALPHA_TERMS.items()},
}
# Of RIM's own alpha, integrated from three.
INTEGRATED_TERMS = {f"alpha_{name}": term for name, term in ALPHA_TERMS.items()}


def term_names(config: NetworkConfig) -> tuple[str, ...]:
    """Name the loss terms that a network has."""
    if isinstance(config, LFMConfig):
        return LFM_TERMS
    if config.rosta != "RIM":
        return tuple(GFM_TERMS)
    rostas = [rosta.value.lower() for rosta in Rosta]
    return (*(f"{rosta}_{term}" for rosta in rostas for term in GFM_TERMS), *INTEGRATED_TERMS)


def asked_planes(config: NetworkConfig, stages: Sequence[StageSection]) -> frozenset[str]:
    """Name those of `Example`'s planes that are made only where a loss asks for them."""
    planes: set[str] = set()
    if any(term.endswith("composition") for stage in stages for term in stage.loss):
        planes |= {"foreground", "background"}
    if isinstance(config, GFMConfig) and config.rosta != "TT":
        planes.add("wide_label")
    return frozenset(planes)


def loss_terms(
    network: MattingNetwork,
    output: GFMOutput | RIMOutput | LFMOutput,
    batch: Batch,
    section: StageSection,
) -> Mapping[str, Tensor]:
    """Return those terms of a network's loss that a stage gives a weight, each a scalar.

    Args:
        network: GFM, for one RoSTa or for all, or LFM.
        output: what it predicts for the batch.
        batch: what is true.
        section: weights tell which terms are wanted, and how LFM's are read.
    """
    if isinstance(network, LFM):
        assert isinstance(output, LFMOutput)
        return lfm_loss_terms(output, batch.alpha, section.loss, section.reading)
    if isinstance(network, IntegratedGFM):
        assert isinstance(output, RIMOutput)
        return rim_loss_terms(output, batch, section.loss)
    assert isinstance(output, GFMOutput)
    return gfm_loss_terms(output, batch, network.rosta, section.loss)


def gfm_loss_terms(
    output: GFMOutput, batch: Batch, rosta: Rosta, wanted: Collection[str]
) -> dict[str, Tensor]:
    """Return terms of `GFM_TERMS`.

    Args:
        output: of the network.
        batch: what is true.
        rosta: of the network.
        wanted: names of terms; others are not computed.
    """
    known = RostaTruth(output, batch, rosta)
    return {name: term(known) for name, term in GFM_TERMS.items() if name in wanted}


def rim_loss_terms(output: RIMOutput, batch: Batch, wanted: Collection[str]) -> dict[str, Tensor]:
    """Return terms of RIM: every RoSTa's, as `tt_glance`, and those of the integrated alpha.

    Args:
        output: of the network.
        batch: what is true.
        wanted: names of terms; others are not computed.
    """
    terms: dict[str, Tensor] = {}
    for rosta, heads in zip(Rosta, (output.tt, output.ft, output.bt), strict=True):
        prefix = f"{rosta.value.lower()}_"
        asked = {name.removeprefix(prefix) for name in wanted if name.startswith(prefix)}
        found = gfm_loss_terms(heads, batch, rosta, asked)
        terms |= {f"{prefix}{name}": value for name, value in found.items()}
    alpha = output.alpha.float()
    return terms | {
        name: term(alpha, batch) for name, term in INTEGRATED_TERMS.items() if name in wanted
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
