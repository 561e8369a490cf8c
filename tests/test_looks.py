"""Looks at a photo by a network whose weaknesses are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from animatte.confidence import Signs
from animatte.looks import (
    Aspect,
    Looks,
    Matte,
    Seen,
    parsed_aspect,
    parsed_straighten,
    parsed_zoom,
)
from animatte.looks import matte as matte_by_looks
from animatte.turning import turned

Array = NDArray[np.float32]


def matte(
    image: Array, look: Callable[[Array], Array], sketch: Callable[[Array], Array], looks: Looks
) -> Matte:
    """Of a look that discloses no signs of error."""
    return matte_by_looks(image, lambda seen: Seen(look(seen)), sketch, looks)


def scene(height: int = 120, width: int = 160) -> Array:
    """A red block in the middle; green grows downwards."""
    image = np.zeros((height, width, 3), np.float32)
    image[:, :, 1] = np.linspace(0, 1, height)[:, None]
    image[height // 4 : -height // 4, width // 3 : -width // 3, 0] = 1
    return image


def red(image: Array) -> Array:
    return image[:, :, 0].copy()


def only_upright(image: Array) -> Array:
    """Finds red where green is below; otherwise is in doubt of everything."""
    upper, lower = image[: len(image) // 2, :, 1].mean(), image[len(image) // 2 :, :, 1].mean()
    upright = lower - upper > 0.3
    return red(image) if upright else np.full(image.shape[:2], 0.3, np.float32)


def only_large(image: Array) -> Array:
    """Sees red clearly where it fills a tenth of what is shown, else faintly."""
    return red(image) * np.float32(1 if image[:, :, 0].mean() > 0.1 else 0.5)


def counted(look: Callable[[Array], Array]) -> tuple[Callable[[Array], Array], list[int]]:
    sizes: list[int] = []

    def counting(image: Array) -> Array:
        sizes.append(image.size)
        return look(image)

    return counting, sizes


@pytest.mark.parametrize("when", ["auto", "always"])
@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_photo_on_its_side_is_found_as_if_it_stood(when: str, degrees: int) -> None:
    image = turned(scene(), degrees)
    looks = Looks(straighten=parsed_straighten(when))
    found = matte(image, only_upright, only_upright, looks)
    assert found.turned == (-degrees if degrees != 180 else 180)
    np.testing.assert_array_equal(found.alpha, red(image))
    assert matte(image, only_upright, only_upright, Looks()).alpha.max() < 0.5


def test_auto_costs_nothing_where_the_first_look_is_sure() -> None:
    look, looked = counted(only_upright)
    sketch, sketched = counted(only_upright)
    small = scene()
    small[:, :, 0] = 0
    small[50:70, 70:90, 0] = 1
    assert matte(small, look, sketch, Looks(straighten="auto")).turned == 0
    assert (len(looked), sketched) == (1, [])
    matte(small, look, sketch, Looks(straighten="always"))
    assert len(sketched) >= 8


@settings(max_examples=30, deadline=None)  # up to a dozen looks each
@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.one_of(st.sampled_from(["never", "auto", "always"]), st.floats(-180, 180)),
    st.sampled_from(["never", "auto", "always"]),
)
def test_a_matte_that_is_everywhere_alike_comes_back_whatever_is_done(
    height: int, width: int, straighten: object, zoom: str
) -> None:
    def even(image: Array) -> Array:
        return np.full(image.shape[:2], 0.75, np.float32)

    image = np.random.default_rng(0).random((height, width, 3), np.float32)
    looks = Looks(parsed_straighten(str(straighten)), parsed_zoom(zoom), Aspect(4, 3))
    found = matte(image, even, even, Looks(looks.straighten, looks.zoom))
    assert found.alpha.shape == (height, width)
    np.testing.assert_allclose(found.alpha, 0.75, atol=1e-3)


def test_a_turn_by_degrees_needs_no_search() -> None:
    sketch, sketched = counted(only_upright)
    image = turned(scene(), 90)
    found = matte(image, only_upright, sketch, Looks(straighten=-90.0))
    np.testing.assert_array_equal(found.alpha, red(image))
    assert sketched == []
    tilted = matte(turned(scene(), -20), only_upright, sketch, Looks(straighten=20))
    assert tilted.turned == 20
    assert tilted.alpha[60, 80] > 0.99


def test_a_second_look_sees_what_the_first_saw_faintly() -> None:
    image = np.zeros((200, 300, 3), np.float32)
    image[40:60, 50:80, 0] = 1
    image[150:170, 200:220, 0] = 1
    look, looked = counted(only_large)
    found = matte(image, look, only_large, Looks(zoom="auto"))
    np.testing.assert_array_equal(found.alpha, red(image))
    assert (len(looked), len(found.zoomed)) == (3, 2)
    assert found.as_dict()["zoomed"] == [list(box) for box in found.zoomed]


def test_zoom_costs_nothing_where_the_subject_is_large_or_missing() -> None:
    look, looked = counted(only_large)
    large = scene()
    large[10:110, 20:140, 0] = 1
    assert matte(large, look, only_large, Looks(zoom="auto")).zoomed == ()
    empty = matte(np.zeros((50, 60, 3), np.float32), look, only_large, Looks(zoom="always"))
    assert empty.alpha.max() == 0
    assert len(looked) == 2


def test_small_subjects_of_a_lying_photo_are_turned_in_their_crops_too() -> None:
    upright = scene(240, 320)
    upright[:, :, 0] = 0
    upright[100:140, 150:200, 0] = 1
    image = turned(upright, 90)

    def weak(picture: Array) -> Array:
        upper, lower = np.array_split(picture[:, :, 1], 2)
        stands = lower.mean() - upper.mean() > 0.05
        return only_large(picture) if stands else np.full(picture.shape[:2], 0.3, np.float32)

    found = matte(image, weak, weak, Looks(straighten="auto", zoom="auto"))
    assert (found.turned, len(found.zoomed)) == (-90, 1)
    np.testing.assert_array_equal(found.alpha, red(image))


def test_signs_are_those_of_the_looks_that_the_matte_is_made_of() -> None:
    """Each look's sign is its number: of a turned photo the first look is not among them."""
    looked = 0

    def look(image: Array) -> Seen:
        nonlocal looked
        looked += 1
        return Seen(only_upright(image), Signs(float(looked), 0.0))

    lying = turned(scene(), 90)
    found = matte_by_looks(lying, look, only_upright, Looks(straighten="auto"))
    assert [each.confusion for each in found.signs] == [2]
    looked = 0
    small = scene(240, 320)
    small[:, :, 0] = 0
    small[100:140, 150:200, 0] = 1
    found = matte_by_looks(small, look, only_upright, Looks(zoom="auto"))
    assert [each.confusion for each in found.signs] == [1, 2]
    assert matte(small, red, red, Looks(zoom="auto")).signs == ()


