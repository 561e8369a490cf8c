"""RoSTa: a perfect glance and a perfect focus must give the true alpha back (GFM §3.3)."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from animatte.models.rosta import Rosta, collaborative_matting, soft_collaborative_matting
from animatte.trimap import dilated_foreground, eroded_foreground, trimap_from_alpha

Alpha = NDArray[np.float32]
EVERY_ROSTA = pytest.mark.parametrize("rosta", list(Rosta))


def random_alpha(seed: int, size: tuple[int, int] = (96, 120)) -> Alpha:
    """A blob with a soft border, plain 0 and 1 beyond, and a few loose soft hairs."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal(size), (0, 0), rng.uniform(4, 12))
    alpha = np.clip(noise / noise.std() * rng.uniform(0.5, 4) + 0.5, 0, 1)
    hairs = rng.random(size) < 0.002
    return np.where(hairs, rng.random(size), alpha).astype(np.float32)


def trimap_labels(alpha: Alpha) -> tuple[NDArray[np.intp], Alpha]:
    return np.searchsorted([0, 128, 255], trimap_from_alpha(alpha, kernel_size=25)), alpha


def foreground_labels(alpha: Alpha) -> tuple[NDArray[np.intp], Alpha]:
    foreground = eroded_foreground(alpha, kernel_size=50).astype(np.intp)
    return foreground, (alpha - foreground).astype(np.float32)


def background_labels(alpha: Alpha) -> tuple[NDArray[np.intp], Alpha]:
    rest = dilated_foreground(alpha, kernel_size=50).astype(np.intp)
    return rest, (rest - alpha).astype(np.float32)


LABELS: dict[Rosta, Callable[[Alpha], tuple[NDArray[np.intp], Alpha]]] = {
    Rosta.TT: trimap_labels,
    Rosta.FT: foreground_labels,
    Rosta.BT: background_labels,
}


def perfect(alpha: Alpha, rosta: Rosta) -> tuple[Tensor, Tensor]:
    """The one-hot glance and the focus that the labels ask for, (1, C, H, W) and (1, 1, H, W)."""
    label, focus = LABELS[rosta](alpha)
    glance = functional.one_hot(torch.from_numpy(label), rosta.num_classes)
    return glance.permute(2, 0, 1)[None].float(), torch.from_numpy(focus)[None, None]


@EVERY_ROSTA
@pytest.mark.parametrize("merge", [collaborative_matting, soft_collaborative_matting])
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_perfect_glance_and_perfect_focus_give_the_true_alpha(
    merge: Callable[[Tensor, Tensor, Rosta], Tensor], rosta: Rosta, seed: int
) -> None:
    alpha = random_alpha(seed)
    glance, focus = perfect(alpha, rosta)
    np.testing.assert_allclose(merge(glance, focus, rosta)[0, 0].numpy(), alpha, atol=1e-6)


@EVERY_ROSTA
def test_the_perfect_focus_lies_in_zero_to_one(rosta: Rosta) -> None:
    _, focus = perfect(random_alpha(3), rosta)
    assert focus.min() >= 0
    assert focus.max() <= 1


@EVERY_ROSTA
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_alpha_lies_in_zero_to_one_whatever_is_predicted(rosta: Rosta, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    glance = torch.rand(2, rosta.num_classes, 9, 7, generator=generator).softmax(dim=1)
    focus = torch.rand(2, 1, 9, 7, generator=generator)
    for merge in (collaborative_matting, soft_collaborative_matting):
        alpha = merge(glance, focus, rosta)
        assert alpha.shape == (2, 1, 9, 7)
        assert alpha.min() >= 0
        assert alpha.max() <= 1


@EVERY_ROSTA
def test_soft_merging_is_the_mean_of_hard_merging_over_the_classes(rosta: Rosta) -> None:
    probabilities = torch.rand(1, rosta.num_classes, 5, 6).softmax(dim=1)
    focus = torch.rand(1, 1, 5, 6)
    expected = torch.zeros_like(focus)
    for label in range(rosta.num_classes):
        certain = torch.zeros_like(probabilities)
        certain[:, label] = 1
        expected += probabilities[:, label : label + 1] * collaborative_matting(
            certain, focus, rosta
        )
    torch.testing.assert_close(soft_collaborative_matting(probabilities, focus, rosta), expected)


@EVERY_ROSTA
def test_soft_merging_teaches_the_glance_and_hard_merging_does_not(rosta: Rosta) -> None:
    logits = torch.rand(1, rosta.num_classes, 4, 4, requires_grad=True)
    focus = torch.full((1, 1, 4, 4), 0.3, requires_grad=True)
    soft = soft_collaborative_matting(logits.softmax(dim=1), focus, rosta).sum()
    (gradient,) = torch.autograd.grad(soft, logits)
    assert gradient.abs().max() > 0
    hard = collaborative_matting(logits.softmax(dim=1), focus, rosta).sum()
    assert torch.autograd.grad(hard, logits, allow_unused=True)[0] is None


def test_trimap_classes_are_background_transition_foreground() -> None:
    glance = torch.eye(3)[None, :, None]  # one pixel of each class
    focus = torch.full((1, 1, 1, 3), 0.25)
    alpha = collaborative_matting(glance, focus, Rosta.TT)
    assert alpha.flatten().tolist() == [0.0, 0.25, 1.0]


def test_foreground_adds_the_focus_and_background_takes_it_away() -> None:
    glance = torch.eye(2)[None, :, None]
    focus = torch.full((1, 1, 1, 2), 0.25)
    assert collaborative_matting(glance, focus, Rosta.FT).flatten().tolist() == [0.25, 1.0]
    assert collaborative_matting(glance, focus, Rosta.BT).flatten().tolist() == [0.0, 0.75]
