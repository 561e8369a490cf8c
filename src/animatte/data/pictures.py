"""Pictures for training: where they come from, and decoding them.

Decoding is quick, plane by plane, and what is decoded is kept while there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.data.folders import Pair
from animatte.images import ImageError, read_alpha, read_photo
from animatte.images.arrays import levels
from animatte.sample import Sample

Plane: TypeAlias = NDArray[np.uint8]

_ORIENTATION = 0x0112  # of EXIF


@dataclass(frozen=True)
class Source:
    """Pictures that are drawn from together.

    Attributes:
        pairs: the pictures.
        weight: share of the examples, relative to the other sources'.
        replaced: probability that the background is replaced by another.
        per_epoch: how often each picture counts in an epoch.
        fur: probability that fur is grown on the alpha, for hard masks.
        foregrounds: files of the foreground's own colours, by name; where there is none they are
            estimated.
        denoised: files of denoised foregrounds, by name.
    """

    pairs: Sequence[Pair]
    weight: float
    replaced: float
    per_epoch: int = 1
    fur: float = 0.0
    foregrounds: Mapping[str, Path] = field(default_factory=dict)
    denoised: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Backgrounds:
    """Pictures to stand behind.

    Attributes:
        plain: without anything that could be a subject, as BG-20k.
        objects: of anything, as COCO.
        denoised: files of denoised versions, by name.
    """

    plain: Sequence[Pair] = ()
    objects: Sequence[Pair] = ()
    denoised: Mapping[str, Path] = field(default_factory=dict)


class PictureCache:
    """Decoded pictures kept in memory until a limit is reached; later ones are decoded anew.

    Args:
        limit_bytes: memory that decoded pictures may take, in each process.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.free_bytes = limit_bytes
        self.planes: dict[tuple[Path | Pair, str], Plane] = {}

    def read(self, pair: Pair) -> Sample:
        """Return the decoded pair.

        Raises:
            ValueError: if a file cannot be decoded or the sizes differ.
        """
        return Sample(pair.name, self.photo(pair), self.alpha(pair))

    def photo(self, pair: Pair) -> Plane:
        """Return a pair's picture (H, W, 3), without decoding its alpha.

        Raises:
            ValueError: if the file cannot be decoded.
        """
        if type(pair) is Pair:
            return self.image(pair.image)
        return self._kept((pair, "image"), lambda: pair.read().image)  # read in a way of its own

    def image(self, path: Path) -> Plane:
        """Return a picture, (H, W, 3) RGB as `read_photo` sees it.

        Raises:
            ImageError: if the file cannot be decoded.
        """
        return self._kept((path, "image"), lambda: decoded_image(path))

    def alpha(self, pair: Pair) -> Plane:
        """Return a pair's alpha (H, W), without decoding its picture.

        Raises:
            ValueError: if the file cannot be decoded.
        """
        path = pair.alpha
        if type(pair) is Pair and path is not None:
            return self._kept((path, "alpha"), lambda: decoded_alpha(path))
        return self._kept((pair, "alpha"), lambda: pair.read().alpha)

    def _kept(self, key: tuple[Path | Pair, str], decode: Callable[[], Plane]) -> Plane:
        if key in self.planes:
            return self.planes[key]
        plane = decode()
        if plane.nbytes <= self.free_bytes:
            self.free_bytes -= plane.nbytes
            self.planes[key] = plane
        return plane


def decoded_image(path: Path) -> Plane:
    """Decode a picture, (H, W, 3) RGB of 8 bits: what `read_photo` sees, sooner where it is plain.

    Raises:
        ImageError: if the file cannot be decoded.
    """
    pixels = _plain_pixels(path, "RGB")
    return _bytes(read_photo(path).image) if pixels is None else pixels


def decoded_alpha(path: Path) -> Plane:
    """Decode a matte, (H, W) of 8 bits: what `read_alpha` reads, sooner where it is plain.

    Raises:
        ImageError: if the file cannot be decoded.
    """
    pixels = _plain_pixels(path, "L")
    return _bytes(read_alpha(path)) if pixels is None else pixels


@cache
def picture_size(path: Path) -> tuple[int, int]:
    """Return (height, width) as shown, from the header alone.

    Raises:
        ImageError: if the file cannot be opened.
    """
    try:
        with Image.open(path) as picture:
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
            return picture.size if turned else (picture.height, picture.width)
    except OSError as error:
        raise ImageError(
            f"{path} is not an image that can be read; remove or replace it"
        ) from error


def _plain_pixels(path: Path, mode: str) -> Plane | None:
    """Pixels of a file that needs neither turning nor colour management; None for any other."""
    try:
        with Image.open(path) as picture:
            special = {"icc_profile", "transparency"} & picture.info.keys()
            if picture.mode != mode or special or picture.getexif().get(_ORIENTATION, 1) != 1:
                return None
            return np.asarray(picture, np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # read anew with all care, which says what is wrong


def _bytes(values: NDArray[np.float32]) -> Plane:
    return np.asarray(levels(values, 8), np.uint8)
