"""Photos in, cut-outs, mattes or composites out: what `animatte cut` does, as functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.compositing import (
    Backdrop,
    Colour,
    blurred_backdrop,
    composited,
    estimated_foreground,
    fitted_backdrop,
    parsed_colour,
)
from animatte.images import (
    DEFAULT_MAX_PIXELS,
    ImageError,
    Photo,
    read_photo,
    write_alpha,
    write_image,
)
from animatte.images.arrays import Pixels
from animatte.looks import Matte
from animatte.outputs import FORMATS, OutputFormat

Kind: TypeAlias = Literal["cutout", "matte", "trimap", "composite"]

# Below this opacity everywhere, nothing was found.
_FAINT = 0.1


class AlphaPredictor(Protocol):
    """What cutting asks of `animatte.predictor.Predictor`."""

    def matte(self, image: Photo, /) -> Matte:
        """(H, W) alpha in [0, 1], full size, and what was done to find it."""
        ...

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        """(H, W) of 0, 128 and 255, full size; `found` is what `matte` gave."""
        ...


@dataclass(frozen=True, eq=False)
class Background:
    """What a composite stands on; with neither field, the photo itself, blurred.

    Attributes:
        colour: sRGB in [0, 1].
        picture: (H, W, 3) sRGB of any size: floats in [0, 1], or levels of 8 or 16 bits.
    """

    colour: Colour | None = None
    picture: Pixels | None = None

    @property
    def is_blur(self) -> bool:
        """Whether it is made from the photo."""
        return self.colour is None and self.picture is None

    def behind(self, image: Pixels, alpha: NDArray[np.float32]) -> Backdrop:
        """The background of one photo, area by area: image (H, W, 3) with alpha (H, W)."""
        if self.colour is not None:
            colour = self.colour
            return lambda _: colour
        if self.picture is not None:
            height, width = alpha.shape
            return fitted_backdrop(self.picture, (height, width))
        return blurred_backdrop(image, alpha)


@dataclass(frozen=True, eq=False)
class CutOptions:
    """What is written for each photo.

    Attributes:
        matte: the alpha alone, as a grey picture.
        background: composite on it instead of writing alpha.
        output_format: a value of `FORMATS`.
        max_pixels: refuse larger photos.
        trimap: the trimap alone, as a grey picture of 0, 128 and 255.
    """

    matte: bool = False
    background: Background | None = None
    output_format: OutputFormat = FORMATS["png"]
    max_pixels: int = DEFAULT_MAX_PIXELS
    trimap: bool = False

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
        photo: the file that was read.
        output: the file that was written.
        seconds: from reading to written.
        is_empty: nothing was found in the photo.
        size: (height, width) of photo and result.
        done: what was done to find the alpha, as plain values.
    """

    photo: Path
    output: Path
    seconds: float
    is_empty: bool
    size: tuple[int, int]
    done: Mapping[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What the user should know of a result."""
        return ["no subject found, the result is empty"] if self.is_empty else []


@dataclass(frozen=True)
class CutFailure:
    """One photo that failed; nothing was written for it."""

    photo: Path
    error: Exception


def parsed_background(text: str, max_pixels: int = DEFAULT_MAX_PIXELS) -> Background:
    """Read a background: "blur", a colour, or the path of a picture, tried in this order.

    Raises:
        ValueError: if it is none of them, or a picture that cannot be read.
    """
    if text.lower() == "blur":
        return Background()
    try:
        return Background(colour=parsed_colour(text))
    except ValueError as error:
        if not Path(text).exists():
            raise ValueError(
                f"background {text!r} is neither blur, nor a colour, nor a file that exists; "
                "write e.g. white, '#20a0ff' or beach.jpg"
            ) from error
    return Background(picture=read_photo(text, max_pixels).seen)


def cut_photo(
    predictor: AlphaPredictor, photo: Path, output: Path, options: CutOptions
) -> CutReport:
    """Cut one photo; an earlier file at `output` is replaced.

    Colours stay in the photo's own colour space, whose profile goes into the result; only on a
    colour or a picture the result is sRGB. The photo's own alpha multiplies the network's.

    Raises:
        ImageError: if the photo cannot be read or the result not written.
    """
    start = perf_counter()
    opened = read_photo(photo, options.max_pixels)
    matte = predictor.matte(opened)
    # As bits are widened, the trimap's 128 is 128 × 257 in 16 of them.
    written = unit_pixels(predictor.trimap(opened, found=matte)) if options.trimap else matte.alpha
    _make_folder(output.parent)
    _write_result(output, opened, written, options)
    is_empty = bool(matte.alpha.max() < _FAINT)
    seconds = perf_counter() - start
    return CutReport(photo, output, seconds, is_empty, opened.size, matte.as_dict())


def cut_photos(
    predictor: AlphaPredictor, photos: Sequence[Path], outputs: Sequence[Path], options: CutOptions
) -> Iterator[CutReport | CutFailure]:
    """Cut photos one after the other; whatever fails in one does not stop the rest."""
    for photo, output in zip(photos, outputs, strict=True):
        try:
            result: CutReport | CutFailure = cut_photo(predictor, photo, output, options)
        except Exception as error:  # reported, not swallowed: a batch must go on
            result = CutFailure(photo, error)
        yield result


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"folder {folder} cannot be made ({error.strerror}); choose another with -o"
        ) from error


def _write_result(
    output: Path, photo: Photo, alpha: NDArray[np.float32], options: CutOptions
) -> None:
    bit_depth = options.output_format.bit_depth
    background = options.background
    if options.matte or options.trimap:
        write_alpha(output, alpha, bit_depth=bit_depth)
        return
    own_space = background is None or background.is_blur
    image = unit_pixels(photo.colour) if own_space else photo.image
    icc_profile = photo.icc_profile if own_space else None
    foreground = estimated_foreground(image, alpha)
    if background is None:
        write_image(output, foreground, alpha, bit_depth=bit_depth, icc_profile=icc_profile)
        return
    whole = composite(foreground, background.behind(image, alpha), alpha)
    write_image(output, whole, bit_depth=bit_depth, icc_profile=icc_profile)
