"""How long photos take on this machine, learned from those that were cut."""

from __future__ import annotations

# What networks do at a size of their own, whatever the photo's, as pixels of a photo.
_EVERY_PHOTO = 1e6
# Of a million pixels, until the first photos are cut: a slow machine's, as too many that are told
# to come again are better off than too many that wait.
_FIRST_SECONDS = 2.0
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
