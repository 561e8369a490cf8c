"""GFM: Glance and Focus Matting (Li et al. 2022), for one RoSTa and for their integration."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from animatte.models.decoders import FocusDecoder, GlanceDecoder, Head
from animatte.models.encoders.base import Encoder, InputScaling
from animatte.models.layers import PyramidPooling, probability
from animatte.models.rosta import Rosta, collaborative_matting


class GFMOutput(NamedTuple):
    """What GFM predicts for one RoSTa.

    Attributes:
        glance: (B, C, H, W) class scores in [0, 1]: probabilities with a softmax, the published
            network's independent sigmoids otherwise. TT: background, transition, foreground.
        focus: (B, 1, H, W) in [0, 1], trusted only in the transition area.
        alpha: (B, 1, H, W) the two merged, in [0, 1].
        glance_logits: (B, C, H, W) the scores before softmax or sigmoid, for the loss.
    """

    glance: Tensor
    focus: Tensor
    alpha: Tensor
    glance_logits: Tensor


class RIMOutput(NamedTuple):
    """What GFM with RoSTa integration predicts.

    Attributes:
        tt: the TT heads' prediction.
        ft: the FT heads' prediction.
        bt: the BT heads' prediction.
        alpha: (B, 1, H, W) integrated from the three; not clipped, as published.
    """

    tt: GFMOutput
    ft: GFMOutput
    bt: GFMOutput
    alpha: Tensor

    @property
    def glance(self) -> Tensor:
        """The TT heads' glance, the one that names the transition area."""
        return self.tt.glance

    @property
    def focus(self) -> Tensor:
        """The TT heads' focus."""
        return self.tt.focus


