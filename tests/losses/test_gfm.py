"""Loss terms against values worked out by hand and plain implementations."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from animatte.losses import weighted_total
from animatte.losses.gfm import (
    alpha_l1_loss,
    composition_loss,
    gaussian_blurred,
    glance_cross_entropy,
    gradient_loss,
    laplacian_loss,
    laplacian_loss_published,
    published_blurred,
)


def test_a_sure_and_right_glance_costs_nothing() -> None:
    logits = torch.tensor([[[[20.0]], [[-20.0]], [[-20.0]]]])
    label = torch.zeros(1, 1, 1, dtype=torch.int64)
    assert glance_cross_entropy(logits, label).item() == pytest.approx(0, abs=1e-6)
    wrong = torch.ones(1, 1, 1, dtype=torch.int64)
    assert glance_cross_entropy(logits, wrong).item() == pytest.approx(40)


def test_alpha_l1_counts_the_weighted_pixels_only() -> None:
    predicted = torch.tensor([[[[0.5, 1.0, 0.0]]]])
    weight = torch.tensor([[[[1.0, 1.0, 0.0]]]])
    true = torch.tensor([[[[0.0, 1.0, 1.0]]]])
    assert alpha_l1_loss(predicted, true, weight).item() == pytest.approx(0.5 / 3, abs=1e-5)


def test_gaussian_blur_equals_a_convolution() -> None:
    image = torch.rand(2, 1, 9, 11)
    taps = torch.exp(-torch.arange(-2.0, 3.0).square() / 2)
    kernel = torch.outer(taps, taps)
    padded = functional.pad(image, (2, 2, 2, 2), mode="replicate")
    expected = functional.conv2d(padded, (kernel / kernel.sum())[None, None])
    torch.testing.assert_close(gaussian_blurred(image), expected)


def test_the_published_blur_equals_a_convolution_with_a_sum_of_gaussians() -> None:
    image = torch.rand(2, 1, 9, 11)
    squared = torch.exp(-torch.arange(-2.0, 3.0).square() / 2).square()
    kernel = squared[:, None] + squared[None, :]
    padded = functional.pad(image, (2, 2, 2, 2), mode="replicate")
    expected = functional.conv2d(padded, (kernel / kernel.sum())[None, None])
    torch.testing.assert_close(published_blurred(image), expected)


def test_the_published_laplacian_loss_sees_a_constant_offset_by_its_rest() -> None:
    alpha, weight = torch.rand(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    assert laplacian_loss_published(alpha, alpha).item() == 0
    assert laplacian_loss_published(alpha + 0.2, alpha).item() == pytest.approx(0.2, abs=1e-5)
    assert laplacian_loss_published(1 - alpha, alpha, weight).item() == 0


def test_laplacian_loss_of_equal_mattes_is_zero_and_a_constant_offset_is_unseen() -> None:
    alpha = torch.rand(1, 1, 64, 64)
    assert laplacian_loss(alpha, alpha).item() == 0
    assert laplacian_loss(alpha + 0.25, alpha).item() == pytest.approx(0, abs=1e-6)
    assert laplacian_loss(alpha.flip(3), alpha).item() > 0.1


def test_laplacian_loss_outside_the_weight_is_zero() -> None:
    alpha, weight = torch.rand(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    assert laplacian_loss(1 - alpha, alpha, weight).item() == 0


def test_gradient_loss_of_a_step_is_its_height_times_its_length() -> None:
    true = torch.zeros(1, 1, 4, 4)
    predicted = true.clone()
    predicted[..., 2:] = 0.5
    loss = gradient_loss(predicted, true, torch.ones_like(true))
    assert loss.item() == pytest.approx(4 * 0.5 / 17)


def test_a_total_weighs_its_terms_and_refuses_unknown_ones() -> None:
    terms = {"one": torch.tensor(1.0), "two": torch.tensor(2.0)}
    assert weighted_total(terms, {"one": 3, "two": 0.5}).item() == 4
    with pytest.raises(ValueError, match="three"):
        weighted_total(terms, {"three": 1})


def test_composition_loss_is_the_mean_difference_of_two_composites() -> None:
    true, predicted = torch.rand(2, 1, 1, 5, 7)
    foreground, background = torch.rand(2, 1, 3, 5, 7)
    composites = [alpha * foreground + (1 - alpha) * background for alpha in (true, predicted)]
    expected = (composites[0] - composites[1]).abs().mean()
    loss = composition_loss(predicted, true, foreground, background)
    torch.testing.assert_close(loss, expected)
    assert composition_loss(true, true, foreground, background).item() < 2e-6
