"""What every export shares: the network's card, its evaluation, pictures to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from animatte.models.registry import MattingNetwork, network_kind
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
        "strategy": default_strategy(kind).as_dict(),
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
