"""ResNet (He et al. 2016) as an encoder, with torchvision's parameter names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from animatte.models.encoders.base import Encoder
from animatte.models.layers import conv_bn_relu

# Repetitions of the blocks in layer1 to layer4, Table 1 of the paper.
RESNET34 = (3, 4, 6, 3)
RESNET101 = (3, 4, 23, 3)
WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, `width`, H / stride, W / stride)."""
        result = torch.relu(self.bn1(self.conv1(features)))
        result = self.bn2(self.conv2(result))
        return torch.relu(result + self.downsample(features))


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions and a shortcut; the stride is the 3×3's (ResNet 1.5)."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, 4 · `width`, H / stride, W / stride)."""
        result = torch.relu(self.bn1(self.conv1(features)))
        result = torch.relu(self.bn2(self.conv2(result)))
        result = self.bn3(self.conv3(result))
        return torch.relu(result + self.downsample(features))


Block = type[BasicBlock] | type[Bottleneck]


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


def residual_layer(
    block: Block, in_channels: int, width: int, repetitions: int, stride: int
) -> nn.Sequential:
    """A run of blocks, of which the first takes the stride."""
    out_channels = width * block.expansion
    rest = (block(out_channels, width) for _ in range(repetitions - 1))
    return nn.Sequential(block(in_channels, width, stride), *rest)


def residual_layers(
    block: Block, repetitions: Sequence[int], widths: Sequence[int] = WIDTHS
) -> list[nn.Sequential]:
    """Layers 1 to 4 after a stem as wide as the first; all but the first halve the size."""
    befores = [widths[0], *(width * block.expansion for width in widths)]
    return [
        residual_layer(block, before, width, count, stride)
        for before, width, count, stride in zip(
            befores[:-1], widths, repetitions, (1, 2, 2, 2), strict=True
        )
    ]


class ResNet(Encoder):
    """ResNet without its classifier: the stem at 1/2, then layer1 to layer4 at 1/4 to 1/32.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        repetitions: number of blocks in each of the four layers.
        widths: of the layers' blocks; the stem is as wide as the first.
    """

    unused = ("fc.",)

    def __init__(
        self, block: Block, repetitions: Sequence[int], widths: Sequence[int] = WIDTHS
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        layers = residual_layers(block, repetitions, widths)
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.channels = (widths[0], *(width * block.expansion for width in widths))
        self.strides = (2, 4, 8, 16, 32)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W)."""
        taps = [torch.relu(self.bn1(self.conv1(image)))]
        features = functional.max_pool2d(taps[0], 3, 2, padding=1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            features = layer(features)
            taps.append(features)
        return tuple(taps)


class ResNet34TwoMore(Encoder):
    """ResNet-34 from full resolution, with two more layers: GFM's `r2b` (Li et al. 2022, §5.1).

    A 3×3 stem of its own keeps every pixel; layer1 to layer4 work at 1/1 to 1/8; layer5 and layer6
    are a pooling and three basic blocks each, at 1/16 and 1/32.
    """

    added = ("stem.", "layer5.", "layer6.")
    unused = ("fc.", "conv1.", "bn1.")

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu(3, 64)
        layers = residual_layers(BasicBlock, RESNET34)
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.layer5 = self._pooled_layer()
        self.layer6 = self._pooled_layer()
        self.channels = (64, *WIDTHS, 512, 512)
        self.strides = (1, 1, 2, 4, 8, 16, 32)

    @staticmethod
    def _pooled_layer() -> nn.Sequential:
        return nn.Sequential(
            nn.MaxPool2d(2, ceil_mode=True), *residual_layer(BasicBlock, 512, 512, 3, 1)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W)."""
        taps = [self.stem(image)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4, self.layer5, self.layer6):
            taps.append(layer(taps[-1]))
        return tuple(taps)
