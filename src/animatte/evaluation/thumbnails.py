"""Small pictures of photos, mattes and their errors, as WebP."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images import encoded_image

LONGER_SIDE = 512
_QUALITY = 72
_TOO_MUCH, _TOO_LITTLE = (1.0, 0.55, 0.0), (0.15, 0.6, 1.0)  # told apart by colour-blind readers


def thumbnail(pixels: NDArray[Any]) -> bytes:
    """A picture (H, W) or (H, W, 3) in [0, 1], at most 512 pixels on its longer side."""
    height, width = pixels.shape[:2]
    scale = min(1.0, LONGER_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    return encoded_image(".webp", np.clip(small, 0, 1), quality=_QUALITY)


def error_thumbnail(
    predicted: NDArray[np.float32], true: NDArray[np.float32], known: NDArray[np.bool_]
) -> bytes:
    """Where an alpha errs, on black: orange has too much alpha, blue too little.

    Brightness is the root of the error, so that small ones are seen. Worked out at full size:
    on small pictures neighbours would make up for each other.

    Args:
        predicted: (H, W) alpha in [0, 1].
        true: (H, W) alpha in [0, 1].
        known: (H, W) pixels that count.
    """
    error = np.where(known, predicted - true, 0)
    brightness = np.sqrt(np.abs(error))[:, :, None]
    colours = np.where(
        (error > 0)[:, :, None], np.array(_TOO_MUCH, np.float32), np.array(_TOO_LITTLE, np.float32)
    )
    return thumbnail(np.asarray(brightness * colours, np.float32))
