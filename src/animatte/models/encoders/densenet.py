"""DenseNet (Huang et al. 2017) as an encoder, with torchvision's parameter names."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from animatte.models.encoders.base import Encoder
from animatte.models.layers import conv_bn_relu

# Layers in the four dense blocks, Table 1 of the paper.
DENSENET121 = (6, 12, 24, 16)
DENSENET201 = (6, 12, 48, 32)


class DenseLayer(nn.Module):
    """Append `growth` channels to the features: BN-ReLU-1×1, BN-ReLU-3×3."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        hidden = 4 * growth
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, hidden, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, growth, 3, padding=1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C + `growth`, H, W) from (B, C, H, W)."""
        hidden = self.conv1(torch.relu(self.norm1(features)))
        new = self.conv2(torch.relu(self.norm2(hidden)))
        return torch.cat([features, new], dim=1)


def dense_block(in_channels: int, growth: int, num_layers: int) -> nn.Sequential:
    """A run of `DenseLayer`; gives `in_channels` + `num_layers` · `growth` channels."""
    return nn.Sequential(
        OrderedDict(
            (f"denselayer{index + 1}", DenseLayer(in_channels + index * growth, growth))
            for index in range(num_layers)
        )
    )


def transition(in_channels: int) -> nn.Sequential:
    """Halve channels and size: BN-ReLU-1×1, average pooling."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(in_channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(in_channels, in_channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


def dense_features(num_layers: Sequence[int], growth: int = 32) -> nn.Sequential:
    """Everything before the classifier, by torchvision's names: conv0, norm0, … norm5.

    Args:
        num_layers: layers in each of the dense blocks.
        growth: channels that a layer adds.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv0=nn.Conv2d(3, 64, 7, 2, padding=3, bias=False),
        norm0=nn.BatchNorm2d(64),
        relu0=nn.ReLU(inplace=True),
        pool0=nn.MaxPool2d(3, 2, padding=1),
    )
    channels = 64
    for index, count in enumerate(num_layers, start=1):
        parts[f"denseblock{index}"] = dense_block(channels, growth, count)
        channels += count * growth
        if index < len(num_layers):
            parts[f"transition{index}"] = transition(channels)
            channels //= 2
    parts["norm5"] = nn.BatchNorm2d(channels)
    return nn.Sequential(parts)


def tapped(parts: nn.Sequential, image: Tensor, taps: Collection[str]) -> tuple[Tensor, ...]:
    """Run `parts` one after the other and return the results of those named in `taps`."""
    results = []
    features = image
    for name, part in parts.named_children():
        features = part(features)
        if name in taps:
            results.append(features)
    return tuple(results)


def modern_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Spell old DenseNet parameter names (`norm.1.weight`) as of today (`norm1.weight`)."""
    return {re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", name): state[name] for name in state}


class DenseNet121(Encoder):
    """DenseNet-121 as GFM uses it (Li et al. 2022, §5.1): 64, 128, 256, 512, 512 channels.

    There is no pooling after the stem, so that it and the transitions lie at 1/2 to 1/16; the last
    dense block ends in a 3×3 convolution to 512 channels and a pooling, at 1/32.
    """

    added = ("deepest.",)
    unused = ("classifier.", "features.norm5.")
    taps = ("relu0", "transition1", "transition2", "transition3", "denseblock4")

    def __init__(self) -> None:
        super().__init__()
        self.features = dense_features(DENSENET121)
        del self.features.pool0, self.features.norm5
        self.deepest = conv_bn_relu(1024, 512)
        self.channels = (64, 128, 256, 512, 512)
        self.strides = (2, 4, 8, 16, 32)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W)."""
        *finer, last = tapped(self.features, image, self.taps)
        deepest = functional.max_pool2d(self.deepest(last), 2, ceil_mode=True)
        return (*finer, deepest)

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Load torchvision's `densenet121` state dict, in today's names or the old ones."""
        super().load_torchvision(modern_names(state))


class DenseNet201(Encoder):
    """DenseNet-201 as LFM uses it (Zhang et al. 2019): 64, 256, 512, 1792, 1920 channels.

    The dense blocks are tapped before their transitions halve them, so that they lie at 1/2 to
    1/16; the deepest is `norm5`, without ReLU, at 1/32.

    Args:
        norm_epsilon: of batch norm.
        norm_momentum: of batch norm, in torch's sense.
    """

    unused = ("classifier.",)
    taps = ("relu0", "denseblock1", "denseblock2", "denseblock3", "norm5")

    def __init__(self, norm_epsilon: float = 1e-5, norm_momentum: float = 0.1) -> None:
        super().__init__()
        self.features = dense_features(DENSENET201)
        for module in self.features.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps, module.momentum = norm_epsilon, norm_momentum
        self.channels = (64, 256, 512, 1792, 1920)
        self.strides = (2, 4, 8, 16, 32)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W)."""
        return tapped(self.features, image, self.taps)

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Load torchvision's `densenet201` state dict, in today's names or the old ones."""
        super().load_torchvision(modern_names(state))
