"""The contract between encoders and the decoders that compute from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from animatte.models.layers import conv_bn_relu
from animatte.models.state_dicts import mismatch, tensors_in, weights, without_counters

if TYPE_CHECKING:
    from typing_extensions import Self

INPUT_SCALINGS: Mapping[str, tuple[Sequence[float], Sequence[float]]] = {
    # name: (mean, standard deviation) of RGB in [0, 1]
    "bytes": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),  # 0-255, as GFM was published
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # [-1, 1], as TensorFlow's MobileNetV2
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # torchvision
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


class Encoder(nn.Module, ABC):
    """A feature extractor whose features' channels and strides are data.

    Attributes:
        channels: channels of each feature, finest first.
        strides: input pixels a feature pixel spans, finest first; ascending.
        added: what the names of parameters start with that torchvision's network has not.
        unused: what the names of torchvision's parameters start with that the encoder has not.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    added: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W) scaled as the weights want it."""

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Load torchvision's state dict of the same network; `unused` parts of it are left out.

        Raises:
            ValueError: if parameters are missing, unknown or of another shape.
        """
        own = {
            name: value for name, value in weights(self).items() if not name.startswith(self.added)
        }
        given = {
            name: value
            for name, value in without_counters(tensors_in(state)).items()
            if not name.startswith(self.unused)
        }
        fault = mismatch(own, given)
        if fault:
            raise ValueError(f"not torchvision's weights for {type(self).__name__}: {fault}")
        self.load_state_dict(given, strict=False)


class TappedEncoder(Encoder):
    """A run of layers with features taken on the way, at 1/2 to 1/32.

    Args:
        layers: named `features` as torchvision has them.
        taps: one past the last of the layers before each feature.
        channels: of each feature.
        detail_channels: width of an extra stem of its own at full resolution (a 3×3 convolution
            on the image), which gives the focus decoder the finest edges; 0 leaves it out.
        frozen_norm: keep the layers' batch norm on its stored statistics even in training.
    """

    added = ("detail.",)

    def __init__(
        self,
        layers: Sequence[nn.Module],
        taps: Sequence[int],
        channels: Sequence[int],
        detail_channels: int,
        frozen_norm: bool,
    ) -> None:
        super().__init__()
        self.frozen_norm = frozen_norm
        self.features = nn.Sequential(*layers)
        self.detail = conv_bn_relu(3, detail_channels) if detail_channels else None
        self.channels = (*((detail_channels,) if detail_channels else ()), *channels)
        self.strides = (*((1,) if detail_channels else ()), 2, 4, 8, 16, 32)
        self._taps = tuple(taps)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return features, finest first, from (B, 3, H, W)."""
        taps = [] if self.detail is None else [self.detail(image)]
        features = image
        for start, stop in pairwise((0, *self._taps)):
            features = self.features[start:stop](features)
            taps.append(features)
        return tuple(taps)

    def train(self, mode: bool = True) -> Self:
        """Switch training mode; frozen batch norm stays in evaluation."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.features.modules():
                if isinstance(module, _BatchNorm):  # of several processes, too: SyncBatchNorm
                    module.eval()
        return self


class InputScaling(nn.Module):
    """Bring RGB in [0, 1] to what an encoder's weights were trained with.

    Args:
        name: a key of `INPUT_SCALINGS`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in INPUT_SCALINGS:
            known = ", ".join(sorted(INPUT_SCALINGS))
            raise ValueError(f"input scaling {name!r} is unknown; choose one of {known}")
        mean, deviation = INPUT_SCALINGS[name]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return (B, 3, H, W) scaled from RGB in [0, 1]."""
        return (image - self.mean) / self.deviation
