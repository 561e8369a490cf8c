"""LFM: the late fusion network for digital matting (Zhang et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from animatte.models.encoders.base import Encoder, InputScaling
from animatte.models.layers import probability

# The released program's, in torch's sense of momentum: the share of the newest batch.
NORM_MOMENTUM = 0.01
NORM_EPSILON = 1.001e-5  # of encoder and decoders
FUSION_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class LFMConfig:
    """A late fusion network, whole: what is saved beside its weights.

    Attributes:
        encoder: a key of `animatte.models.registry.ENCODERS`, of five features from 1/2 to 1/32.
        input_scaling: a key of `animatte.models.encoders.base.INPUT_SCALINGS`.
        blocks: channels of the decoders' blocks, coarsest first; the last two are as wide as the
            pyramid.
        pyramid: channels of the feature pyramid.
        fusion_image: channels that the fusion makes of the image.
        fusion: channels of the fusion's 3×3 convolutions.
    """

    encoder: str
    input_scaling: str
    blocks: tuple[int, ...]
    pyramid: int
    fusion_image: int
    fusion: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.blocks) != 5 or set(self.blocks[3:]) != {self.pyramid}:
            raise ValueError(
                f"LFM's blocks are {self.blocks}; there must be 5, the last two as wide as the "
                f"pyramid ({self.pyramid})"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LFMConfig:
        """Rebuild from `as_dict`'s values, lists taken for tuples.

        Raises:
            ValueError: if a field is missing or unknown.
        """
        try:
            widths = {name: tuple(values[name]) for name in ("blocks", "fusion")}
            return cls(**{**values, **widths})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an LFM configuration: {error}") from error


class LFMOutput(NamedTuple):
    """What the late fusion network predicts; everything (B, 1, H, W) in [0, 1].

    Attributes:
        foreground: probability of the foreground branch, F.
        background: probability of the background branch, B.
        beta: weight of the foreground branch in the fusion, β.
        alpha: β·F + (1 − β)·(1 − B).
        foreground_sides: the foreground branch at 1/8, 1/4, 1/2 and 1/1, enlarged, for its deep
            supervision; the last is `foreground`.
        background_sides: the same of the background branch.
    """

    foreground: Tensor
    background: Tensor
    beta: Tensor
    alpha: Tensor
    foreground_sides: tuple[Tensor, ...]
    background_sides: tuple[Tensor, ...]


class DecoderBlock(nn.Module):
    """Nearest ×2, the skip feature beside it, 1×1 convolution, batch norm, ReLU.

    Args:
        in_channels: of what is enlarged, skip feature included.
        out_channels: of the result.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, NORM_EPSILON, NORM_MOMENTUM)

    def forward(self, features: Tensor, skip: Tensor | None = None) -> Tensor:
        """Return (B, `out_channels`, 2·H, 2·W) from (B, C, H, W)."""
        features = doubled(features)
        if skip is not None:
            features = torch.cat([features, skip], dim=1)
        return torch.relu(self.norm(self.conv(features)))


class BranchOutput(NamedTuple):
    """What a decoder gives.

    Attributes:
        features: (B, P, H, W) the finest of the pyramid, for the fusion.
        sides: (B, 1, H, W) each: probabilities at 1/8, 1/4, 1/2 and 1/1, enlarged.
    """

    features: Tensor
    sides: tuple[Tensor, ...]


