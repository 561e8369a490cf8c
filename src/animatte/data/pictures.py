"""Pictures for training: where they come from, and decoding them.

Decoding is quick, plane by plane, and what is decoded is kept while there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.data.augmentation import View
from animatte.data.folders import Pair
from animatte.images import ImageError, read_alpha, read_photo
from animatte.images.arrays import levels

Plane: TypeAlias = NDArray[np.uint8]

_ORIENTATION = 0x0112  # of EXIF
_DAMAGE = (OSError, SyntaxError, ValueError)  # what Pillow raises
# How a file ends that is whole; OpenCV takes less time over these two formats than Pillow.
_ENDS: Final = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_COLOUR_FLAGS: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


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

    def seen(self, picture: Path | Pair, view: View) -> Plane:
        """Return a view of a picture, (H, W, 3) RGB.

        A JPEG that the view shrinks is decoded at 1/2, 1/4 or 1/8, which takes less time and
        averages what would be thrown away. That depends on the view alone, so that what is kept
        already changes nothing.

        Raises:
            ValueError: if the file cannot be decoded.
        """
        if isinstance(picture, Pair) and type(picture) is not Pair:  # read in a way of its own
            return view.of(self._kept((picture, "image"), lambda: picture.read().image))
        path = picture.image if isinstance(picture, Pair) else picture
        part = _reduction(path, view.shrink)
        image = self._kept((path, f"image/{part}"), lambda: decoded_image(path, part))
        return view.of(image) if part == 1 else view.through(1 / part, (0, 0)).of(image)

    def background(self, pair: Pair, view: View) -> Plane:
        """Return a view of what is behind the subject of a pair that has it, (H, W, 3) RGB.

        Raises:
            ValueError: if the file cannot be decoded.
        """
        assert pair.background is not None
        if type(pair) is Pair:
            return self.seen(pair.background, view)

        def decoded() -> Plane:
            behind = pair.read_background()
            assert behind is not None
            return behind

        return view.of(self._kept((pair, "background"), decoded))

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


def decoded_image(path: Path, part: int = 1) -> Plane:
    """Decode a picture, (H, W, 3) RGB of 8 bits: what `read_photo` sees, sooner where it is plain.

    Args:
        path: the file.
        part: decode at 1/part of the size; above 1 only for what `Header.scalable` says.

    Raises:
        ImageError: if the file cannot be decoded.
    """
    pixels = _plain_pixels(path, "RGB", part)
    return levels(read_photo(path).image, 8) if pixels is None else pixels


def decoded_alpha(path: Path) -> Plane:
    """Decode a matte, (H, W) of 8 bits: what `read_alpha` reads, sooner where it is plain.

    Raises:
        ImageError: if the file cannot be decoded.
    """
    pixels = _plain_pixels(path, "L")
    return levels(read_alpha(path), 8) if pixels is None else pixels


class Header(NamedTuple):
    """What a file says of its picture before it is decoded.

    Attributes:
        size: (height, width) as shown.
        mode: of Pillow.
        format: of Pillow.
        plain: whether it needs neither turning nor colour management.
        scalable: whether it can be decoded smaller.
    """

    size: tuple[int, int]
    mode: str
    format: str
    plain: bool
    scalable: bool


@cache
def header(path: Path) -> Header:
    """Read the header of a picture.

    Raises:
        ImageError: if it cannot be opened.
    """
    try:
        with Image.open(path) as picture:
            orientation = picture.getexif().get(_ORIENTATION, 1)
            plain = not {"icc_profile", "transparency"} & picture.info.keys() and orientation == 1
            size = picture.size if orientation >= 5 else picture.size[::-1]
            scalable = plain and picture.format == "JPEG" and picture.mode == "RGB"
            return Header(size, picture.mode, picture.format or "", plain, scalable)
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise ImageError(
            f"{path} is not an image that can be read; remove or replace it"
        ) from error


def _reduction(path: Path, shrink: float) -> int:
    """1, 2, 4 or 8: how much smaller a file may be decoded for a view that shrinks it so."""
    if shrink < 2 or not header(path).scalable:
        return 1
    return max(part for part in (1, 2, 4, 8) if part <= shrink)


def _plain_pixels(path: Path, mode: str, part: int = 1) -> Plane | None:
    """Pixels of a file that needs no care; None for any other."""
    about = header(path)
    if not about.plain or about.mode != mode:
        return None
    try:
        data = path.read_bytes()
        if data.endswith(_ENDS.get(about.format, b"?")):
            return _opencv_pixels(data, mode, part)
        with Image.open(BytesIO(data)) as picture:
            if part > 1:
                picture.draft(mode, (max(1, picture.width // part), max(1, picture.height // part)))
            return np.asarray(picture, np.uint8)
    except _DAMAGE:
        return None  # read anew with all care, which says what is wrong


def _opencv_pixels(data: bytes, mode: str, part: int) -> Plane | None:
    flag = cv2.IMREAD_GRAYSCALE if mode == "L" else _COLOUR_FLAGS[part]
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if pixels is not None and mode == "RGB":
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, pixels)
    return None if pixels is None else np.asarray(pixels, np.uint8)
