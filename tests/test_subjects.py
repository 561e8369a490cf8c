"""Subjects by the connected parts of a matte, and the crop around them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.subjects import (
    Corners,
    Margin,
    Point,
    Subject,
    keep_subject,
    parsed_margin,
    parsed_subject,
    subject_crop,
)

HEIGHT, WIDTH = 600, 900
LARGE, SMALL = np.s_[100:400, 100:400], np.s_[300:420, 600:700]


@pytest.fixture
def alpha() -> NDArray[np.float32]:
    """Two subjects with soft hair around, and a speck of dust."""
    result = np.zeros((HEIGHT, WIDTH), np.float32)
    result[90:410, 90:410] = 0.3
    result[290:430, 590:710] = 0.3
    result[LARGE] = result[SMALL] = 1
    result[50:52, 800:802] = 1
    return result


@pytest.mark.parametrize(
    ("subject", "kept", "lost"),
    [
        ("largest", LARGE, SMALL),
        (Point(650, 350), SMALL, LARGE),
        (Point(595, 295), SMALL, LARGE),  # in the hair
        (Corners(500, 200, 899, 599), SMALL, LARGE),
        (Corners(0, 0, 899, 599), LARGE, SMALL),
    ],
)
def test_one_subject_stays_with_its_hair(
    alpha: NDArray[np.float32],
    subject: Subject,
    kept: tuple[slice, slice],
    lost: tuple[slice, slice],
) -> None:
    before = alpha.copy()
    keep_subject(alpha, subject)
    around = np.s_[kept[0].start - 9 : kept[0].stop + 9, kept[1].start - 9 : kept[1].stop + 9]
    np.testing.assert_array_equal(alpha[around], before[around])
    assert alpha[lost].max() == 0


def test_what_a_photo_s_own_alpha_did_not_multiply_loses_the_same(
    alpha: NDArray[np.float32],
) -> None:
    """The large one is the larger without the photo's own alpha alone, which hides most of it."""
    unmultiplied, alone = alpha.copy(), alpha.copy()
    alpha[:, :380] = 0
    keep_subject(alpha, "largest", unmultiplied)
    keep_subject(alone, Point(650, 350))
    assert alpha[LARGE].max() == 0
    np.testing.assert_array_equal(alpha[SMALL], 1)
    np.testing.assert_array_equal(unmultiplied[:, 500:], alone[:, 500:])
    assert unmultiplied[LARGE].max() == 0


def test_all_subjects_are_left_as_they_are(alpha: NDArray[np.float32]) -> None:
    before = alpha.copy()
    keep_subject(alpha, "all")
    np.testing.assert_array_equal(alpha, before)


def test_dust_belongs_to_what_is_nearest(alpha: NDArray[np.float32]) -> None:
    keep_subject(alpha, Point(650, 350))
    assert alpha[50, 800] == 1
    assert alpha[:, :500].max() == 0


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (Point(10, 590), "point 10,590 has no subject: the nearest is .* pixels away"),
        (Point(900, 0), "lies outside the picture, which is 900 wide and 600 high"),
        (Corners(0, 500, 100, 600), "box 0,500,100,600 has no subject"),
        (Corners(0, 600, 100, 700), "lies outside"),
    ],
)
def test_where_no_subject_is_it_is_said(
    alpha: NDArray[np.float32], subject: Subject, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        keep_subject(alpha, subject)


def test_an_empty_matte_has_no_subject_to_point_at() -> None:
    empty = np.zeros((20, 30), np.float32)
    keep_subject(empty, "largest")
    with pytest.raises(ValueError, match="none was found in the picture"):
        keep_subject(empty, Point(3, 3))


@pytest.mark.parametrize(
    ("margin", "box"),
    [
        (Margin(0, False), (90, 90, 340, 620)),
        (Margin(10, False), (80, 80, 360, 640)),
        (Margin(0.5), (0, 0, 600, 900)),
    ],
)
def test_a_crop_holds_all_that_is_seen_and_ends_with_the_picture(
    alpha: NDArray[np.float32], margin: Margin, box: tuple[int, ...]
) -> None:
    alpha[50:52, 800:802] = 0
    assert subject_crop(alpha, margin) == box


def test_nothing_is_cropped_around_nothing() -> None:
    assert subject_crop(np.zeros((4, 5), np.float32), Margin()) is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("all", None, None), "all"),
        (("largest", None, None), "largest"),
        (("all", "3, 4", None), Point(3, 4)),
        (("all", None, "1,2,3,4"), Corners(1, 2, 3, 4)),
    ],
)
def test_choices_are_read(arguments: tuple[str, str | None, str | None], expected: object) -> None:
    assert parsed_subject(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("smallest", None, None), "choose all or largest"),
        (("all", "3", None), "write X,Y in pixels"),
        (("all", "-3,4", None), "write X,Y in pixels"),
        (("all", None, "1,2,1,4"), "is empty"),
        (("largest", "1,2", None), "give one of them"),
    ],
)
def test_choices_that_are_none_are_refused(
    arguments: tuple[str, str | None, str | None], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parsed_subject(*arguments)


def test_margins_are_pixels_or_per_cent() -> None:
    assert parsed_margin("20").pixels(1000) == 20
    assert parsed_margin("2.5 %").pixels(1000) == 25
    for text in ("wide", "-1", "nan"):
        with pytest.raises(ValueError, match="write pixels or per cent"):
            parsed_margin(text)
