"""EfficientNet-lite (Tan and Le 2019; lite: Liu 2020) as an encoder, named as torchvision would."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from animatte.models.encoders.base import TappedEncoder

# (expansion, channels, repetitions, stride of the first, kernel) of EfficientNet-B0, Table 1. Lite
# has no squeeze-and-excitation, ReLU6 for swish, and a stem and a first and last stage that do not
# grow.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# The stages after which a feature is taken, at strides 2, 4, 8 and 16; the last is at 32.
_TAPS = (1, 2, 3, 5)
_STEM = 32
_EPSILON = 1e-3
_PUBLISHED_STEM = {"_conv_stem": "features.0.0", "_bn0": "features.0.1"}
_PUBLISHED_PART = re.compile(r"_blocks\.(\d+)\._(\w+)\.(\w+)")
_PARTS = {
    "expand_conv": (-3, 0),
    "bn0": (-3, 1),
    "depthwise_conv": (-2, 0),
    "bn1": (-2, 1),
    "project_conv": (-1, 0),
    "bn2": (-1, 1),
}


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": with stride 2, more after than before."""

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, ⌈H / stride⌉, ⌈W / stride⌉), for H and W divisible by the stride."""
        total = self.kernel_size[0] - self.stride[0]
        before = padding = total // 2
        if total != 2 * before:  # with as much on every side no copy is needed
            features, padding = functional.pad(features, (before, total - before) * 2), 0
        if not self._is_slow_in_half(features):
            return self._filtered(features, padding)
        with torch.autocast("cpu", enabled=False):
            return self._filtered(features.float(), padding)

    def _filtered(self, features: Tensor, padding: int) -> Tensor:
        return functional.conv2d(
            features, self.weight, None, self.stride, padding, groups=self.groups
        )

    def _is_slow_in_half(self, features: Tensor) -> bool:
        """Whether a CPU takes two to four times as long for the bfloat16 gradient as for float32's.

        It does for filters of single channels that are wider than 3.
        """
        is_filter = self.groups > 1 and self.kernel_size[0] > 3
        return is_filter and features.device.type == "cpu" and torch.is_autocast_enabled("cpu")


class MobileBlock(nn.Module):
    """Expand, filter each channel, project; a shortcut where the shape allows it."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, expansion: int, kernel: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [_conv_bn(in_channels, hidden, 1)] if expansion != 1 else []
        self.block = nn.Sequential(
            *expand,
            _conv_bn(hidden, hidden, kernel, stride, groups=hidden),
            _conv_bn(hidden, out_channels, 1, has_relu=False),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, `out_channels`, H / stride, W / stride)."""
        result: Tensor = self.block(features)
        return features + result if self.has_shortcut else result


class EfficientNetLite(TappedEncoder):
    """EfficientNet-lite without its last 1×1 convolution, features at 1/2 to 1/32.

    Args:
        width: multiple of B0's channels; 1.1 for lite2.
        depth: multiple of B0's repetitions; 1.2 for lite2.
        detail_channels: see `TappedEncoder`.
        frozen_norm: see `TappedEncoder`.
        stages: 7, all that there are, or 6: without the last, which widens the deepest feature for
            a classifier and takes a sixth of the parameters.
    """

    unused: tuple[str, ...] = ("features.8.", "classifier.", "_conv_head.", "_bn1.", "_fc.")

    def __init__(
        self,
        width: float = 1.0,
        depth: float = 1.0,
        detail_channels: int = 0,
        frozen_norm: bool = False,
        stages: int = len(STAGES),
    ) -> None:
        taps = (*_TAPS, stages)
        modules: list[nn.Module] = [_conv_bn(3, _STEM, 3, 2)]
        taken = []
        in_channels = _STEM
        for number, (expansion, channels, repetitions, stride, kernel) in enumerate(
            STAGES[:stages], 1
        ):
            out_channels = _eights(channels * width)
            is_fixed = number in (1, len(STAGES))
            blocks = []
            for index in range(repetitions if is_fixed else math.ceil(repetitions * depth)):
                first_stride = stride if index == 0 else 1
                blocks.append(
                    MobileBlock(in_channels, out_channels, first_stride, expansion, kernel)
                )
                in_channels = out_channels
            modules.append(nn.Sequential(*blocks))
            taken += [out_channels] if number in taps else []
        super().__init__(modules, [tap + 1 for tap in taps], taken, detail_channels, frozen_norm)
        if stages < len(STAGES):  # by torchvision's names, and by published ones not translated
            missing = range(stages + 1, len(STAGES) + 1)
            self.unused = (*self.unused, *(f"features.{stage}." for stage in missing), "_blocks.")

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Load weights by torchvision's names, or by those that the lite networks have in PyTorch.

        Raises:
            ValueError: if parameters are missing, unknown or of another shape.
        """
        super().load_torchvision({self._own_name(name): value for name, value in state.items()})

    def _own_name(self, name: str) -> str:
        """Translate "_blocks.3._bn1.bias" to "features.3.0.block.1.1.bias"."""
        stem, _, rest = name.partition(".")
        if stem in _PUBLISHED_STEM:
            return f"{_PUBLISHED_STEM[stem]}.{rest}"
        found = _PUBLISHED_PART.fullmatch(name)
        if found is None or found[2] not in _PARTS:
            return name
        number = int(found[1])
        for stage, blocks in enumerate(list(self.features)[1:], 1):
            assert isinstance(blocks, nn.Sequential)
            if number < len(blocks):
                block = blocks[number]
                assert isinstance(block, MobileBlock)
                place, index = _PARTS[found[2]]
                part = len(block.block) + place
                return f"features.{stage}.{number}.block.{part}.{index}.{found[3]}"
            number -= len(blocks)
        return name


def _conv_bn(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    has_relu: bool = True,
) -> nn.Sequential:
    return nn.Sequential(
        SameConv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels, eps=_EPSILON),
        *([nn.ReLU6(inplace=True)] if has_relu else []),
    )


def _eights(channels: float) -> int:
    """The nearest multiple of eight, but never less than nine tenths."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
