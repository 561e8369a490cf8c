"""Building blocks that more than one network uses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_bn_relu(in_channels: int, out_channels: int, dilation: int = 1) -> nn.Sequential:
    """A 3×3 convolution (with bias, size kept), batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def conv_block(in_channels: int, out_channels: Sequence[int], dilation: int = 1) -> nn.Sequential:
    """A run of `conv_bn_relu`, one for each of `out_channels`."""
    widths = [in_channels, *out_channels]
    return nn.Sequential(
        *(conv_bn_relu(before, after, dilation) for before, after in pairwise(widths))
    )


def enlarged(features: Tensor, factor: int) -> Tensor:
    """Enlarge (B, C, H, W) by a whole factor, bilinear with align_corners=False."""
    if factor == 1:
        return features
    return functional.interpolate(
        features, scale_factor=float(factor), mode="bilinear", align_corners=False
    )


def probability(score: Tensor) -> Tensor:
    """Sigmoid; of half precision in float32, as bfloat16 is 1 above 0.998, and learns no more."""
    is_half = score.dtype in (torch.bfloat16, torch.float16)
    return torch.sigmoid(score.float() if is_half else score)


class PyramidPooling(nn.Module):
    """Context at several scales (PSP; Zhao et al. 2017) as GFM uses it: without batch norm.

    Args:
        in_channels: channels of the deepest feature.
        prior_channels: channels of each pooled prior; the published networks keep `in_channels`.
        out_channels: channels of the result.
        sizes: sides of the pooled grids.
    """

    def __init__(
        self,
        in_channels: int,
        prior_channels: int,
        out_channels: int,
        sizes: Sequence[int] = (1, 3, 5),
    ) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.priors = nn.ModuleList(
            nn.Conv2d(in_channels, prior_channels, 1, bias=False) for _ in self.sizes
        )
        merged_channels = in_channels + prior_channels * len(self.sizes)
        self.bottleneck = nn.Conv2d(merged_channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, `out_channels`, H, W) from (B, `in_channels`, H, W)."""
        size = features.shape[-2:]
        priors = [
            spread_grid(conv(pooled_grid(features, side)), size)
            for side, conv in zip(self.sizes, self.priors, strict=True)
        ]
        return functional.relu(self.bottleneck(torch.cat([*priors, features], dim=1)))


def pooled_grid(features: Tensor, side: int) -> Tensor:
    """Average pooling onto a `side` × `side` grid whose cells tile the feature (adaptive pooling).

    While a graph is traced with free sizes, for ONNX or Core ML, adaptive pooling has no operator
    to become; there the same cell means are taken by two matrix products, rows then columns.
    """
    is_free = torch.onnx.is_in_onnx_export() or _is_symbolic(features.shape)
    if side == 1 or not is_free:
        return functional.adaptive_avg_pool2d(features, side)
    rows = pooling_matrix(features.shape[-2], side, features)
    columns = pooling_matrix(features.shape[-1], side, features)
    return rows @ features @ columns.transpose(0, 1)


def pooling_matrix(length: int, side: int, like: Tensor) -> Tensor:
    """(side, length) weights that average adaptive pooling's cells, from ⌊i·n/s⌋ to ⌈(i+1)·n/s⌉.

    Position p lies in cell i where i·n < (p+1)·s and p·s < (i+1)·n: no division, and `length` is
    only ever multiplied with a tensor, so that a traced graph keeps it dynamic.
    """
    cells = torch.arange(side, device=like.device)[:, None]
    positions = torch.arange(length, device=like.device)[None, :]
    begun = cells * length < (positions + 1) * side
    unfinished = positions * side < (cells + 1) * length
    inside = torch.logical_and(begun, unfinished).to(like.dtype)  # Core ML knows no `&`
    return inside / inside.sum(dim=1, keepdim=True)


def spread_grid(grid: Tensor, size: Sequence[int]) -> Tensor:
    """Enlarge a square (B, C, S, S) grid to `size`, bilinear with align_corners=True.

    In a graph that torch.export traces with free sizes it is two matrix products: Core ML enlarges
    with align_corners to fixed sizes alone.
    """
    if not _is_symbolic(size):
        return functional.interpolate(grid, size=size, mode="bilinear", align_corners=True)
    side = grid.shape[-1]
    rows, columns = (spreading_matrix(length, side, grid) for length in size)
    return rows @ grid @ columns.transpose(0, 1)


def spreading_matrix(length: int, side: int, like: Tensor) -> Tensor:
    """(length, side) weights that interpolate `side` values at `length` positions, ends on ends.

    `length` is at least 2.
    """
    positions = torch.arange(length, device=like.device)[:, None].to(like.dtype)
    cells = torch.arange(side, device=like.device)[None, :].to(like.dtype)
    return (1 - (positions * (side - 1) / (length - 1) - cells).abs()).clamp(min=0)


def _is_symbolic(size: Sequence[int]) -> bool:
    """Whether torch.export is tracing with free sizes."""
    return any(isinstance(length, torch.SymInt) for length in size)
