"""The `Sample` noun: one picture with what is known of its matte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """A picture and its alpha, as data sets give and augmentation returns it.

    Attributes:
        name: what it is called in reports.
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, 0 background to 255 foreground.
        trimap: (H, W) uint8 of 0, 128 and 255 (`animatte.trimap`), or None.
        foreground: (H, W, 3) uint8 RGB, the subject's own colours, or None.
        background: (H, W, 3) uint8 RGB, what is behind it, or None.
        subject: what is seen, as the publisher names its class, or None.
    """

    name: str
    image: Levels8
    alpha: Levels8
    trimap: Levels8 | None = None
    foreground: Levels8 | None = None
    background: Levels8 | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        size = self.image.shape[:2]
        shapes = {
            "image": (self.image, (*size, 3)),
            "alpha": (self.alpha, size),
            "trimap": (self.trimap, size),
            "foreground": (self.foreground, (*size, 3)),
            "background": (self.background, (*size, 3)),
        }
        for part, (array, shape) in shapes.items():
            if array is not None and array.shape != shape:
                raise ValueError(
                    f"sample {self.name!r}: image is {self.image.shape}, {part} {array.shape}; "
                    "both must have one height and width"
                )
