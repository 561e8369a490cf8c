"""GFM's glance and focus decoders, built from an encoder's channels and strides (GFM Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from animatte.models.layers import conv_block, conv_bn_relu, enlarged


@dataclass(frozen=True)
class DecoderConfig:
    """Widths of a decoder.

    Attributes:
        stages: for each stage, coarsest first, the channels of its 3×3 convolutions; after each
            stage the feature is enlarged to the next finer stride of the encoder.
        head: channels of the head's hidden convolutions; empty for a single convolution.
        head_skip: whether the head also sees the skip feature of its scale.
    """

    stages: tuple[tuple[int, ...], ...]
    head: tuple[int, ...] = ()
    head_skip: bool = True

    def head_channels(self, skip_channels: int) -> int:
        """Channels that the head receives, given those of its skip feature."""
        return self.stages[-1][-1] + (skip_channels if self.head_skip else 0)


def stage_strides(strides: Sequence[int], num_stages: int) -> list[int]:
    """Strides at which `num_stages` stages work, and then the head's: coarsest first."""
    if not 1 <= num_stages < len(strides):
        raise ValueError(
            f"a decoder of {num_stages} stages does not fit an encoder of {len(strides)} features; "
            f"use 1 to {len(strides) - 1} stages"
        )
    return list(reversed(strides))[: num_stages + 1]


class GlanceDecoder(nn.Module):
    """Semantics: every stage sees the context again, brought to its scale.

    Args:
        context_channels: channels of the context (PSP) feature.
        deepest_channels: channels of the encoder's deepest feature.
        strides: the encoder's strides, finest first.
        config: widths.
    """

    def __init__(
        self,
        context_channels: int,
        deepest_channels: int,
        strides: Sequence[int],
        config: DecoderConfig,
    ) -> None:
        super().__init__()
        used = stage_strides(strides, len(config.stages))
        self.factors = [coarse // fine for coarse, fine in pairwise(used)]
        self.context_factors = [used[0] // stride for stride in used[1:]]
        ends = [stage[-1] for stage in config.stages]
        self.projections = nn.ModuleList(
            conv_bn_relu(context_channels, channels)
            for channels in (ends if config.head_skip else ends[:-1])
        )
        inputs = [context_channels + deepest_channels, *(2 * channels for channels in ends[:-1])]
        self.stages = nn.ModuleList(
            conv_block(channels, stage)
            for channels, stage in zip(inputs, config.stages, strict=True)
        )
        self.out_channels = config.head_channels(ends[-1])
        self.out_stride = used[-1]

    def forward(self, context: Tensor, deepest: Tensor) -> Tensor:
        """Return the head's input, (B, `out_channels`, H, W) at `out_stride`."""
        features = torch.cat([context, deepest], dim=1)
        for index, stage in enumerate(self.stages):
            features = enlarged(stage(features), self.factors[index])
            if index < len(self.projections):
                projected = self.projections[index](context)
                skip = enlarged(projected, self.context_factors[index])
                features = torch.cat([skip, features], dim=1)
        return features


class FocusDecoder(nn.Module):
    """Details: a dilated bridge over the deepest feature, then stages with encoder skips.

    Args:
        channels: the encoder's channels, finest first.
        strides: the encoder's strides, finest first.
        bridge: channels of the bridge's convolutions (dilation 2).
        config: widths; as many stages as the encoder has features but one.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        bridge: Sequence[int],
        config: DecoderConfig,
    ) -> None:
        super().__init__()
        used = stage_strides(strides, len(config.stages))
        self.factors = [coarse // fine for coarse, fine in pairwise(used)]
        skips = list(reversed(channels))[: len(used)]
        self.bridge = conv_block(skips[0], bridge, dilation=2)
        befores = [bridge[-1], *(stage[-1] for stage in config.stages[:-1])]
        self.stages = nn.ModuleList(
            conv_block(before + skip, stage)
            for before, skip, stage in zip(befores, skips[:-1], config.stages, strict=True)
        )
        self.head_skip = config.head_skip
        self.out_channels = config.head_channels(skips[-1])
        self.out_stride = used[-1]

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return the head's input, (B, `out_channels`, H, W) at `out_stride`, from all features."""
        skips = list(reversed(features))
        detail: Tensor = self.bridge(skips[0])
        for stage, skip, factor in zip(self.stages, skips[:-1], self.factors, strict=False):
            detail = enlarged(stage(torch.cat([detail, skip], dim=1)), factor)
        if self.head_skip:
            detail = torch.cat([detail, skips[len(self.stages)]], dim=1)
        return detail


class Head(nn.Module):
    """The last convolutions of a decoder: raw scores, enlarged to the image.

    Args:
        in_channels: channels of the decoder's result.
        hidden: channels of the hidden 3×3-BN-ReLU convolutions.
        out_channels: number of scores.
        stride: what the result is enlarged by.
    """

    def __init__(
        self, in_channels: int, hidden: Sequence[int], out_channels: int, stride: int
    ) -> None:
        super().__init__()
        self.hidden = conv_block(in_channels, hidden)
        self.last = nn.Conv2d([in_channels, *hidden][-1], out_channels, 3, padding=1)
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, `out_channels`, H, W) scores at the image's size."""
        return enlarged(self.last(self.hidden(features)), self.stride)
