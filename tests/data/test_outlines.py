"""Outlines drawn over alphas."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.data.outlines import Kind, Outline, OutlineTable, outlined

HEAD = "set,name,kind,points\n"
SIDE = 200
SQUARE = (250, 250, 750, 250, 750, 750, 250, 750)  # thousandths: pixels 50 to 149 of 200


@pytest.fixture(autouse=True)
def _quiet_compiler() -> None:
    warnings.filterwarnings("ignore", module=r"(numba|pymatting)")


def disc(radius: int = 60) -> NDArray[np.uint8]:
    """(H, W, 3): a red disc on green, its edge hard."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[:, :, 1] = 200
    cv2.circle(image, (SIDE // 2, SIDE // 2), radius, (200, 0, 0), -1)
    return image


def polygon(radius: float, corners: int = 40) -> tuple[float, ...]:
    """A circle about the middle, the radius in pixels."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    around = 0.5 + np.column_stack([np.cos(angles), np.sin(angles)]) * radius / SIDE
    return tuple((around * 1000).ravel().tolist())


def test_without_outlines_alpha_stays_as_it_is() -> None:
    alpha = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    np.testing.assert_array_equal(outlined(alpha, disc(), []), alpha)


@pytest.mark.parametrize("off", [-1, 1])
def test_a_drawn_edge_finds_that_of_the_picture(off: int) -> None:
    image = disc()
    truth = (image[:, :, 0] > 0).astype(np.float32)
    by_hand = cv2.circle(np.zeros((SIDE, SIDE)), (SIDE // 2, SIDE // 2), 60 + off, 1.0, -1)
    error_by_hand = np.abs(by_hand - truth).mean()
    nothing = np.zeros((SIDE, SIDE), np.float32)
    added = outlined(nothing, image, [Outline("add", polygon(60 + off))])
    assert np.abs(added - truth).mean() < 0.4 * error_by_hand
    everything = np.ones((SIDE, SIDE), np.float32)
    erased = outlined(everything, image, [Outline("erase", polygon(60 + off))])
    assert np.abs(erased - (1 - truth)).mean() < 0.4 * error_by_hand


def test_what_is_thinner_than_the_band_stays() -> None:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[98:101] = 255
    nothing = np.zeros((SIDE, SIDE), np.float32)
    line = Outline("add", (100, 490, 900, 490, 900, 505, 100, 505))
    added = outlined(nothing, image, [line])
    assert added[99, 30:170].min() > 0.9
    assert added[104:].max() == 0


def test_what_no_outline_touches_stays_soft() -> None:
    alpha = np.full((SIDE, SIDE), 0.3, np.float32)
    alpha[:40] = 0.7
    after = outlined(alpha, disc(), [Outline("add", polygon(20))])
    assert (after[:70] == alpha[:70]).all()
    assert after[100, 100] == 1


def test_outlines_are_drawn_one_after_the_other() -> None:
    grey = np.full((SIDE, SIDE, 3), 90, np.uint8)
    nothing = np.zeros((SIDE, SIDE), np.float32)
    add, erase = Outline("add", SQUARE), Outline("erase", polygon(20))
    assert outlined(nothing, grey, [add, erase])[100, 100] == 0
    assert outlined(nothing, grey, [erase, add])[100, 100] == 1


@pytest.mark.parametrize(("kind", "inside"), [("add", 1.0), ("erase", 0.0)])
def test_a_polygon_covers_the_pixels_that_it_encloses_and_no_others(
    kind: Kind, inside: float
) -> None:
    square = np.zeros((SIDE, SIDE), bool)
    square[50:150, 50:150] = True
    image = np.repeat(square[:, :, None] * np.uint8(200), 3, axis=2)
    before = np.full((SIDE, SIDE), 1 - inside, np.float32)
    after = outlined(before, image, [Outline(kind, SQUARE)])
    np.testing.assert_array_equal(after > 0.5, square if inside else ~square)


def test_a_soft_alpha_that_is_drawn_anew_is_solved_along_its_edge() -> None:
    image = np.repeat(disc()[:, :, :1], 3, axis=2)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)
    soft = np.asarray(image[:, :, 0] / np.float32(200), np.float32)
    everything = (0.0, 0.0, 1000.0, 0.0, 1000.0, 1000.0, 0.0, 1000.0)
    strokes = [Outline("erase", everything), Outline("add", polygon(60))]
    anew = outlined(soft, image, strokes)
    assert ((anew > 0.05) & (anew < 0.95)).sum() > 300
    assert np.abs(anew - soft).mean() < 0.01


def test_coordinates_are_of_the_longer_side_in_both_directions() -> None:
    wide = np.zeros((50, 200), np.float32)
    corner = Outline("add", (500, 0, 2000, 0, 2000, 125, 500, 125))  # reaches beyond the picture
    after = outlined(wide, np.zeros((50, 200, 3), np.uint8), [corner])
    assert after[:22, 103:].min() == 1
    assert after[28:].max() == 0
    assert after[:, :97].max() == 0


def table(folder: Path, text: str) -> OutlineTable:
    path = folder / "outlines.csv"
    path.write_text(text)
    return OutlineTable(path, "pets")


def test_rows_of_a_picture_are_kept_in_order_and_other_sets_passed_over(tmp_path: Path) -> None:
    read = table(
        tmp_path,
        HEAD + "pets,a,erase,0 0 10.5 0 0 10\npets,b,add,0 0 9 0 0 9\nwild,a,?,?\n"
        "pets,a,add,1 1 2 2 3 1\n",
    )
    assert read.outlines("a") == (
        Outline("erase", (0, 0, 10.5, 0, 0, 10)),
        Outline("add", (1, 1, 2, 2, 3, 1)),
    )
    assert read.outlines("c") == ()
    assert len(read) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("pets,a,remove,0 0 1 0 1 1", "kind 'remove' in line 2 is unknown; choose one of add"),
        ("pets,a,add,0 0 1 0", "points '0 0 1 0' in line 2 are no polygon; write x and y"),
        ("pets,a,add,0 0 1 0 1", "are no polygon"),
        ("pets,a,add,0 0 1 0 1 x", "are no polygon"),
        ("pets,a,add,0 0 1 0 1 nan", "are no polygon"),
        ("pets,a,add,0 0 1 0 1 1e9", "none beyond 10000"),
        ("pets,a,add", "points '' in line 2 are no polygon"),
    ],
)
def test_mistakes_name_their_line_and_the_remedy(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        table(tmp_path, HEAD + row + "\n")
    assert str(tmp_path / "outlines.csv") in str(caught.value)


def test_outlines_of_pictures_that_are_missing_or_dropped_are_refused(tmp_path: Path) -> None:
    read = table(tmp_path, HEAD + "pets,a,add,0 0 9 0 0 9\npets,b,add,0 0 9 0 0 9\n")
    read.check(Path("image"), {"a", "b", "c"}, {"c"})
    twice = table(tmp_path, HEAD + "".join(f"pets,{each},add,0 0 9 0 0 9\n" for each in "aba"))
    with pytest.raises(ValueError, match=r"2 of 2 names .* the first is 'a' in line 2"):
        twice.check(Path("image"), set(), set())
    with pytest.raises(ValueError, match="1 of 2 names have no picture in image, the first is 'b'"):
        read.check(Path("image"), {"a"}, set())
    with pytest.raises(ValueError, match="b has an outline in line 3, and its verdict is drop"):
        read.check(Path("image"), {"a", "b"}, {"b"})
