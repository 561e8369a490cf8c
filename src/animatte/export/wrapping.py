"""What every export shares: the network's card, its evaluation, pictures to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from animatte.models.registry import MattingNetwork, is_published, network_kind
from animatte.onnx_file import CARD_FORMAT
from animatte.strategies import default_strategy


def basic_card(network: MattingNetwork, name: str) -> dict[str, Any]:
    """What a file says of a network, where its owner says no more."""
    kind = network_kind(network)
    return {
        "format": CARD_FORMAT,
        "name": name,
        "rosta": kind,
        "stride": network.stride,
        "licence": "not stated",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "strategy": default_strategy(kind, published=is_published(network)).as_dict(),
    }


@contextmanager
def evaluated(network: MattingNetwork) -> Iterator[None]:
    """Keep a network in evaluation, and give it back in the mode it was in."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def smooth_pictures(size: Sequence[int]) -> Tensor:
    """Smooth random RGB in [0, 1], (B, 3, H, W); the same for the same size."""
    batch, channels, height, width = size
    coarse = torch.rand(batch, channels, 6, 6, generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def resized(image: NDArray[np.float32], size: tuple[int, int]) -> Tensor:
    """Return an (H, W, 3) image as (1, 3, *`size`), stretched where its shape is another."""
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    return nn.functional.interpolate(batch, size, mode="bilinear", antialias=True).clamp(0, 1)


def comparison_size(image: NDArray[np.float32], stride: int, longest: int = 704) -> tuple[int, int]:
    """(height, width) to compare an image at: its shape, at most `longest`, divisible by stride."""
    height, width = image.shape[:2]
    share = min(1.0, longest / max(height, width))
    rows, columns = (max(1, round(side * share / stride)) * stride for side in (height, width))
    return rows, columns
