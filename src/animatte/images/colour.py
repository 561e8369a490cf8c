"""Colour management by ICC profiles: what a file's numbers look like in sRGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from animatte.images.arrays import Levels, bands, levels, three_channels

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
# ImageCms.Flags has names for these, but not in Pillow 10.1.
_BLACK_POINT_COMPENSATION, _NO_OPTIMISATION = 0x2000, 0x0100


def profile_space(icc_profile: bytes | None) -> str:
    """Colour space of an ICC profile: "RGB", "GRAY", "CMYK", ...; "" for none or a broken one."""
    if not icc_profile:
        return ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)).profile
        return str(profile.xcolor_space).strip()
    except (OSError, TypeError, ValueError):
        return ""


def srgb_levels(colour: Levels, icc_profile: bytes) -> Levels | None:
    """The same colours in sRGB.

    Args:
        colour: (H, W, 3) RGB in the space of the profile; 16 bits are cut to 8 on the way.
        icc_profile: an RGB profile.

    Returns:
        (H, W, 3): `colour` itself if the profile is sRGB in all but name, else uint8;
        None if the profile cannot be used.
    """
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    converted = _converted(Image.fromarray(cube), icc_profile)
    if converted is None:
        return None
    if np.abs(converted.astype(np.int16) - cube).max() <= 2:
        return colour
    return _converted(Image.fromarray(levels(colour, 8)), icc_profile)


def srgb_grey(grey: Levels, icc_profile: bytes) -> Levels | None:
    """Grey levels in sRGB's tone curve, at their own depth.

    Args:
        grey: (H, W).
        icc_profile: a grey profile.

    Returns:
        (H, W) of the same dtype, or None if the profile cannot be used.
    """
    ramp = np.arange(256, dtype=np.uint8)[None]
    # Optimised, a grey curve becomes 33 straight pieces, which dark levels notice.
    flags = _BLACK_POINT_COMPENSATION | _NO_OPTIMISATION
    converted = _converted(Image.fromarray(ramp), icc_profile, flags)
    if converted is None:
        return None
    highest = np.iinfo(grey.dtype).max
    curve = converted.mean(axis=2)[0] * (highest / 255)
    table = np.interp(np.arange(highest + 1), np.linspace(0, highest, 256), curve)
    return np.asarray(table.round().astype(grey.dtype)[grey])


def rgb_from_cmyk(image: Image.Image) -> Image.Image:
    """A CMYK picture in sRGB: by its own profile where that works, else by plain inversion."""
    icc_profile = image.info.get("icc_profile")
    if icc_profile and profile_space(icc_profile) == "CMYK":
        converted = _converted(image, icc_profile)
        if converted is not None:
            return Image.fromarray(converted)
    return image.convert("RGB")


def colour_managed(
    colour: Levels, icc_profile: bytes | None
) -> tuple[Levels, Levels, bytes | None]:
    """Split a file's pixels into what the output keeps and what the network sees.

    Args:
        colour: (H, W) grey or (H, W, 3) RGB.
        icc_profile: the file's profile; one that is broken or of another space counts as none.

    Returns:
        (H, W, 3) colour to keep, (H, W, 3) the same in sRGB, and the RGB profile of the first;
        the profile is None where the first is sRGB already, as after a grey profile.
    """
    space = profile_space(icc_profile)
    if icc_profile and space == "GRAY" and colour.ndim == 2:
        converted = srgb_grey(colour, icc_profile)
        colour = colour if converted is None else converted
    kept = three_channels(colour)
    if icc_profile and space == "RGB":
        seen = srgb_levels(kept, icc_profile)
        if seen is not None:
            return kept, seen, icc_profile
    return kept, kept, None


def _converted(
    image: Image.Image, icc_profile: bytes, flags: int = _BLACK_POINT_COMPENSATION
) -> NDArray[np.uint8] | None:
    """The picture in 8-bit sRGB (H, W, 3), or None if its profile does not lead there."""
    options: dict[str, Any] = {"renderingIntent": _INTENT, "outMode": "RGB", "flags": flags}
    srgb: Any = ImageCms.createProfile("sRGB")
    try:
        transform = ImageCms.buildTransform(io.BytesIO(icc_profile), srgb, image.mode, **options)
        converted = np.empty((image.height, image.width, 3), np.uint8)
        for rows in bands(converted.shape):
            band = image.crop((0, rows.start, image.width, rows.stop))
            converted[rows] = np.asarray(ImageCms.applyTransform(band, transform))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return converted
