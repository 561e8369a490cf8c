"""GFM's loss terms (Li et al. 2022, section 3.5), and one of our own."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

L1_EPSILON = 1e-12
PYRAMID_LEVELS = 5


def glance_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Cross entropy of the glance over all pixels (GFM Eq. 4).

    It takes true logits. GFM's published program passes sigmoid outputs to it as if they were
    logits; the loss of a sure and right prediction then stays at -log(e / (e + C - 1)), and the
    glance cannot become sure. Whoever wants that loss passes the sigmoid outputs.

    Args:
        logits: (B, C, H, W) scores before softmax.
        label: (B, H, W) int64 classes.
    """
    return functional.cross_entropy(logits, label)


def alpha_l1_loss(predicted: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """√(d² + ε) over the weighted pixels, divided by their weight + 1 (GFM Eq. 6).

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        weight: (B, 1, H, W), 1 where a pixel counts, 0 where it does not.
    """
    difference = torch.sqrt((predicted - true).square() + L1_EPSILON)
    return (difference * weight).sum() / (weight.sum() + 1)


def laplacian_loss(predicted: Tensor, true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over five pyramid levels of the mean difference of the Laplacians (GFM Eq. 7).

    Args:
        predicted: (B, 1, H, W); both sides at least 32.
        true: (B, 1, H, W).
        weight: (B, 1, H, W) multiplies both before the pyramid; None for the whole image.
    """
    difference = predicted - true
    if weight is not None:
        difference = difference * weight
    # The pyramid is linear, so one pyramid of the difference serves for two.
    levels = laplacian_pyramid(difference)
    return torch.stack([level.abs().mean() for level in levels]).sum()


def laplacian_pyramid(image: Tensor) -> list[Tensor]:
    """Return `PYRAMID_LEVELS` band-pass levels of (B, 1, H, W), finest first."""
    levels = []
    for _ in range(PYRAMID_LEVELS):
        smooth = gaussian_blurred(image)
        levels.append(image - smooth)
        image = functional.avg_pool2d(smooth, 2)
    return levels


def gaussian_blurred(image: Tensor) -> Tensor:
    """Blur (B, 1, H, W) by a 5×5 Gaussian of σ 1, edges replicated.

    Shifted sums, since a convolution of one channel is many times slower, backward above all.
    """
    weights = [math.exp(-offset * offset / 2) for offset in range(-2, 3)]
    taps = [weight / sum(weights) for weight in weights]
    height, width = image.shape[-2:]
    padded = functional.pad(image, (2, 2, 2, 2), mode="replicate")
    rows = sum(tap * padded[..., at : at + height, :] for at, tap in enumerate(taps))
    assert isinstance(rows, Tensor)
    blurred = sum(tap * rows[..., at : at + width] for at, tap in enumerate(taps))
    assert isinstance(blurred, Tensor)
    return blurred


def composition_loss(
    predicted: Tensor, true: Tensor, foreground: Tensor, background: Tensor
) -> Tensor:
    """√(d² + ε), the mean over pixels and channels, d between two composites (GFM Eq. 8).

    One is of the predicted alpha, the other of the true one: the image itself as long as its
    colours are not changed afterwards.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        foreground: (B, 3, H, W) RGB in [0, 1].
        background: (B, 3, H, W).
    """
    difference = (predicted - true) * (foreground - background)
    return torch.sqrt(difference.square() + L1_EPSILON).mean()


def gradient_loss(predicted: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Mean difference of forward differences, in x and y, over the weighted pixels.

    Sharpens edges that the L1 term alone leaves soft. Our addition to GFM's losses.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        weight: (B, 1, H, W), 1 where a pixel counts.
    """
    difference = predicted - true
    across = (difference[..., :, 1:] - difference[..., :, :-1]).abs() * weight[..., :, 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :]
    return (across.sum() + down.sum()) / (weight.sum() + 1)
