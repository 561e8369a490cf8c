"""Photos in, cut-outs, mattes or composites out: what `animatte cut` does, as functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.backgrounds import Background
from animatte.compositing import composited
from animatte.foregrounds import estimated_foreground
from animatte.images import (
    DEFAULT_MAX_PIXELS,
    Held,
    Photo,
    encoded_image,
    read_photo,
    write_image,
)
from animatte.images.arrays import Levels, bands, levels
from animatte.looks import Matte
from animatte.memory import fitting_into_memory
from animatte.outputs import FORMATS, OutputFormat, make_folder
from animatte.refining import default_trimap_radius
from animatte.subjects import Margin, Subject, keep_subject, subject_crop
from animatte.trimap import trimap_around

Kind: TypeAlias = Literal["cutout", "matte", "trimap", "composite"]

EMPTY = "no animal found, the result is empty or nearly so"


class AlphaPredictor(Protocol):
    """What cutting asks of `animatte.predictor.Predictor`."""

    def matte(self, image: Photo, /) -> Matte:
        """(H, W) alpha in [0, 1], full size, and what was done to find it."""
        ...

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        """(H, W) of 0, 128 and 255, full size; `found` is what `matte` gave."""
        ...


@dataclass(frozen=True, eq=False)
class CutOptions:
    """What is written for each photo.

    Attributes:
        matte: the alpha alone, as a grey picture.
        background: composite on it instead of writing alpha.
        output_format: a value of `FORMATS`.
        max_pixels: refuse larger photos.
        trimap: the trimap alone, as a grey picture of 0, 128 and 255.
        subject: which of several is kept.
        crop: cut the result to the subject with this margin; None for the whole picture.
    """

    matte: bool = False
    background: Background | None = None
    output_format: OutputFormat = FORMATS["png"]
    max_pixels: int = DEFAULT_MAX_PIXELS
    trimap: bool = False
    subject: Subject = "all"
    crop: Margin | None = None

    def __post_init__(self) -> None:
        if self.trimap and (self.matte or self.background is not None):
            other = "--matte" if self.matte else "--background"
            raise ValueError(
                f"--trimap writes the trimap alone and {other} another picture; "
                "choose one, and run twice for both"
            )
        if self.matte and self.background is not None:
            raise ValueError(
                "--matte writes the alpha alone and --background a finished picture; "
                "choose one, and run twice for both"
            )
        if self.output_format.name == "jpg" and self.background is None:
            raise ValueError(
                "jpg cannot hold transparency, and blurs a matte; write png, webp, png16 or "
                "tiff16, or with --background a finished picture"
            )

    @property
    def kind(self) -> Kind:
        """What is written, as in the names of the results."""
        if self.matte:
            return "matte"
        if self.trimap:
            return "trimap"
        return "cutout" if self.background is None else "composite"


@dataclass(frozen=True)
class CutReport:
    """One photo done.

    Attributes:
        photo: the file that was read, or its address in a store.
        output: the file that was written, or its address.
        seconds: from reading to written.
        is_empty: nothing was found in the photo.
        size: (height, width) of the photo.
        confidence: probability from 0 to 1 that the matte is right, as in `animatte.looks.Matte`.
        needs_review: the confidence is low.
        done: what was done to find the alpha, as plain values.
    """

    photo: Path | str
    output: Path | str
    seconds: float
    is_empty: bool
    size: tuple[int, int]
    confidence: float | None
    needs_review: bool
    done: Mapping[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What the user should know of a result."""
        return result_warnings(self)


@dataclass(frozen=True, eq=False)
class CutPicture:
    """What is to be written for a photo.

    Attributes:
        image: (H, W) or (H, W, 3) levels.
        alpha: (H, W) levels, or None for an opaque picture.
        icc_profile: of the image; None means sRGB.
        photo_size: (height, width) of the photo.
        confidence: as in `CutReport`.
        needs_review: the confidence is low.
        is_empty: nothing was found.
        done: what was done to find the alpha, as plain values.
    """

    image: Levels
    alpha: Levels | None
    icc_profile: bytes | None
    photo_size: tuple[int, int]
    confidence: float | None
    needs_review: bool
    is_empty: bool
    done: Mapping[str, Any]


def result_warnings(result: CutReport | CutPicture) -> list[str]:
    """What the user should know of a result, a line each."""
    if result.is_empty:
        return [EMPTY]
    return [f"needs review (confidence {result.confidence:.2f})"] if result.needs_review else []


