"""MobileNetV2 (Sandler et al. 2018) as an encoder, with torchvision's parameter names."""

from __future__ import annotations

from torch import Tensor, nn

from animatte.models.encoders.base import TappedEncoder

# (expansion, channels, repetitions, stride of the first), Table 2 of the paper.
INVERTED_RESIDUALS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# One past the last of `features` at strides 2, 4, 8, 16 and 32.
TAPS = (2, 4, 7, 14, 18)


def _conv_bn_relu6(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; a shortcut where the shape allows it."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [_conv_bn_relu6(in_channels, hidden, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *expand,
            _conv_bn_relu6(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, `out_channels`, H / stride, W / stride)."""
        result: Tensor = self.conv(features)
        return features + result if self.has_shortcut else result


class MobileNetV2(TappedEncoder):
    """MobileNetV2 1.0 without its last 1×1 convolution: 16, 24, 32, 96, 320 channels, 1/2 to 1/32.

    Args:
        detail_channels: see `TappedEncoder`.
        frozen_norm: see `TappedEncoder`; weights whose batch norm was folded by their publisher
            ask for it.
    """

    unused = ("features.18.", "classifier.")

    def __init__(self, detail_channels: int = 0, frozen_norm: bool = False) -> None:
        layers: list[nn.Module] = [_conv_bn_relu6(3, 32, 3, stride=2)]
        in_channels = 32
        for expansion, channels, repetitions, stride in INVERTED_RESIDUALS:
            for index in range(repetitions):
                first_stride = stride if index == 0 else 1
                layers.append(InvertedResidual(in_channels, channels, first_stride, expansion))
                in_channels = channels
        super().__init__(layers, TAPS, (16, 24, 32, 96, 320), detail_channels, frozen_norm)
