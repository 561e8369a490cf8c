"""How long photos take on this machine, learned from those that were cut."""

from __future__ import annotations

from time import monotonic

from animatte.catalogue import EXAMPLE
from animatte.cutting import CutOptions, cut_picture, encoded_picture
from animatte.predictor import Predictor

# What networks do at a size of their own, whatever the photo's, as pixels of a photo.
_EVERY_PHOTO = 1e6
_FIRST_SECONDS = 2.0  # of a million pixels, where nothing is known
_FIRST_PIXELS = 2e5  # little, so that the first photo counts more
_KEPT = 0.9  # a photo's weight, after each one that follows


class Pace:
    """Seconds by pixels: the mean of late photos, the latest weighing most."""

    def __init__(self) -> None:
        self._pixels = _FIRST_PIXELS
        self._seconds = _FIRST_SECONDS * _FIRST_PIXELS / 1e6

    def learn(self, pixels: int, seconds: float) -> None:
        """Take in that a photo of so many pixels took so long."""
        self._pixels = _KEPT * self._pixels + pixels + _EVERY_PHOTO
        self._seconds = _KEPT * self._seconds + seconds

    def seconds(self, pixels: int) -> float:
        """How long a photo of so many pixels is expected to take."""
        return (pixels + _EVERY_PHOTO) * self._seconds / self._pixels


def pace_of(predictor: Predictor) -> Pace:
    """Cut a photo that comes along twice: to start the model, and to see how long it takes."""
    pace, options = Pace(), CutOptions()
    for _ in range(2):
        start = monotonic()
        picture = cut_picture(predictor, EXAMPLE.read_bytes(), options)
        encoded_picture(picture, options)
    height, width = picture.photo_size
    pace.learn(height * width, monotonic() - start)
    return pace
