"""What is done to foregrounds and backgrounds: the composition equation holds throughout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animatte.compositing import composite
from animatte.data.composition import (
    TRACKS,
    CompositionConfig,
    Generator,
    Layers,
    Subject,
    drawn_blur,
    layered,
    noisy,
    out_of_focus,
    partners,
    stacked_subjects,
)

SEEDS = st.integers(0, 2**32 - 1)


def subject(rng: Generator, shape: tuple[int, int] = (12, 9)) -> Subject:
    """A subject with much of alpha at 0 and at 1."""
    alpha = np.clip(rng.normal(0.5, 0.8, shape), 0, 1).astype(np.float32)
    return Subject(rng.random((*shape, 3), np.float32), alpha)


def background(rng: Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return rng.random((12, 9, 3), np.float32)


def error(layers: Layers) -> float:
    """Greatest |αF + (1-α)B - I|, in double precision."""
    alpha = layers.alpha[..., None].astype(float)
    made = alpha * layers.foreground + (1 - alpha) * layers.background
    return float(np.abs(made - layers.image).max())


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, sigma=st.floats(0, 80), stacked=st.booleans(), boxes=st.booleans())
def test_the_composition_equation_holds_after_every_step(
    seed: int, sigma: float, stacked: bool, boxes: bool
) -> None:
    rng = np.random.default_rng(seed)
    front, behind = subject(rng), background(rng)
    assert error(layered(front, behind)) <= 1e-6
    if stacked:
        front = stacked_subjects(front, subject(rng))
        assert error(layered(front, behind)) <= 1e-6
    config = TRACKS["rssn"] if boxes else CompositionConfig()
    behind = out_of_focus(behind, config, 4.0, drawn_blur(config, rng))
    assert error(layered(front, behind)) <= 1e-6
    layers = layered(*noisy(front, behind, sigma, rng))
    assert error(layers) <= 1e-6
    for plane in layers:
        assert plane.dtype == np.float32
        assert 0 <= plane.min() <= plane.max() <= 1


@given(seed=SEEDS)
def test_two_stacked_subjects_composite_as_one_after_the_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    front, back, behind = subject(rng), subject(rng), background(rng)
    one_by_one = composite(
        front.foreground, composite(back.foreground, behind, back.alpha), front.alpha
    )
    assert np.abs(layered(stacked_subjects(front, back), behind).image - one_by_one).max() < 1e-5


def test_noise_is_the_same_on_both_layers_and_has_the_strength_asked_for() -> None:
    rng = np.random.default_rng(0)
    grey = np.full((200, 200, 3), 0.5, np.float32)
    half = Subject(grey + np.float32(0.1), np.full((200, 200), 0.5, np.float32))
    after, behind = noisy(half, grey, 10, rng)
    first, second = after.foreground - half.foreground, behind - grey
    assert np.abs(first - second).max() < 1e-6
    assert np.std(first) * 255 == pytest.approx(10, rel=0.02)
    image = layered(after, behind).image - layered(half, grey).image
    assert np.std(image) * 255 == pytest.approx(10, rel=0.02)


def test_noise_on_black_and_white_does_not_wrap_round() -> None:
    rng = np.random.default_rng(0)
    black = np.zeros((50, 50, 3), np.float32)
    white = Subject(black + 1, np.ones((50, 50), np.float32))
    after, behind = noisy(white, black, 10, rng)
    assert after.foreground.min() > 0.8
    assert behind.max() < 0.2


def test_the_box_is_measured_in_pixels_of_the_picture() -> None:
    line = np.zeros((1, 101, 3), np.float32)
    line[0, 50] = 1
    config = TRACKS["rssn"]
    whole, shrunk = (out_of_focus(line, config, shrink, 20) for shrink in (1, 4))
    assert [np.count_nonzero(line[..., 0]) for line in (whole, shrunk)] == [20, 5]


def test_foregrounds_meet_as_many_backgrounds_as_asked_for_and_not_their_own_number() -> None:
    config = TRACKS["rssn"]
    met = [partners(number, 40, config, seed=0) for number in range(40)]
    assert {len(set(each.tolist())) for each in met} == {5}
    assert sum(number in each for number, each in enumerate(met)) < 15
    assert len({tuple(each) for each in met}) == 40
    again = partners(7, 40, config, seed=0)
    assert again.tolist() == met[7].tolist() != partners(7, 40, config, seed=1).tolist()
    assert len(partners(0, 3, config, 0)) == 3
    assert len(partners(0, 3, CompositionConfig(), 0)) == 3


def test_rssn_has_the_published_switches() -> None:
    rssn = TRACKS["rssn"]
    assert (rssn.sharpness, rssn.denoised, rssn.noise, rssn.noise_sigma) == (0.5, 0.5, 0.5, 10)
    assert (rssn.num_backgrounds, rssn.boxes) == (5, (20, 30, 40, 50, 60))
    assert TRACKS["coco"].semantic == TRACKS["coco"].noise == TRACKS["ori"].replaced == 0
