from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.images import photo_from_array
from animatte.video.frames import Frame
from animatte.video.stabilisation import (
    STABILISERS,
    MattedFrame,
    Steady,
    is_scene_cut,
    named_stabiliser,
    reduced_view,
)

SIZE = (96, 128)


def texture(seed: int, shift: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (24, 48, 3), np.uint8)
    large = cv2.resize(noise, (256, 96), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[:, 40 + shift : 40 + shift + SIZE[1]])


def matted(number: int, alpha: NDArray[np.float32], pixels: NDArray[np.uint8]) -> MattedFrame:
    photo = photo_from_array(pixels)
    return MattedFrame(Frame(number, 1, photo), alpha, reduced_view(photo.image))


def disc(shift: int = 0) -> NDArray[np.float32]:
    plane = np.zeros(SIZE, np.uint8)
    cv2.circle(plane, (64 - shift, 48), 24, 255, -1, cv2.LINE_AA)
    return np.asarray(plane / 255, np.float32)


def flickering(count: int, step: int = 0) -> Iterator[MattedFrame]:
    """A disc on a texture, both moving, whose alpha loses a half in every third frame."""
    for number in range(count):
        alpha = disc(number * step) * np.float32(0.5 if number % 3 == 1 else 1)
        yield matted(number, alpha, texture(0, number * step))


def flicker(alphas: list[NDArray[np.float32]], step: int) -> float:
    """Mean error of the change from frame to frame."""
    truth = [disc(number * step) for number in range(len(alphas))]
    return float(
        np.mean([
            np.abs((alphas[k + 1] - alphas[k]) - (truth[k + 1] - truth[k])).mean()
            for k in range(len(alphas) - 1)
        ])
    )  # fmt: skip


@pytest.mark.parametrize("name", ["flow", "delay"])
@pytest.mark.parametrize("step", [0, 2])
def test_flicker_becomes_less_for_what_stands_and_for_what_moves(name: str, step: int) -> None:
    before = flicker([item.alpha for item in flickering(9, step)], step)
    after = flicker([item.alpha for item in STABILISERS[name](flickering(9, step), None)], step)
    assert after < (0.5 if name == "flow" else 0.9) * before


def test_what_moves_is_not_smeared() -> None:
    items = (matted(k, disc(3 * k), texture(0, 3 * k)) for k in range(8))
    *_, last = STABILISERS["flow"](items, None)
    assert np.abs(last.alpha - disc(21)).mean() < 0.01


def test_a_subject_that_fills_the_picture_stays_whole_while_it_moves() -> None:
    whole = np.ones(SIZE, np.float32)
    items = (matted(k, whole, texture(0, 3 * k)) for k in range(8))
    assert all(item.alpha.min() == 1 for item in STABILISERS["flow"](items, None))


def test_none_leaves_every_alpha_as_it_is() -> None:
    result = list(STABILISERS["none"](flickering(4), None))
    assert all(
        np.array_equal(one.alpha, other.alpha)
        for one, other in zip(result, flickering(4), strict=True)
    )


@pytest.mark.parametrize("name", STABILISERS)
def test_every_frame_comes_out_once_and_in_order(name: str) -> None:
    numbers = [item.frame.pts for item in STABILISERS[name](flickering(7), None)]
    assert numbers == list(range(7))


@pytest.mark.parametrize("name", STABILISERS)
def test_a_film_without_frames_gives_none(name: str) -> None:
    assert list(STABILISERS[name](iter(()), None)) == []


@pytest.mark.parametrize("name", ["flow", "delay"])
def test_nothing_is_carried_over_a_cut(name: str) -> None:
    empty = np.zeros(SIZE, np.float32)
    before = [matted(k, disc(), np.full((*SIZE, 3), 30, np.uint8)) for k in range(3)]
    after = [matted(k, empty, texture(5)) for k in range(3, 6)]
    result = list(STABILISERS[name](iter(before + after), None))
    assert [item.is_cut for item in result] == [False, False, False, True, False, False]
    assert result[3].alpha.max() == 0
    assert np.array_equal(result[2].alpha, disc())


@pytest.mark.parametrize("name", ["flow", "delay"])
def test_going_on_from_what_remains_gives_what_an_unbroken_run_gives(name: str) -> None:
    whole = list(STABILISERS[name](flickering(9, 2), None))
    rest = list(flickering(9, 2))[5:]
    remains = Steady(whole[4].view, whole[4].alpha)
    resumed = list(STABILISERS[name](iter(rest), remains))
    for one, other in zip(whole[5:], resumed, strict=True):
        assert np.array_equal(one.alpha, other.alpha)


def test_the_delay_mends_the_frame_between_two_that_agree_and_not_the_last_one() -> None:
    one, half = disc(), disc() * np.float32(0.5)
    items = [matted(k, alpha, texture(0)) for k, alpha in enumerate([one, half, one, half])]
    result = [item.alpha for item in STABILISERS["delay"](iter(items), None)]
    assert np.abs(result[1] - one).max() <= 0.1
    assert np.array_equal(result[3], half)


def test_a_pan_is_no_cut_and_another_scene_is_one() -> None:
    first, panned = (reduced_view(photo_from_array(texture(0, k)).image) for k in (0, 12))
    other = reduced_view(photo_from_array(255 - texture(3) // 4).image)
    assert not is_scene_cut(first, panned)
    assert is_scene_cut(first, other)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (12, 15)])
def test_tiny_frames_are_taken(size: tuple[int, int]) -> None:
    pixels = np.zeros((*size, 3), np.uint8)
    items = [matted(k, np.full(size, k / 3, np.float32), pixels) for k in range(3)]
    result = list(STABILISERS["flow"](iter(items), None))
    assert all(item.alpha.shape == size for item in result)


def test_an_unknown_way_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'warp' is unknown; choose one of flow, delay, none"):
        named_stabiliser("warp")


def test_what_moves_into_the_picture_leaves_no_line_behind() -> None:
    """Nothing can be carried there, and beside it most is: one must fade into the other."""
    items = (
        matted(number, np.full(SIZE, number, np.float32), texture(0, number * 2))
        for number in range(2)
    )
    last = list(STABILISERS["flow"](items, None))[-1].alpha
    assert last.min() < 0.5
    assert np.abs(np.diff(last.mean(axis=0))).max() < 0.25
