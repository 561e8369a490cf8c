"""GFM's loss terms (Li et al. 2022, section 3.5), and one of our own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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
    """√(d² + ε) over a picture's weighted pixels, divided by their weight + 1 (GFM Eq. 6).

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        weight: (B, 1, H, W), 1 where a pixel counts, 0 where it does not.
    """
    difference = torch.sqrt((predicted - true).square() + L1_EPSILON)
    return _weighted_mean(difference * weight, weight)


def laplacian_loss(predicted: Tensor, true: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over five pyramid levels of the mean difference of the Laplacians (GFM Eq. 7).

    Args:
        predicted: (B, 1, H, W); both sides at least 32.
        true: (B, 1, H, W).
        weight: (B, 1, H, W) multiplies both before the pyramid; None for the whole image.
    """
    *bands, _ = laplacian_pyramid(_weighted_difference(predicted, true, weight), gaussian_blurred)
    return torch.stack([level.abs().mean() for level in bands]).sum()


def laplacian_loss_published(
    predicted: Tensor, true: Tensor, weight: Tensor | None = None
) -> Tensor:
    """The same as GFM's program computes it (its core/evaluate.py).

    Its kernel is no product of two Gaussians but their sum, and what the pyramid leaves over counts
    as a sixth level, so that a constant offset is seen.

    Args:
        predicted: (B, 1, H, W); both sides at least 32.
        true: (B, 1, H, W).
        weight: (B, 1, H, W) multiplies both before the pyramid; None for the whole image.
    """
    levels = laplacian_pyramid(_weighted_difference(predicted, true, weight), published_blurred)
    return torch.stack([level.abs().mean() for level in levels]).sum()


def laplacian_pyramid(image: Tensor, blurred: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Return `PYRAMID_LEVELS` band-pass levels of (B, 1, H, W), finest first, and the rest."""
    levels = []
    for _ in range(PYRAMID_LEVELS):
        smooth = blurred(image)
        levels.append(image - smooth)
        image = functional.avg_pool2d(smooth, 2)
    return [*levels, image]


def gaussian_blurred(image: Tensor) -> Tensor:
    """Blur (B, 1, H, W) by a 5×5 Gaussian of σ 1, edges replicated."""
    taps = _gaussian_taps(1 / 2)
    return _blurred(image, taps, taps)


def published_blurred(image: Tensor) -> Tensor:
    """Blur (B, 1, H, W) by GFM's program's 5×5 kernel, g(x) + g(y) with g(d) = exp(-d²)."""
    taps, flat = _gaussian_taps(1.0), [1 / 5] * 5
    return (_blurred(image, taps, flat) + _blurred(image, flat, taps)) / 2


def _gaussian_taps(steepness: float) -> list[float]:
    weights = [math.exp(-steepness * offset * offset) for offset in range(-2, 3)]
    return [weight / sum(weights) for weight in weights]


def _blurred(image: Tensor, down: Sequence[float], across: Sequence[float]) -> Tensor:
    """Convolve (B, 1, H, W) with five taps each way, edges replicated.

    Shifted sums, since a convolution of one channel is many times slower, backward above all.
    """
    height, width = image.shape[-2:]
    padded = functional.pad(image, (2, 2, 2, 2), mode="replicate")
    rows = sum(tap * padded[..., at : at + height, :] for at, tap in enumerate(down))
    assert isinstance(rows, Tensor)
    blurred = sum(tap * rows[..., at : at + width] for at, tap in enumerate(across))
    assert isinstance(blurred, Tensor)
    return blurred


def _weighted_difference(predicted: Tensor, true: Tensor, weight: Tensor | None) -> Tensor:
    """Pyramids are linear, so one of this serves for two."""
    difference = predicted - true
    return difference if weight is None else difference * weight


def composition_loss(
    predicted: Tensor, true: Tensor, foreground: Tensor, background: Tensor
) -> Tensor:
    """√(d² + ε), the mean over pixels and channels, d between two composites (GFM Eq. 8).

    One is of the predicted alpha, the other of the true one: the image itself as long as its
    colours are not changed afterwards. GFM's program adds the channels up, so that its loss is
    three times this one.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        foreground: (B, 3, H, W) RGB in [0, 1].
        background: (B, 3, H, W).
    """
    difference = (predicted - true) * (foreground - background)
    return torch.sqrt(difference.square() + L1_EPSILON).mean()


def gradient_loss(predicted: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Mean difference of forward differences, in x and y, over a picture's weighted pixels.

    Sharpens edges that the L1 term alone leaves soft. Our addition to GFM's losses.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        weight: (B, 1, H, W), 1 where a pixel counts.
    """
    difference = predicted - true
    across = (difference[..., :, 1:] - difference[..., :, :-1]).abs() * weight[..., :, 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :]
    return _weighted_mean(across, weight) + _weighted_mean(down, weight)


def _weighted_mean(weighted: Tensor, weight: Tensor) -> Tensor:
    """Mean over pictures of each one's sum, divided by its weight + 1."""
    return (weighted.flatten(1).sum(dim=1) / (weight.flatten(1).sum(dim=1) + 1)).mean()
