"""A frame and its alpha become what is written: a matte, a cut-out, or a finished picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.backgrounds import Background
from animatte.foregrounds import quick_foreground
from animatte.images import Photo
from animatte.tiles import whole_area
from animatte.video.formats import Kind

# Below this and above its complement alpha is taken for 0 and 1: less than a level of 8 bits,
# which would make every pixel half transparent to who estimates colours.
_NEGLIGIBLE = 1 / 255


class Renderer:
    """Renders frames of one size.

    Args:
        kind: what is wanted.
        background: for a composite.
        deep: 16 bits a channel instead of 8.
    """

    def __init__(self, kind: Kind, background: Background | None, deep: bool) -> None:
        self._kind = kind
        self._background = background
        self._deep = deep
        self._behind: NDArray[np.float32] | None = None

    def pixels(self, photo: Photo, alpha: NDArray[np.float32]) -> NDArray[Any]:
        """Render one frame: (H, W) for a matte, (H, W, 3) for a composite, (H, W, 4) RGBA.

        Side by side: (H, 3W, 3), the frame, its matte, and the composite.
        """
        alpha = decided(alpha)
        if self._kind == "matte":
            return self._levels(alpha)
        image = photo.image
        foreground = quick_foreground(image, alpha)
        if self._kind == "cutout":
            return np.asarray(cv2.merge([self._levels(foreground), self._levels(alpha)]))
        behind = self._behind_of(photo, alpha)
        whole = self._levels(np.asarray(cv2.blendLinear(foreground, behind, alpha, 1 - alpha)))
        if self._kind == "composite":
            return whole
        grey = np.repeat(self._levels(alpha)[:, :, None], 3, axis=2)
        return np.hstack([self._levels(image), grey, whole])

    def _behind_of(self, photo: Photo, alpha: NDArray[np.float32]) -> NDArray[np.float32]:
        assert self._background is not None
        if self._behind is None or self._background.is_blur:  # else the same for all frames
            backdrop = self._background.behind(photo.seen, alpha)
            behind = np.asarray(backdrop(whole_area(photo.size)), np.float32)
            self._behind = np.ascontiguousarray(np.broadcast_to(behind, photo.seen.shape))
        return self._behind

    def _levels(self, values: NDArray[np.float32]) -> NDArray[Any]:
        if self._deep:
            return (values * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
        return np.asarray(cv2.convertScaleAbs(values, alpha=255), np.uint8)


def decided(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Alpha whose last trace at both ends is gone, without a step."""
    return np.asarray(
        np.clip((alpha - _NEGLIGIBLE) / np.float32(1 - 2 * _NEGLIGIBLE), 0, 1), np.float32
    )
