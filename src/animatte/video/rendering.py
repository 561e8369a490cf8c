"""A frame and its alpha become what is written: a matte, a cut-out, or a finished picture."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.backgrounds import Background
from animatte.foregrounds import quick_foreground
from animatte.images import Photo
from animatte.images.arrays import Levels, Pixels, levels, three_channels, unit_pixels
from animatte.looks import Matte
from animatte.scales import resized
from animatte.tiles import whole_area
from animatte.video.formats import Kind

# Below this and above its complement alpha is taken for 0 and 1: less than a level of 8 bits,
# which would make every pixel half transparent to who estimates colours.
_NEGLIGIBLE = 1 / 255


class Picture(NamedTuple):
    """What is written of a frame.

    Attributes:
        colour: (H, W, 3) RGB of 8 or 16 bits; None for a matte, which is alpha in grey.
        alpha: (H, W) in [0, 1]; None for a picture that is opaque.
    """

    colour: Levels | None
    alpha: NDArray[np.float32] | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        plane = self.alpha if self.colour is None else self.colour
        assert plane is not None, "a picture has colours, alpha, or both"
        height, width = plane.shape[:2]
        return height, width

    def resized(self, size: tuple[int, int]) -> Picture:
        """The same of another size (height, width)."""
        return Picture(*(None if each is None else resized(each, size) for each in self))


class Renderer:
    """Renders frames of one size.

    Args:
        kind: what is wanted.
        background: for a composite.
        deep: mix in 16 bits a channel instead of 8.
    """

    def __init__(self, kind: Kind, background: Background | None, deep: bool) -> None:
        self._kind = kind
        self._background = background
        self._deep = deep
        self._behind: Pixels | None = None

    def picture(self, photo: Photo, subject: NDArray[np.float32]) -> Picture:
        """Render one frame.

        Side by side it is (H, 3W): the frame, its matte, and the composite.

        Args:
            photo: the frame, whose own alpha multiplies the result's.
            subject: (H, W) in [0, 1], the subject's share in the colours that are seen.
        """
        found = Matte(decided(subject))
        if photo.own_alpha is not None:
            found = found.multiplied(photo.own_alpha)
        subject, alpha = found.mixing, found.alpha
        if self._kind == "matte":
            return Picture(None, alpha)
        seen = photo.seen if self._deep else levels(photo.seen, 8)
        if self._kind == "cutout":
            return Picture(quick_foreground(seen, subject), alpha)
        whole = self._composite(photo, seen, subject, alpha)
        if self._kind == "composite":
            return Picture(whole, None)
        parts = [seen, three_channels(self._levels(alpha)), whole]
        return Picture(np.hstack([self._levels(part) for part in parts]), None)

    def _composite(
        self,
        photo: Photo,
        seen: Pixels,
        subject: NDArray[np.float32],
        alpha: NDArray[np.float32],
    ) -> Levels:
        # OpenCV mixes bytes and floats only.
        foreground = quick_foreground(unit_pixels(seen) if self._deep else seen, subject)
        behind = self._behind_of(photo, subject)
        return self._levels(np.asarray(cv2.blendLinear(foreground, behind, alpha, 1 - alpha)))

    def _behind_of(self, photo: Photo, alpha: NDArray[np.float32]) -> Pixels:
        assert self._background is not None
        if self._behind is None or self._background.is_blur:  # else the same for all frames
            backdrop = self._background.behind(photo.seen, alpha)
            behind = np.asarray(backdrop(whole_area(photo.size)), np.float32)
            behind = np.broadcast_to(behind, photo.seen.shape)
            self._behind = np.ascontiguousarray(behind if self._deep else self._levels(behind))
        return self._behind

    def _levels(self, pixels: Pixels) -> Levels:
        return levels(pixels, 16 if self._deep else 8)


def decided(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Alpha whose last trace at both ends is gone, without a step."""
    return np.asarray(
        np.clip((alpha - _NEGLIGIBLE) / np.float32(1 - 2 * _NEGLIGIBLE), 0, 1), np.float32
    )
