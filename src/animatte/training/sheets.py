"""Sample pictures of a training: what the network is shown, finds, and should find."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animatte.models.late_fusion import LFMOutput
from animatte.models.registry import MattingNetwork
from animatte.training.objective import Batch

COLUMNS = ("photo", "glance", "focus", "alpha", "truth")
SHOWN = 4  # examples


@torch.no_grad()
def sample_sheet(network: MattingNetwork, batch: Batch) -> NDArray[np.uint8]:
    """Lay out a few examples, one a row: photo, glance, focus, alpha and truth.

    Of a glance, the classes go from black to white. Late fusion shows its foreground branch in
    the glance's place and one minus its background branch in the focus'.

    Args:
        network: it is left in evaluation.
        batch: on the network's device.

    Returns:
        (H, W, 3) RGB.
    """
    image = batch.image[:SHOWN]
    output = network.eval()(image)
    if isinstance(output, LFMOutput):
        first, second = output.foreground, 1 - output.background
    else:
        first, second = grey_glance(output.glance), output.focus
    columns = (image, first, second, output.alpha, batch.alpha[:SHOWN])
    wide = torch.cat([column.expand(-1, 3, -1, -1) for column in columns], dim=3)
    rows = wide.permute(0, 2, 3, 1).flatten(0, 1)
    levels: NDArray[np.uint8] = rows.clamp(0, 1).mul(255).round().byte().cpu().numpy()
    return levels


def grey_glance(glance: Tensor) -> Tensor:
    """Expected class of a glance (B, C, H, W), from 0 for the first to 1 for the last."""
    classes = torch.linspace(0, 1, glance.shape[1], device=glance.device)
    shares = glance / glance.sum(dim=1, keepdim=True).clamp_min(1e-6)
    return (shares * classes[:, None, None]).sum(dim=1, keepdim=True)
