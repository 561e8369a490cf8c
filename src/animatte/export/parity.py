"""Whether ONNX Runtime computes what torch does, on the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from animatte.engine import WHOLE_OUTPUTS
from animatte.models.registry import MattingNetwork, network_kind

# For any one value in [0, 1]: the same weights in the same order differ by rounding alone.
TOLERANCE = 1e-3
# RIM's alpha jumps where two classes tie and rounding decides: of it, this share is compared.
_CONTINUOUS_SHARE = 0.99

Outputs = list[NDArray[np.float32]]


class NamedOutputs(nn.Module):
    """A network as the exporter wants it: the outputs that inference uses, as a plain tuple."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network
        kind = network_kind(network)
        self.is_continuous = kind != "RIM"
        self.names = WHOLE_OUTPUTS.get(kind, ("glance", "focus"))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs called `names`, in that order."""
        output = self.network(image)
        return tuple(getattr(output, name) for name in self.names)

    def difference(self, some: Sequence[Outputs], others: Sequence[Outputs]) -> float:
        """Largest difference over pictures and outputs, NaN if any is; of RIM in 99 % of values."""
        share = 1.0 if self.is_continuous else _CONTINUOUS_SHARE
        pairs = [
            pair
            for ours, theirs in zip(some, others, strict=True)
            for pair in zip(ours, theirs, strict=True)
        ]
        return float(np.max([np.quantile(np.abs(ours - theirs), share) for ours, theirs in pairs]))


def torch_outputs(
    wrapped: NamedOutputs, pictures: Sequence[Tensor], weights: Mapping[str, Tensor] | None = None
) -> list[Outputs]:
    """What torch computes for pictures, (B, 3, H, W) each.

    Args:
        wrapped: the network.
        pictures: RGB in [0, 1].
        weights: by their names in the network's state dict, to take in place of its own.
    """
    device = next(wrapped.parameters()).device
    given = {f"network.{name}": value.to(device) for name, value in (weights or {}).items()}
    with torch.inference_mode():
        return [
            [
                output.cpu().numpy()
                for output in torch.func.functional_call(wrapped, given, (picture.to(device),))
            ]
            for picture in pictures
        ]


def onnx_outputs(path: Path, names: Sequence[str], pictures: Sequence[Tensor]) -> list[Outputs]:
    """What ONNX Runtime computes by a file for pictures, (B, 3, H, W) RGB in [0, 1] each."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return [session.run(list(names), {"image": picture.numpy()}) for picture in pictures]


def check_within(difference: float, tolerance: float, what: str, remedy: str) -> None:
    """Refuse a difference above a tolerance, and NaN.

    Raises:
        ValueError: naming what differs from torch, and the remedy.
    """
    if not difference <= tolerance:
        raise ValueError(
            f"not exported: {what} differs from torch by {difference:.2g}, more than "
            f"{tolerance:g}; {remedy}"
        )
