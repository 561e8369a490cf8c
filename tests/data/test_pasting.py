"""Subjects and things pasted in front of a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from animatte.compositing import composite
from animatte.data.augmentation import Generator
from animatte.data.composed import Account, Composed
from animatte.data.composition import Layers, Subject, layered
from animatte.data.pasting import Patch, in_front_of, inside, pasted, pasted_layers, placed
from animatte.data.pictures import Plane
from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample

SHAPE = (12, 9)
SIZE = (96, 128)
SEEDS = st.integers(0, 2**32 - 1)


def random_layers(rng: Generator) -> Layers:
    alpha = np.clip(rng.normal(0.5, 0.8, SHAPE), 0, 1).astype(np.float32)
    colours, behind = rng.random((2, *SHAPE, 3), np.float32)
    return layered(Subject(colours, alpha), behind)


def random_patch(rng: Generator, is_subject: bool) -> Patch:
    alpha = np.clip(rng.normal(0.5, 0.8, SHAPE), 0, 1).astype(np.float32)
    return Patch(rng.random((*SHAPE, 3), np.float32), alpha, is_subject)


@given(seed=SEEDS, is_subject=st.booleans())
def test_layers_with_something_in_front_composite_to_the_picture_with_it(
    seed: int, is_subject: bool
) -> None:
    rng = np.random.default_rng(seed)
    layers, patch = random_layers(rng), random_patch(rng, is_subject)
    after = pasted_layers(layers, patch)
    made = composite(after.foreground, after.background, after.alpha)
    assert np.abs(made - after.image).max() < 1e-5
    image, alpha = pasted(layers.image, layers.alpha, patch)
    np.testing.assert_array_equal(levels(after.alpha, 8), levels(alpha, 8))
    np.testing.assert_array_equal(unit_pixels(levels(after.alpha, 8)), after.alpha)
    assert np.abs(after.image - image).max() < 0.51 / 255  # as alpha is rounded


@pytest.mark.parametrize("is_subject", [True, False])
def test_layers_that_are_estimated_leave_a_photo_as_it_is_beside_what_is_pasted(
    is_subject: bool,
) -> None:
    rng = np.random.default_rng(3)
    estimated = random_layers(rng)._replace(image=rng.random((*SHAPE, 3), np.float32))
    patch = random_patch(rng, is_subject)
    after = pasted_layers(estimated, patch)
    clear = patch.alpha == 0
    assert clear.sum() > 10
    assert np.abs(after.image - estimated.image)[clear].max() < 0.51 / 255


def test_a_subject_in_front_is_added_and_a_thing_in_front_hides() -> None:
    rng = np.random.default_rng(0)
    layers = random_layers(rng)
    opaque = Patch(np.zeros((*SHAPE, 3), np.float32), np.ones(SHAPE, np.float32), True)
    image, alpha = pasted(layers.image, layers.alpha, opaque)
    assert (image == 0).all()
    assert (alpha == 1).all()
    image, alpha = pasted(layers.image, layers.alpha, opaque._replace(is_subject=False))
    assert (image == 0).all()
    assert (alpha == 0).all()


def disc(at: tuple[int, int], radius: int = 54) -> Plane:
    alpha = np.zeros((180, 240), np.uint8)
    cv2.circle(alpha, at, radius, 255, -1)
    return alpha


def shown(alpha: Plane, seed: int) -> Plane:
    view = placed(alpha, SIZE, np.random.default_rng(seed))
    assert view is not None
    return levels(unit_pixels(view.of(alpha)) * inside(view, alpha.shape), 8)


@pytest.mark.parametrize(
    ("at", "cut"),
    [((120, 179), "bottom"), ((120, 0), "top"), ((0, 90), "side"), ((239, 90), "side")],
)
@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_where_a_subject_is_cut_off_it_lies_at_the_views_edge(
    at: tuple[int, int], cut: str, seed: int
) -> None:
    alpha = shown(disc(at), seed)
    edges = {
        "bottom": alpha[-1].max(),
        "top": alpha[0].max(),
        "side": max(alpha[:, 0].max(), alpha[:, -1].max()),
    }
    assume(alpha.max() == 255)
    assert edges[cut] > 127


@given(seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_a_whole_subject_stays_round_and_of_a_size_that_can_be_seen(seed: int) -> None:
    alpha = shown(disc((120, 90)), seed)
    left, top, width, height = cv2.boundingRect(cv2.inRange(alpha, 128, 255))
    free = left > 0 and top > 0 and left + width < SIZE[1] and top + height < SIZE[0]
    assume(free)
    assert abs(width - height) <= 2
    assert 0.18 * SIZE[1] <= width <= 0.78 * SIZE[1]


def test_subjects_lie_anywhere_and_on_both_sides() -> None:
    half = disc((120, 90))
    half[:, 120:] = 0  # its right half is missing: which half is seen tells whether it is flipped
    lefts, flipped = set(), set()
    for seed in range(40):
        alpha = shown(half, seed)
        columns = (alpha > 127).sum(0)
        seen = np.flatnonzero(columns)
        lefts.add(int(seen[0]))
        flipped.add(bool(columns[seen[0]] > columns[seen[-1]]))
    assert len(lefts) > 15
    assert flipped == {True, False}


@pytest.mark.parametrize(
    "alpha",
    [
        np.zeros((180, 240), np.uint8),
        disc((120, 90), 5),
        np.full((180, 240), 255, np.uint8),
        cv2.line(np.zeros((180, 240), np.uint8), (0, 90), (239, 90), (255,), 60),
    ],
    ids=["empty", "tiny", "full", "from side to side"],
)
def test_what_cannot_be_placed_is_told(alpha: Plane) -> None:
    assert all(placed(alpha, SIZE, np.random.default_rng(seed)) is None for seed in range(20))


@given(seed=SEEDS, height=st.integers(20, 900), width=st.integers(20, 900))
@settings(max_examples=100, deadline=None)
def test_views_of_all_shapes_are_served(seed: int, height: int, width: int) -> None:
    tall = np.zeros((300, 200), np.uint8)
    tall[20:280, 80:120] = 255
    view = placed(tall, (height, width), np.random.default_rng(seed))
    if view is not None:
        assert view.size == (height, width)
        assert view.shrink >= 0.5
        assert np.isfinite(view.matrix).all()


@pytest.mark.parametrize("with_layers", [True, False])
def test_a_picture_for_the_network_and_its_layers_get_the_same_patch(with_layers: bool) -> None:
    rng = np.random.default_rng(1)
    layers = random_layers(rng)
    sample = Sample("cat", levels(layers.image, 8), levels(layers.alpha, 8))
    composed = Composed(sample, layers if with_layers else None, Account("cat", SHAPE, []))
    patch = random_patch(rng, True)
    after = in_front_of(composed, patch)
    image, alpha = pasted(layers.image, layers.alpha, patch)
    assert np.abs(after.sample.image.astype(int) - levels(image, 8)).max() <= 2
    assert np.abs(after.sample.alpha.astype(int) - levels(alpha, 8)).max() <= 2
    assert (after.layers is not None) == with_layers