class BranchDecoder(nn.Module):
    """The foreground or the background decoder: blocks, and a feature pyramid on top of them.

    Args:
        channels: the encoder's, finest first.
        blocks: channels of the blocks, coarsest first.
        pyramid: channels of the feature pyramid.
    """

    def __init__(self, channels: Sequence[int], blocks: Sequence[int], pyramid: int) -> None:
        super().__init__()
        deepest, *skips = reversed(channels)
        inputs = [deepest, *blocks[:-1]]
        self.blocks = nn.ModuleList(
            DecoderBlock(before + skip, after)
            for before, skip, after in zip(inputs, [*skips, 0], blocks, strict=True)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, pyramid, 1) for width in blocks[:3])
        self.smoothings = nn.ModuleList(nn.Conv2d(pyramid, pyramid, 3, padding=1) for _ in range(4))
        self.heads = nn.ModuleList(nn.Conv2d(pyramid, 1, 1) for _ in range(4))

    def forward(self, features: Sequence[Tensor]) -> BranchOutput:
        """Decode the encoder's features, finest first, which lie at 1/2 to 1/32."""
        deepest, *skips = reversed(features)
        blocks = []
        detail = deepest
        for block, skip in zip(self.blocks, [*skips, None], strict=True):
            detail = block(detail, skip)
            blocks.append(detail)
        pyramid = self._pyramid(blocks)
        *coarser, finest = (
            probability(head(level)) for head, level in zip(self.heads, pyramid, strict=True)
        )
        size = finest.shape[-2:]
        sides = (*(_enlarged_to(side, size) for side in coarser), finest)
        return BranchOutput(pyramid[-1], sides)

    def _pyramid(self, blocks: Sequence[Tensor]) -> list[Tensor]:
        """Features at 1/8, 1/4, 1/2 and 1/1: each block beside what comes from coarser ones."""
        coarsest, fourth, third, second, first = blocks
        top = doubled(torch.relu(self.laterals[0](coarsest)))
        levels: list[Tensor] = [self.smoothings[0](self.laterals[1](fourth) + top)]
        finer = (self.laterals[2](third), second, first)
        for lateral, smoothing in zip(finer, self.smoothings[1:], strict=True):
            levels.append(smoothing(lateral + doubled(levels[-1])))
        return levels


class FusionNetwork(nn.Module):
    """Both branches' features and the image to β, at full size.

    Args:
        branch_channels: channels of each branch's features.
        image_channels: channels that are made of the image.
        widths: channels of the 3×3 convolutions.
    """

    def __init__(self, branch_channels: int, image_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.image = nn.Sequential(
            nn.Conv2d(3, image_channels, 3, padding=1), _fusion_norm(image_channels)
        )
        inputs = [2 * branch_channels + image_channels, *widths]
        self.layers = nn.Sequential(
            *(_fusion_layer(before, after) for before, after in pairwise(inputs))
        )
        self.last = nn.Conv2d(widths[-1], 1, 1)

    def forward(self, foreground: Tensor, background: Tensor, image: Tensor) -> Tensor:
        """Return (B, 1, H, W) β in [0, 1]."""
        features = torch.cat([foreground, background, self.image(image)], dim=1)
        return probability(self.last(self.layers(features)))


class LFM(nn.Module):
    """The late fusion network (Zhang et al. 2019, Fig. 2).

    Args:
        input_scaling: brings RGB in [0, 1] to what the encoder wants.
        encoder: five features, from 1/2 to 1/32.
        foreground_decoder: probability of foreground.
        background_decoder: probability of background.
        fusion: weighs one against the other.
    """

    def __init__(
        self,
        input_scaling: InputScaling,
        encoder: Encoder,
        foreground_decoder: BranchDecoder,
        background_decoder: BranchDecoder,
        fusion: FusionNetwork,
    ) -> None:
        super().__init__()
        self.input_scaling = input_scaling
        self.encoder = encoder
        self.foreground_decoder = foreground_decoder
        self.background_decoder = background_decoder
        self.fusion = fusion
        self.stride = encoder.strides[-1]

    def forward(self, image: Tensor) -> LFMOutput:
        """Predict foreground and background apart, and fuse them late.

        Args:
            image: (B, 3, H, W) RGB in [0, 1]; H and W divisible by `stride`.
        """
        scaled = self.input_scaling(image)
        features = self.encoder(scaled)
        foreground: BranchOutput = self.foreground_decoder(features)
        background: BranchOutput = self.background_decoder(features)
        beta = self.fusion(foreground.features, background.features, scaled)
        probable, improbable = foreground.sides[-1], background.sides[-1]
        alpha = beta * probable + (1 - beta) * (1 - improbable)
        return LFMOutput(probable, improbable, beta, alpha, foreground.sides, background.sides)


def doubled(features: Tensor) -> Tensor:
    """Enlarge (B, C, H, W) twice, nearest."""
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def _enlarged_to(side: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(side, size=size, mode="bilinear", align_corners=True)


def _fusion_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, FUSION_NORM_EPSILON, NORM_MOMENTUM)


def _fusion_layer(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        _fusion_norm(out_channels),
        nn.ReLU(inplace=True),
    )
