"""Composites drawn from files: which layers are taken, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from animatte.data.adobe import CompositionPair
from animatte.data.augmentation import View
from animatte.data.composed import Composed
from animatte.data.composition import TRACKS, CompositionConfig
from animatte.data.compositor import Compositor
from animatte.data.folders import Pair, paired
from animatte.data.fur import FurConfig
from animatte.data.pictures import Backgrounds, PictureCache, Plane, Source
from animatte.images.arrays import unit_pixels

SIZE = (60, 80)
PLAIN = CompositionConfig(replaced=1, placement="fill", sharpness=0)
COLOURS = {"image": 100, "fg": 200, "fg_denoise": 220}


def write(path: Path, level: int, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), level, np.uint8))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    for number in range(3):
        for folder, level in COLOURS.items():
            write(tmp_path / f"{folder}/{number}.png", level + number)
        alpha = np.zeros(SIZE, np.uint8)
        cv2.circle(alpha, (30 + 10 * number, 30), 20, 255, -1)
        (tmp_path / "alpha").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"alpha/{number}.png"), cv2.blur(alpha, (5, 5)))
    files = {
        name: {str(number): tmp_path / f"{name}/{number}.png" for number in range(3)}
        for name in COLOURS
    }
    pairs = paired(tmp_path)
    return Source(pairs, 1, 1, foregrounds=files["fg"], denoised=files["fg_denoise"])


@pytest.fixture
def backgrounds(tmp_path: Path) -> Backgrounds:
    for name, level, size in (("big", 10, (120, 160)), ("small", 20, (30, 40))):
        write(tmp_path / f"plain/{name}.png", level, size)
    write(tmp_path / "plain_denoise/big.png", 12, (120, 160))
    write(tmp_path / "objects/dog.png", 30)
    return Backgrounds(
        [Pair(tmp_path / f"plain/{name}.png", None) for name in ("big", "small")],
        [Pair(tmp_path / "objects/dog.png", None)],
        {"big": tmp_path / "plain_denoise/big.png"},
    )


def whole(alpha: Plane, _: np.random.Generator) -> View:
    return View.whole(alpha.shape)


def drawn(
    source: Source, backgrounds: Backgrounds, config: CompositionConfig, count: int = 12
) -> list[Composed]:
    compositor = Compositor(backgrounds, config, FurConfig(), 0, PictureCache(10**8))
    return [
        compositor.composed(source, whole, np.random.default_rng(number)) for number in range(count)
    ]


def test_given_colours_are_taken_and_the_background_is_behind(
    source: Source, backgrounds: Backgrounds
) -> None:
    for sample, layers, account in drawn(source, backgrounds, PLAIN):
        assert layers is not None
        level = {"big": 10, "small": 20}[account.background or ""]
        assert (sample.image[sample.alpha == 0] == level).all()
        assert (sample.image[sample.alpha == 255] == 200 + int(account.foreground)).all()


def test_resolution_refuses_backgrounds_that_would_be_enlarged(
    source: Source, backgrounds: Backgrounds
) -> None:
    free, strict = (
        {each.account.background for each in drawn(source, backgrounds, config)}
        for config in (PLAIN, replace(PLAIN, resolution=1))
    )
    assert (free, strict) == ({"big", "small"}, {"big"})
    enlarged = {each.account.enlarged for each in drawn(source, backgrounds, PLAIN)}
    assert enlarged == {1.0, 2.0}


def test_semantic_chooses_between_backgrounds_without_and_with_objects(
    source: Source, backgrounds: Backgrounds
) -> None:
    for semantic, expected in ((1, {"big", "small"}), (0, {"dog"})):
        composites = drawn(source, backgrounds, replace(PLAIN, semantic=semantic))
        assert {each.account.background for each in composites} == expected
        assert {each.account.semantic for each in composites} == {bool(semantic)}


def test_denoised_layers_take_the_place_of_both(source: Source, backgrounds: Backgrounds) -> None:
    for sample, _, account in drawn(source, backgrounds, replace(PLAIN, denoised=1, resolution=1)):
        assert account.denoised
        assert (sample.image[sample.alpha == 0] == 12).all()
        assert (sample.image[sample.alpha == 255] == 220 + int(account.foreground)).all()


def test_stacked_subjects_make_the_foreground_larger(
    source: Source, backgrounds: Backgrounds
) -> None:
    alone, stacked = (
        drawn(source, backgrounds, replace(PLAIN, stacked=stacked)) for stacked in (0, 1)
    )
    assert all(each.account.behind is None for each in alone)
    assert all(each.account.behind is not None for each in stacked)
    areas = [
        np.mean([each.sample.alpha.mean() for each in several]) for several in (alone, stacked)
    ]
    assert areas[1] > 1.2 * areas[0]


@pytest.mark.parametrize("track", ["rssn", "coco", "dim", "views"])
def test_written_bytes_composite_within_a_level(
    source: Source, backgrounds: Backgrounds, track: str
) -> None:
    config = TRACKS[track]  # type: ignore[index]
    for sample, layers, _ in drawn(replace(source, fur=0.5), backgrounds, config):
        assert layers is not None
        alpha = sample.alpha[..., None] / 255
        front, back = (
            np.rint(255 * each.astype(float)) for each in (layers.foreground, layers.background)
        )
        assert np.abs(alpha * front + (1 - alpha) * back - sample.image).max() <= 1.001


def test_natural_pictures_stay_as_they_are(source: Source, backgrounds: Backgrounds) -> None:
    kept = replace(source, replaced=TRACKS["ori"].replaced)
    for sample, layers, account in drawn(kept, backgrounds, TRACKS["ori"]):
        assert layers is None
        assert account.background is None
        assert (sample.image == 100 + int(sample.name)).all()


def test_fur_on_a_kept_background_leaves_the_far_picture_alone(
    source: Source, backgrounds: Backgrounds
) -> None:
    furry = replace(source, replaced=0, fur=1, foregrounds={}, denoised={})
    for sample, layers, account in drawn(furry, backgrounds, PLAIN):
        assert layers is not None
        assert account.fur
        assert account.background is None
        outside = sample.alpha == 0
        assert outside.any()
        assert (sample.image[outside] == 100 + int(sample.name)).all()


def test_colours_of_another_size_are_refused(source: Source, backgrounds: Backgrounds) -> None:
    for path in source.foregrounds.values():
        write(path, 0, (61, 80))
    with pytest.raises(ValueError, match=r"61.80, its alpha 60.80"):
        drawn(source, backgrounds, PLAIN, 1)


@pytest.mark.parametrize("replaced", [0, 1])
def test_what_is_pasted_in_front_is_told_and_changes_the_alpha(
    source: Source, backgrounds: Backgrounds, replaced: int
) -> None:
    configs = {
        "alone": PLAIN,
        "pasted": replace(PLAIN, pasted=1),
        "hidden": replace(PLAIN, hidden=1),
    }
    several = {
        name: drawn(replace(source, replaced=replaced), backgrounds, config)
        for name, config in configs.items()
    }
    areas = {
        name: np.mean([each.sample.alpha.mean() for each in composed])
        for name, composed in several.items()
    }
    assert areas["hidden"] < areas["alone"] < areas["pasted"]
    assert all(each.account.pasted in {"0", "1", "2"} for each in several["pasted"])
    assert all(each.account.hidden_by in {"0", "1", "2"} for each in several["hidden"])
    assert all(
        each.account.pasted is None and each.account.hidden_by is None for each in several["alone"]
    )
    assert all((each.layers is not None) == bool(replaced) for each in several["pasted"])
    for composed in (*several["pasted"], *several["hidden"]):
        if composed.layers is not None:
            assert np.abs(unit_pixels(composed.sample.alpha) - composed.layers.alpha).max() < 0.01


def test_nothing_is_hidden_where_there_is_no_background(source: Source) -> None:
    for composed in drawn(replace(source, replaced=0), Backgrounds(), replace(PLAIN, hidden=1)):
        assert composed.account.hidden_by is None


@pytest.mark.parametrize("replaced", [0, 1])
def test_what_a_subject_lies_in_is_told_and_is_no_part_of_it(
    source: Source, backgrounds: Backgrounds, replaced: int
) -> None:
    source = replace(source, replaced=replaced)
    alone = drawn(source, backgrounds, PLAIN)
    inside = drawn(source, backgrounds, replace(PLAIN, nested=1))
    assert all(each.account.nested for each in inside)
    assert not any(each.account.nested for each in alone)
    areas = [np.mean([each.sample.alpha.mean() for each in several]) for several in (alone, inside)]
    assert 0.6 * areas[0] < areas[1] <= areas[0]
    for each in inside:
        assert each.layers is not None
        assert np.abs(unit_pixels(each.sample.alpha) - each.layers.alpha).max() < 0.01


def test_nothing_lies_in_anything_where_there_is_no_background(source: Source) -> None:
    for composed in drawn(replace(source, replaced=0), Backgrounds(), replace(PLAIN, nested=1)):
        assert not composed.account.nested


def test_views_without_a_subject_show_things_where_things_are_asked_for(
    source: Source, backgrounds: Backgrounds
) -> None:
    def with_things(hidden: float) -> float:
        config = replace(PLAIN, hidden=hidden)
        compositor = Compositor(backgrounds, config, FurConfig(), 0, PictureCache(0))
        views = [compositor.empty(source, 48, np.random.default_rng(seed)) for seed in range(80)]
        assert not any(view.alpha.any() for view in views)
        return float(np.mean([len(np.unique(view.image)) > 1 for view in views]))

    assert with_things(0) == 0
    # Half of them have one; in half of these it is of another colour than what is behind.
    assert 0.12 < with_things(0.01) < 0.38


def test_a_composite_that_is_made_when_it_is_read_gives_its_own_layers(
    source: Source, backgrounds: Backgrounds, tmp_path: Path
) -> None:
    write(tmp_path / "behind.png", 40, (200, 300))
    pairs = [
        CompositionPair(pair.image, pair.alpha, None, pair.image, tmp_path / "behind.png")
        for pair in source.pairs
    ]
    own = Source(pairs, 1, 0, foregrounds={pair.name: pair.image for pair in pairs})
    cache = PictureCache(10**8)
    compositor = Compositor(backgrounds, PLAIN, FurConfig(), 0, cache, own_layers=True)
    layers = compositor.composed(own, whole, np.random.default_rng(0)).layers
    assert layers is not None
    assert layers.background.shape == (*SIZE, 3)
    assert (layers.background == np.float32(40 / 255)).all()