class GFMTrunk(nn.Module):
    """Everything before the heads: encoder, context and the two decoders.

    Args:
        input_scaling: brings RGB in [0, 1] to what the encoder wants.
        encoder: features, finest first.
        context: pyramid pooling over the deepest feature.
        glance_decoder: semantics.
        focus_decoder: details.
    """

    def __init__(
        self,
        input_scaling: InputScaling,
        encoder: Encoder,
        context: PyramidPooling,
        glance_decoder: GlanceDecoder,
        focus_decoder: FocusDecoder,
    ) -> None:
        super().__init__()
        self.input_scaling = input_scaling
        self.encoder = encoder
        self.context = context
        self.glance_decoder = glance_decoder
        self.focus_decoder = focus_decoder
        self.stride = encoder.strides[-1]

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's features of (B, 3, H, W) RGB in [0, 1]."""
        features: tuple[Tensor, ...] = self.encoder(self.input_scaling(image))
        return features

    def glance(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the glance heads' input."""
        result: Tensor = self.glance_decoder(self.context(features[-1]), features[-1])
        return result

    def focus(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the focus heads' input."""
        result: Tensor = self.focus_decoder(features)
        return result


class RostaHeads(nn.Module):
    """The pair of heads of one RoSTa.

    Args:
        rosta: which one.
        glance_head: scores of `rosta.num_classes` classes.
        focus_head: one score.
        softmax: whether glance scores become probabilities over the classes (softmax) or
            independent ones (sigmoid, as published). The largest is the same either way.
    """

    def __init__(self, rosta: Rosta, glance_head: Head, focus_head: Head, softmax: bool) -> None:
        super().__init__()
        self.rosta = rosta
        self.glance_head = glance_head
        self.focus_head = focus_head
        self.softmax = softmax

    def glance(self, glance_features: Tensor) -> tuple[Tensor, Tensor]:
        """Return glance scores in [0, 1] and their logits, both (B, C, H, W)."""
        logits = self.glance_head(glance_features)
        return (logits.softmax(dim=1) if self.softmax else probability(logits)), logits

    def focus(self, focus_features: Tensor) -> Tensor:
        """Return (B, 1, H, W) focus in [0, 1]."""
        return probability(self.focus_head(focus_features))

    def forward(self, glance_features: Tensor, focus_features: Tensor) -> GFMOutput:
        """Return both heads' predictions and what they merge to."""
        glance, logits = self.glance(glance_features)
        focus = self.focus(focus_features)
        return GFMOutput(glance, focus, collaborative_matting(glance, focus, self.rosta), logits)


class GFM(nn.Module):
    """Glance and Focus Matting for one RoSTa (Li et al. 2022, Fig. 5).

    Args:
        trunk: encoder, context and decoders.
        heads: the RoSTa's pair of heads.
    """

    def __init__(self, trunk: GFMTrunk, heads: RostaHeads) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = heads

    @property
    def stride(self) -> int:
        """What both sides of the image must be divisible by."""
        return self.trunk.stride

    @property
    def rosta(self) -> Rosta:
        """The representation it was built for."""
        return self.heads.rosta

    @property
    def encoder(self) -> Encoder:
        """Where its features come from."""
        return self.trunk.encoder

    def forward(self, image: Tensor) -> GFMOutput:
        """Predict alpha by a coarse glance and a fine focus.

        Args:
            image: (B, 3, H, W) RGB in [0, 1]; H and W divisible by `stride`.
        """
        features = self.trunk.features(image)
        output: GFMOutput = self.heads(self.trunk.glance(features), self.trunk.focus(features))
        return output

    def glance(self, image: Tensor) -> Tensor:
        """Run the glance path only: (B, C, H, W) scores in [0, 1]. The focus decoder rests."""
        glance, _ = self.heads.glance(self.trunk.glance(self.trunk.features(image)))
        return glance

    def focus(self, image: Tensor) -> Tensor:
        """Run the focus path only: (B, 1, H, W) in [0, 1]. Context and glance decoder rest."""
        return self.heads.focus(self.trunk.focus(self.trunk.features(image)))


class SqueezeExcitation(nn.Module):
    """Weigh channels by their global means (Hu et al. 2018), without biases."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction, bias=False)
        self.excite = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, H, W) with every channel weighted."""
        weights: Tensor = self.excite(self.squeeze(features.mean(dim=(2, 3))).relu()).sigmoid()
        return features * weights[:, :, None, None]


class RostaIntegration(nn.Module):
    """Three alphas into one: 1×1 convolution, squeeze-and-excitation, 1×1 convolution."""

    def __init__(self, channels: int = 16, reduction: int = 4) -> None:
        super().__init__()
        self.spread = nn.Conv2d(3, channels, 1)
        self.weigh = SqueezeExcitation(channels, reduction)
        self.merge = nn.Conv2d(channels, 1, 1)

    def forward(self, alphas: Tensor) -> Tensor:
        """Return (B, 1, H, W), not clipped, from (B, 3, H, W): TT, FT, BT."""
        result: Tensor = self.merge(self.weigh(self.spread(alphas)))
        return result


class IntegratedGFM(nn.Module):
    """GFM-RIM: one trunk, the heads of all three RoSTa, and their integration (GFM §3.4).

    Args:
        trunk: encoder, context and decoders, shared.
        tt: heads for TT.
        ft: heads for FT.
        bt: heads for BT.
        integration: merges the three alphas.
    """

    def __init__(
        self,
        trunk: GFMTrunk,
        tt: RostaHeads,
        ft: RostaHeads,
        bt: RostaHeads,
        integration: RostaIntegration,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.tt = tt
        self.ft = ft
        self.bt = bt
        self.integration = integration

    @property
    def stride(self) -> int:
        """What both sides of the image must be divisible by."""
        return self.trunk.stride

    @property
    def encoder(self) -> Encoder:
        """Where its features come from."""
        return self.trunk.encoder

    def forward(self, image: Tensor) -> RIMOutput:
        """Predict alpha three ways and integrate them.

        Args:
            image: (B, 3, H, W) RGB in [0, 1]; H and W divisible by `stride`.
        """
        features = self.trunk.features(image)
        glance, focus = self.trunk.glance(features), self.trunk.focus(features)
        tt, ft, bt = self.tt(glance, focus), self.ft(glance, focus), self.bt(glance, focus)
        alpha = self.integration(torch.cat([tt.alpha, ft.alpha, bt.alpha], dim=1))
        return RIMOutput(tt, ft, bt, alpha)
