"""Things that a subject lies in or on."""

from __future__ import annotations

from itertools import starmap

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animatte.compositing import composite
from animatte.data.composition import Layers, Subject, layered
from animatte.data.nesting import Nest, drawn_nest, in_colours_of, nested
from animatte.foregrounds import Image

SIZE = (90, 120)
SEEDS = st.integers(0, 2**32 - 1)
BROWN, BLUE = (0.5, 0.35, 0.2), (0.1, 0.2, 0.8)


def plane(colour: tuple[float, float, float]) -> Image:
    return np.full((*SIZE, 3), colour, np.float32)


def subject(radius: int = 25) -> Subject:
    alpha = np.zeros(SIZE, np.float32)
    cv2.circle(alpha, (60, 45), radius, 1.0, -1, cv2.LINE_AA)
    return Subject(plane(BROWN), np.clip(alpha, 0, 1))


def stripes() -> Image:
    cover = plane(BLUE)
    cover[:, ::2] *= 0.5
    return cover


def nest_of(seed: int) -> Nest:
    nest = drawn_nest(subject(), stripes(), np.random.default_rng(seed))
    assert nest is not None
    return nest


@given(seed=SEEDS)
@settings(deadline=None)
def test_a_nest_reaches_beyond_the_subject_and_its_rim_leaves_most_of_it(seed: int) -> None:
    nest, alpha = nest_of(seed), subject().alpha
    for each in nest:
        assert each.dtype == np.float32
        assert each.min() >= 0
        assert each.max() <= 1
    assert (nest.behind * alpha).sum() > 0
    assert (nest.behind * (1 - alpha)).sum() > 0
    assert (nest.before <= nest.behind).all()
    assert (nest.before * alpha).sum() <= alpha.sum() / 2


def test_some_nests_have_a_rim_and_some_have_none() -> None:
    hides = [bool((nest_of(seed).before * subject().alpha).any()) for seed in range(40)]
    assert 8 < sum(hides) < 36


def test_most_nests_take_the_subjects_colours() -> None:
    nearer = [
        abs(nest_of(seed).colours.mean((0, 1)) - BROWN).max()
        < abs(nest_of(seed).colours.mean((0, 1)) - stripes().mean((0, 1))).max()
        for seed in range(60)
    ]
    assert 0.55 < np.mean(nearer) < 0.92


def test_colours_are_those_of_one_place_of_the_subject() -> None:
    colours = plane(BROWN)
    colours[:, 60:] = 0.9
    spotted = Subject(colours, subject().alpha)
    draw = np.random.default_rng(0)
    means = np.array([in_colours_of(stripes(), spotted, draw).mean((0, 1))[0] for _ in range(40)])
    assert means.min() < 0.55
    assert means.max() > 0.75


@pytest.mark.parametrize("radius", [0, 3])
def test_a_subject_that_is_hardly_there_lies_in_nothing(radius: int) -> None:
    small = Subject(plane(BROWN), subject(radius).alpha if radius else np.zeros(SIZE, np.float32))
    assert drawn_nest(small, stripes(), np.random.default_rng(0)) is None


@given(seed=SEEDS)
@settings(deadline=None, max_examples=30)
def test_layers_composite_to_the_picture_with_the_nest_behind(seed: int) -> None:
    layers, nest = layered(subject(), plane((0.9, 0.9, 0.9))), nest_of(seed)
    after = nested(layers, nest, darkened=0.7)
    np.testing.assert_array_equal(after.alpha, layers.alpha)
    made = composite(after.foreground, after.background, after.alpha)
    np.testing.assert_allclose(after.image, made, atol=1e-6)
    seen = (nest.behind == 1) & (layers.alpha == 0)
    np.testing.assert_allclose(after.image[seen], nest.colours[seen] * 0.7, atol=1e-6)


def test_a_photo_stays_as_it_is_where_the_nest_is_not_seen() -> None:
    rng = np.random.default_rng(5)
    estimated = layered(subject(), plane(BLUE))
    photo = Layers(rng.random((*SIZE, 3), np.float32), *estimated[1:])
    nest = nest_of(1)
    after = nested(photo, nest)
    hidden = (nest.behind == 0) | (photo.alpha == 1)
    np.testing.assert_allclose(after.image[hidden], photo.image[hidden], atol=1e-6)
    assert not np.allclose(after.image, photo.image)


def test_the_same_seed_draws_the_same_nest() -> None:
    assert all(starmap(np.array_equal, zip(nest_of(7), nest_of(7), strict=True)))
