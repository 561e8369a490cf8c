"""The `Sample` noun: one picture with what is known of its matte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sample:
    """A picture and its alpha, as data sets give and augmentation returns it.

    Attributes:
        name: what it is called in reports.
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, 0 background to 255 foreground.
    """

    name: str
    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.image.shape != (*self.alpha.shape, 3):
            raise ValueError(
                f"sample {self.name!r}: image is {self.image.shape}, alpha {self.alpha.shape}; "
                "both must have one height and width"
            )