@pytest.mark.parametrize(
    ("size", "aspect", "seen"),
    [
        ((64, 64), "16:9", (64, 114)),
        ((64, 64), "9:16", (114, 64)),
        ((50, 100), "2:1", (50, 100)),
        ((50, 100), "1:1", (100, 100)),
    ],
)
def test_a_squeezed_photo_is_shown_in_its_proportions(
    size: tuple[int, int], aspect: str, seen: tuple[int, int]
) -> None:
    shown = []

    def look(image: Array) -> Array:
        shown.append(image.shape[:2])
        return red(image)

    image = scene(*size)
    found = matte(image, look, look, Looks(aspect=parsed_aspect(aspect)))
    assert shown == [seen]
    assert found.alpha.shape == size
    assert np.abs(found.alpha - red(image)).mean() < 0.03
    assert found.as_dict()["aspect"] == aspect


def test_crops_of_a_squeezed_photo_are_told_in_its_own_pixels() -> None:
    image = np.zeros((200, 200, 3), np.float32)
    image[80:110, 90:120, 0] = 1
    found = matte(image, only_large, only_large, Looks(zoom="auto", aspect=Aspect(2, 1)))
    (box,) = found.zoomed
    assert box.top < 80
    assert 110 < box.top + box.height < 150
    assert box.left < 90
    assert 120 < box.left + box.width < 160


@pytest.mark.parametrize("text", ["16x9", "16", "", "a:b", "1:2:3"])
def test_what_is_no_aspect_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not W:H; write two numbers above 0"):
        parsed_aspect(text)


@pytest.mark.parametrize("text", ["0:9", "-16:9", "16:0", "nan:1", "inf:1", "100:1", "1:1e9"])
def test_an_aspect_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is out of range; both numbers must be above 0"):
        parsed_aspect(text)


def test_an_absurd_stretch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"would stretch a picture 10 wide and 100 high 100 times"):
        matte(np.zeros((100, 10, 3), np.float32), red, red, Looks(aspect=Aspect(10, 1)))


@pytest.mark.parametrize("degrees", ["181", "-180.5", "nan", "inf"])
def test_degrees_out_of_range_are_refused(degrees: str) -> None:
    with pytest.raises(ValueError, match="must lie between -180 and 180"):
        Looks(straighten=parsed_straighten(degrees))


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="straighten 'upright' is unknown; choose one of never"):
        parsed_straighten("upright")
    with pytest.raises(ValueError, match="zoom '2' is unknown; choose one of never"):
        parsed_zoom("2")
