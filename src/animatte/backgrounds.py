"""What a composite stands on: a colour, a picture, or the photo itself, blurred."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animatte.compositing import (
    Backdrop,
    Colour,
    blurred_backdrop,
    fitted_backdrop,
    parsed_colour,
)
from animatte.images import DEFAULT_MAX_PIXELS, read_photo
from animatte.images.arrays import Pixels


@dataclass(frozen=True, eq=False)
class Background:
    """What a composite stands on; with neither field, the photo itself, blurred.

    Attributes:
        colour: sRGB in [0, 1].
        picture: (H, W, 3) sRGB of any size: floats in [0, 1], or levels of 8 or 16 bits.
    """

    colour: Colour | None = None
    picture: Pixels | None = None

    @property
    def is_blur(self) -> bool:
        """Whether it is made from the photo."""
        return self.colour is None and self.picture is None

    def behind(self, image: Pixels, alpha: NDArray[np.float32]) -> Backdrop:
        """The background of one photo, area by area: image (H, W, 3) with alpha (H, W)."""
        if self.colour is not None:
            colour = self.colour
            return lambda _: colour
        if self.picture is not None:
            height, width = alpha.shape
            return fitted_backdrop(self.picture, (height, width))
        return blurred_backdrop(image, alpha)


def parsed_background(text: str, max_pixels: int = DEFAULT_MAX_PIXELS) -> Background:
    """Read a background: "blur", a colour, or the path of a picture, tried in this order.

    Raises:
        ValueError: if it is none of them, or a picture that cannot be read.
    """
    if text.lower() == "blur":
        return Background()
    try:
        return Background(colour=parsed_colour(text))
    except ValueError as error:
        if not Path(text).exists():
            raise ValueError(
                f"background {text!r} is neither blur, nor a colour, nor a file that exists; "
                "write e.g. white, '#20a0ff' or beach.jpg"
            ) from error
    return Background(picture=read_photo(text, max_pixels).seen)
