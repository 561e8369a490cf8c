"""Contact sheets: examples as the network will see them, to be looked at before training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from animatte.data.dataset import Example, ExampleConfig, ExampleStream, Request
from animatte.data.folders import Pair
from animatte.data.pictures import Backgrounds, Source
from animatte.images.arrays import levels, three_channels
from animatte.trimap import BACKGROUND, FOREGROUND, TRANSITION

COLUMNS = ("image", "alpha", "glance", "focus")
_GAP, _LINE = 6, 18  # pixels
_PAPER, _INK = 245, 30
_DIMMED = 0.2


def plain_stream(pairs: Sequence[Pair], seed: int) -> ExampleStream:
    """Examples of these pictures alone, on their own backgrounds, with the default changes."""
    return ExampleStream([Source(pairs, 1, 0)], Backgrounds(), ExampleConfig(empty=0), seed)


def drawn(
    stream: ExampleStream, count: int, size: int, scale: tuple[float, float]
) -> list[Example]:
    """The first examples of a stream.

    Args:
        stream: where they come from.
        count: how many.
        size: side of the views in pixels.
        scale: least and greatest side of a view, in sides of its picture.
    """
    return [stream[Request(position, size, scale)] for position in range(count)]


def contact_sheet(examples: Sequence[Example]) -> NDArray[np.uint8]:
    """Lay examples out, one a row: picture, alpha, glance label, and where the focus is trained.

    The glance label is black, grey and white for background, transition and foreground; the last
    column is the picture, dimmed outside the focus' band.

    Args:
        examples: at least one, all of one size.

    Returns:
        (H, W, 3) RGB.
    """
    height, width = examples[0].label.shape
    rows, columns = len(examples), len(COLUMNS)
    sheet = np.full(
        (_LINE + rows * (height + _LINE + _GAP), columns * (width + _GAP) + _GAP, 3),
        _PAPER,
        np.uint8,
    )
    for row, example in enumerate(examples):
        top = 2 * _LINE + row * (height + _LINE + _GAP)
        for column, tile in enumerate(_tiles(example)):
            left = _GAP + column * (width + _GAP)
            sheet[top : top + height, left : left + width] = tile
    image = Image.fromarray(sheet)
    pen = ImageDraw.Draw(image)
    for column, title in enumerate(COLUMNS):
        pen.text((_GAP + column * (width + _GAP), 3), title, fill=(_INK,) * 3)
    for row, example in enumerate(examples):
        name = example.name.encode("ascii", "replace").decode()
        pen.text((_GAP, _LINE + 3 + row * (height + _LINE + _GAP)), name, fill=(_INK,) * 3)
    return np.asarray(image)


def _tiles(example: Example) -> list[NDArray[np.uint8]]:
    image = example.image.transpose(1, 2, 0)
    grey = np.array([BACKGROUND, TRANSITION, FOREGROUND])[example.label]
    seen = image * np.where(example.band[0] > 0, 1, _DIMMED)[..., None]
    pixels = (levels(image, 8), levels(example.alpha[0], 8), grey, levels(seen, 8))
    return [np.asarray(three_channels(tile), np.uint8) for tile in pixels]
