"""The stream of training examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from animatte.data.augmentation import ColourConfig, ViewConfig, random_view, recoloured
from animatte.data.dataset import ExampleConfig, ExampleStream, Request
from animatte.data.folders import Pair, paired
from animatte.data.pictures import Backgrounds, Source
from animatte.sample import Sample

PLAIN = ColourConfig(0, 0, 0, 0, 0, 0)


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    rng = np.random.default_rng(3)
    for index in range(4):
        alpha = np.zeros((90, 120), np.uint8)
        cv2.circle(alpha, (60, 45), 25 + index, 255, -1)
        image = np.where(alpha[..., None] > 0, 220, rng.integers(0, 60, (90, 120, 3)))
        for name, array in (("image", image.astype(np.uint8)), ("alpha", alpha)):
            (tmp_path / name).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / f"{name}/{index}.png"), array)
    return paired(tmp_path)


def stream(pairs: list[Pair], **changes: object) -> ExampleStream:
    replaced = float(str(changes.pop("replaced", 0)))
    config = ExampleConfig(colour=PLAIN, **changes)  # type: ignore[arg-type]
    backgrounds = Backgrounds([Pair(pair.image, None) for pair in pairs[:2]])
    return ExampleStream([Source(pairs, 1, replaced)], backgrounds, config, seed=1)


def test_a_position_gives_the_same_example_whatever_came_before(pairs: list[Pair]) -> None:
    request = Request(7, 64, (0.5, 1))
    fresh = stream(pairs)[request]
    used = stream(pairs)
    for position in range(5):
        used[Request(position, 64, (0.5, 1))]
    for name in ("image", "alpha", "label", "band"):
        assert np.array_equal(getattr(fresh, name), getattr(used[request], name))


def test_two_positions_give_two_examples(pairs: list[Pair]) -> None:
    examples = stream(pairs)
    first, second = (examples[Request(position, 64, (0.5, 1))] for position in (0, 1))
    assert not np.array_equal(first.image, second.image)


def test_image_alpha_and_label_stay_aligned(pairs: list[Pair]) -> None:
    examples = stream(pairs, transition_kernel=9, focus_kernel=15, empty=0.0)
    for position in range(20):
        example = examples[Request(position, 64, (0.5, 1))]
        assert example.image.shape == (3, 64, 64)
        inside, outside = example.label == 2, example.label == 0
        assert (example.image[:, inside] > 0.6).all()
        assert (example.image[:, outside] < 0.4).all()
        assert (example.alpha[0, inside] == 1).all()
        assert (example.alpha[0, outside] == 0).all()
        assert (example.band[0][example.label == 1] == 1).all()
        assert example.band.mean() > (example.label == 1).mean()


def test_a_replaced_background_leaves_the_subject_as_it_was(pairs: list[Pair]) -> None:
    kept, replaced = stream(pairs, empty=0.0), stream(pairs, empty=0.0, replaced=1)
    for position in range(10):
        request = Request(position, 64, (0.5, 1))
        before, after = kept[request], replaced[request]
        assert np.array_equal(before.alpha, after.alpha)
        sure = before.alpha[0] == 1
        assert np.abs(before.image - after.image)[:, sure].max(initial=0) < 0.02
    assert not np.array_equal(before.image, after.image)


def test_empty_examples_have_no_subject(pairs: list[Pair]) -> None:
    example = stream(pairs, empty=1.0)[Request(0, 64, (0.5, 1))]
    assert example.name == "empty"
    assert not example.alpha.any()
    assert not example.label.any()


def test_sources_are_drawn_by_their_weights(pairs: list[Pair]) -> None:
    sources = [Source(pairs[:1], 3, 0), Source(pairs[1:2], 1, 0)]
    examples = ExampleStream(sources, Backgrounds(), ExampleConfig(colour=PLAIN), seed=0)
    names = [examples[Request(position, 32, (0.5, 1))].name for position in range(200)]
    assert 0.65 < names.count(pairs[0].name) / 200 < 0.85


def test_a_view_of_the_whole_keeps_the_whole() -> None:
    image = np.random.default_rng(0).integers(0, 255, (50, 50, 3)).astype(np.uint8)
    sample = Sample("a", image, image[..., 0])
    config = ViewConfig(scale=(1, 1), centred=0, aspect=1, tilt=0, turned=0)
    view = random_view(sample, 50, config, np.random.default_rng(0))
    assert np.array_equal(view.image, image) or np.array_equal(view.image, image[:, ::-1])
    assert np.array_equal(view.alpha, view.image[..., 0])


@pytest.mark.parametrize("change", ["jitter", "grey", "dark", "noise", "jpeg", "blur"])
def test_every_change_of_colour_changes_and_stays_in_range(change: str) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((32, 32, 3)).astype(np.float32)
    result = recoloured(image, ColourConfig(**{**vars(PLAIN), change: 1.0}), rng)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.abs(result - image).mean() > 0.005
    assert np.array_equal(recoloured(image, PLAIN, rng), image)


def test_a_grey_picture_has_equal_channels() -> None:
    image = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    grey = recoloured(image, ColourConfig(0, 1, 0, 0, 0, 0), np.random.default_rng(0))
    assert np.ptp(grey, axis=2).max() < 1e-6


def test_layers_and_a_wide_label_come_only_where_they_are_asked_for(pairs: list[Pair]) -> None:
    request = Request(3, 64, (0.5, 1))
    without = stream(pairs, empty=0.0)[request]
    assert (without.foreground.size, without.background.size, without.wide_label.size) == (0, 0, 0)
    asked = stream(pairs, layers=True, empty=0.0, wide_kernel=41, transition_kernel=9)[request]
    assert np.array_equal(asked.image, without.image)
    assert asked.foreground.shape == asked.background.shape == (3, 64, 64)
    assert (asked.wide_label == 1).sum() > (asked.label == 1).sum()
    assert ((asked.wide_label == 2) <= (asked.label == 2)).all()


@pytest.mark.parametrize(("replaced", "empty"), [(0, 0.0), (1, 0.0), (0, 1.0)])
def test_layers_make_the_image_that_they_come_with(
    pairs: list[Pair], replaced: int, empty: float
) -> None:
    examples = stream(pairs, layers=True, replaced=replaced, empty=empty)
    for position in range(6):
        example = examples[Request(position, 64, (0.5, 1))]
        composite = example.alpha * example.foreground + (1 - example.alpha) * example.background
        assert np.abs(composite - example.image).max() < 0.01
        # Not the trivial layers: they differ where the alpha could be wrong.
        assert np.abs(example.foreground - example.background).mean() > 0.05


def test_layers_of_a_photo_are_its_files_where_it_has_them(
    pairs: list[Pair], tmp_path: Path
) -> None:
    (tmp_path / "bg").mkdir()
    for pair in pairs:
        cv2.imwrite(str(tmp_path / f"bg/{pair.name}.png"), np.full((90, 120, 3), 7, np.uint8))
    given = [replace(pair, background=tmp_path / f"bg/{pair.name}.png") for pair in pairs]
    example = stream(given, layers=True)[Request(0, 64, (0.5, 1))]
    assert np.allclose(example.background, 7 / 255)
