"""The photo as the rest of the package sees it, from a file or from an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.images.arrays import (
    ImageError,
    Levels,
    Pixels,
    checked_pixels,
    levels,
    three_channels,
    unit_pixels,
)
from animatte.images.colour import colour_managed
from animatte.images.decoding import Raster, decoded, raster_of_pillow
from animatte.images.opening import DEFAULT_MAX_PIXELS, Source


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, upright.

    Attributes:
        seen: (H, W, 3) RGB in sRGB, which the network sees: uint8, uint16 or floats in [0, 1].
        colour: (H, W, 3) uint8 or uint16 RGB in the file's own colour space: what outputs keep.
        own_alpha: (H, W) as `seen`, the file's own alpha, or None if it has none.
        icc_profile: RGB profile of `colour`, to be embedded in outputs; None means sRGB.
        name: the file, for messages.
    """

    seen: Pixels
    colour: Levels
    own_alpha: Pixels | None
    icc_profile: bytes | None
    name: str

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        height, width = self.seen.shape[:2]
        return height, width

    @property
    def image(self) -> NDArray[np.float32]:
        """(H, W, 3) `seen` as float32 in [0, 1], made anew: four times its memory."""
        return unit_pixels(self.seen)

    @property
    def alpha(self) -> NDArray[np.float32] | None:
        """(H, W) `own_alpha` as float32 in [0, 1], made anew."""
        return None if self.own_alpha is None else unit_pixels(self.own_alpha)


def read_photo(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF: first frame, upright, colour managed.

    Grey and palette become RGB; CMYK becomes sRGB by its profile. 16 bits are kept in `colour`;
    through a profile other than sRGB the network's view has 8. A broken profile counts as sRGB.

    Args:
        source: path, the file's bytes, or a binary stream.
        max_pixels: refuse larger images, from the header alone.

    Raises:
        ImageError: for anything that is not a readable image of at most `max_pixels`.
    """
    return _photo(decoded(source, max_pixels))


# Lossy WebP and JPEG bring grey back with channels a level or two apart.
_GREY_SPREAD = 0.03


def read_alpha(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> NDArray[np.float32]:
    """Read an alpha matte: a grey file, or the alpha channel of one that has it.

    A grey picture whose alpha channel is opaque everywhere is taken for a matte saved as RGBA.

    Returns:
        (H, W) float32 in [0, 1]; values as stored, without colour management.

    Raises:
        ImageError: for an unreadable file, or colours without an alpha channel.
    """
    raster = decoded(source, max_pixels)
    colour, alpha = raster.colour, raster.alpha
    is_grey = colour.ndim == 2 or bool(_spread(colour) <= _GREY_SPREAD)
    if alpha is not None and not (is_grey and alpha.min() == np.iinfo(alpha.dtype).max):
        return unit_pixels(alpha)
    if not is_grey:
        raise ImageError(
            f"{raster.name} is a colour image without alpha; "
            "give a grey matte or an image with an alpha channel"
        )
    return unit_pixels(colour if colour.ndim == 2 else colour[:, :, 1])


def _spread(colour: Levels) -> float:
    """Largest difference between channels, in [0, 1]."""
    lowest, highest = colour.min(axis=2), colour.max(axis=2)
    return float((highest - lowest).max() / np.iinfo(colour.dtype).max)


def photo_from_array(image: NDArray[Any] | Image.Image) -> Photo:
    """Take a photo from memory.

    Args:
        image: a Pillow image, with its profile and orientation; or an array (H, W), (H, W, 1),
            (H, W, 3) RGB or (H, W, 4) RGBA: uint8, uint16, or float in [0, 1]. Arrays are sRGB
            with straight alpha; floats are kept in `colour` with 16 bits.

    Raises:
        ImageError: for another shape or dtype, NaN or infinity, or floats outside [0, 1].
    """
    if isinstance(image, Image.Image):
        return _photo(raster_of_pillow(image))
    pixels = _checked_channels(np.asarray(image))
    colour, alpha = (pixels, None) if pixels.shape[2] < 4 else (pixels[:, :, :3], pixels[:, :, 3])
    kept = three_channels(colour[:, :, 0]) if colour.shape[2] == 1 else colour
    return Photo(
        seen=unit_pixels(kept) if kept.dtype.kind == "f" else kept,
        colour=levels(kept, 8 if kept.dtype == np.uint8 else 16),
        own_alpha=alpha,
        icc_profile=None,
        name="image",
    )


def _checked_channels(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ImageError(
            f"image has shape {array.shape}; "
            "it must be (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), channels last"
        )
    return checked_pixels(array if array.ndim == 3 else array[:, :, None], "image")


def _photo(raster: Raster) -> Photo:
    colour, seen, icc_profile = colour_managed(raster.colour, raster.icc_profile)
    return Photo(
        seen=seen,
        colour=colour,
        own_alpha=raster.alpha,
        icc_profile=icc_profile,
        name=raster.name,
    )
