"""The part of a picture where something is."""

from __future__ import annotations

import cv2
import numpy as np

from animatte.metrics.checks import Region


def bounding_window(region: Region, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of a region, and a margin as far as the picture reaches.

    Args:
        region: (H, W); where it is empty, so is the window.
        margin: in pixels, at least 0.
    """
    left, top, width, height = cv2.boundingRect(region.view(np.uint8))
    return (
        slice(max(top - margin, 0), min(top + height + margin, region.shape[0])),
        slice(max(left - margin, 0), min(left + width + margin, region.shape[1])),
    )