def cut_photo(
    predictor: AlphaPredictor,
    photo: Path,
    output: Path,
    options: CutOptions,
    source: Path | Held | None = None,
) -> CutReport:
    """Cut one photo; an earlier file at `output` is replaced.

    Colours stay in the photo's own colour space, whose profile goes into the result; only on a
    colour or a picture the result is sRGB. The photo's own alpha multiplies the network's; its
    colours are estimated by the network's alone.

    Args:
        predictor: finds the alpha.
        photo: the file.
        output: the file that is written; its folder is made if need be.
        options: what is written.
        source: what `animatte.images.lasting_source` made of the photo; None for the file itself.

    Raises:
        ImageError: if the photo cannot be read or the result not written.
        ValueError: if it has no subject where the options say there is one.
    """
    start = perf_counter()
    with fitting_into_memory(photo):
        picture = cut_picture(predictor, photo if source is None else source, options)
        make_folder(output.parent)
        write_image(
            output,
            picture.image,
            picture.alpha,
            bit_depth=options.output_format.bit_depth,
            icc_profile=picture.icc_profile,
        )
    return CutReport(
        photo,
        output,
        perf_counter() - start,
        picture.is_empty,
        picture.photo_size,
        picture.confidence,
        picture.needs_review,
        picture.done,
    )


def encoded_picture(picture: CutPicture, options: CutOptions) -> bytes:
    """The content of the file that is written for a photo.

    Raises:
        ImageError: if the format does not hold it.
    """
    return encoded_image(
        options.output_format.suffixes[0],
        picture.image,
        picture.alpha,
        bit_depth=options.output_format.bit_depth,
        icc_profile=picture.icc_profile,
    )


def cut_picture(
    predictor: AlphaPredictor, source: Path | bytes | Held, options: CutOptions
) -> CutPicture:
    """Read a photo and make what is to be written for it; nothing else of it stays in memory.

    Raises:
        ImageError: if the photo cannot be read.
        ValueError: if it has no subject where the options say there is one.
    """
    photo = read_photo(source, options.max_pixels)
    found = predictor.matte(photo)
    keep_subject(found.alpha, options.subject, found.unmultiplied)
    trimap = _trimap(predictor, photo, found, options.subject) if options.trimap else None
    done = dict(found.as_dict())
    box = None if options.crop is None else subject_crop(found.alpha, options.crop)
    if options.crop is not None:
        done["crop"] = None if box is None else list(box)
    area = np.s_[:, :] if box is None else box.area
    image, alpha, icc_profile = _pixels(photo, found, trimap, area, options)
    return CutPicture(
        image,
        alpha,
        icc_profile,
        photo.size,
        found.confidence,
        found.needs_review,
        found.is_empty,
        done,
    )


def _trimap(
    predictor: AlphaPredictor, photo: Photo, found: Matte, subject: Subject
) -> NDArray[np.uint8]:
    """The predictor's own, which may know more than alpha; of one subject, alpha's."""
    if subject == "all":
        return predictor.trimap(photo, found=found)
    return trimap_around(found.alpha, default_trimap_radius(photo.size))


def _pixels(
    photo: Photo,
    found: Matte,
    trimap: NDArray[np.uint8] | None,
    area: tuple[slice, slice],
    options: CutOptions,
) -> tuple[Levels, Levels | None, bytes | None]:
    """Image, alpha and profile of an area of what is written, at the format's depth."""
    bit_depth = options.output_format.bit_depth
    background, alpha, mixing = options.background, found.alpha[area], found.mixing[area]
    if trimap is not None:
        return levels(trimap[area], bit_depth), None, None  # 128 becomes 128 × 257 in 16 bits
    if options.matte:
        return _levels(alpha, bit_depth), None, None
    own_space = background is None or background.is_blur
    image = (photo.colour if own_space else photo.seen)[area]
    icc_profile = photo.icc_profile if own_space else None
    foreground = estimated_foreground(image, mixing, bit_depth)
    if background is None:
        return foreground, _levels(alpha, bit_depth), icc_profile
    whole = composited(foreground, background.behind(image, mixing), alpha, bit_depth)
    return whole, None, icc_profile


def _levels(alpha: NDArray[np.float32], bit_depth: Literal[8, 16]) -> Levels:
    result: Levels = np.empty(alpha.shape, np.uint8 if bit_depth == 8 else np.uint16)
    for rows in bands(alpha.shape):
        result[rows] = levels(alpha[rows], bit_depth)
    return result
