"""Contact sheets of examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from animatte.data.dataset import Example
from animatte.data.folders import paired
from animatte.data.preview import contact_sheet, drawn, plain_stream

Draw: TypeAlias = Callable[..., None]


def example(name: str = "a") -> Example:
    """Upper half background; of the lower half the left is transition, the right foreground."""
    label = np.zeros((40, 40), np.int64)
    label[20:, :20], label[20:, 20:] = 1, 2
    image = np.full((3, 40, 40), 0.8, np.float32)
    image[0] = 0.2
    return Example(
        image, np.full((1, 40, 40), 0.6, np.float32), label, (label == 1)[None].astype("f4"), name
    )


def test_a_row_shows_picture_alpha_label_and_band() -> None:
    sheet = contact_sheet([example(), example("ö")])
    assert sheet.shape == (18 + 2 * (40 + 18 + 6), 4 * 46 + 6, 3)
    for top in (36, 36 + 64):
        image, alpha, label, band = (
            sheet[top : top + 40, left : left + 40] for left in (6, 52, 98, 144)
        )
        assert (image == [51, 204, 204]).all()
        assert (alpha == 153).all()
        assert (label[:20] == 0).all()
        assert (label[20:, :20] == 128).all()
        assert (label[20:, 20:] == 255).all()
        assert (band[20:, :20] == [51, 204, 204]).all()
        assert (band[:20] == [10, 41, 41]).all()


def test_names_are_written_above_their_rows() -> None:
    sheet = contact_sheet([example("picture")])
    assert (sheet[18:36, 6:46] < 100).any()  # ink
    assert (sheet[18:36, 60:] == 245).all()


def test_a_folder_is_shown_as_the_network_sees_it(tmp_path: Path, draw: Draw) -> None:
    for number in range(3):
        draw(tmp_path / f"image/{number}.png", seed=number)
        draw(tmp_path / f"alpha/{number}.png", -1)
    stream = plain_stream(paired(tmp_path), seed=5)
    examples = drawn(stream, 4, 64, (0.5, 1.0))
    assert [each.image.shape for each in examples] == [(3, 64, 64)] * 4
    assert len({each.name for each in examples}) > 1
    assert np.array_equal(contact_sheet(examples), contact_sheet(drawn(stream, 4, 64, (0.5, 1.0))))
