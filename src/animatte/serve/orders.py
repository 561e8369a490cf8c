"""What is asked of a photo, and the picture that answers."""

from __future__ import annotations

from dataclasses import dataclass

from animatte.compositing import parsed_colour
from animatte.cutting import Background, CutOptions, encoded_result, is_empty
from animatte.images import ImageError, ImageTooLargeError, read_photo
from animatte.looks import Looks, parsed_straighten, parsed_zoom
from animatte.outputs import FORMATS
from animatte.predictor import Predictor
from animatte.serve.refusals import Refusal

MEDIA_TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "png16": "image/png",
    "tiff16": "image/tiff",
    "jpg": "image/jpeg",
}


@dataclass(frozen=True)
class Order:
    """What a request asks for.

    Attributes:
        options: what is written, in which format.
        looks: how the photo is looked at.
    """

    options: CutOptions
    looks: Looks

    @property
    def media_type(self) -> str:
        """The content type of the answer."""
        return MEDIA_TYPES[self.options.output_format.name]


@dataclass(frozen=True)
class Answer:
    """A finished picture.

    Attributes:
        data: the file.
        size: (height, width) in pixels.
        is_empty: no subject was found.
    """

    data: bytes
    size: tuple[int, int]
    is_empty: bool


def order_of(
    *,
    matte: bool,
    output_format: str,
    background: str | None,
    straighten: str,
    zoom: str,
    max_pixels: int,
) -> Order:
    """Check what a request asks for.

    Args:
        matte: the alpha alone.
        output_format: a key of `animatte.outputs.FORMATS`.
        background: a colour or "blur"; never a path or an address, which a stranger could choose.
        straighten: as `animatte cut --straighten`.
        zoom: as `animatte cut --zoom`.
        max_pixels: refuse larger photos.

    Raises:
        Refusal: naming the value, the rule and the remedy.
    """
    if output_format not in FORMATS:
        raise Refusal(422, f"format {output_format!r} is unknown; choose {', '.join(FORMATS)}")
    try:
        options = CutOptions(
            matte=matte,
            background=None if background is None else _background(background),
            output_format=FORMATS[output_format],
            max_pixels=max_pixels,
        )
        return Order(options, Looks(parsed_straighten(straighten), parsed_zoom(zoom)))
    except ValueError as error:
        raise Refusal(422, str(error)) from error


def answered(predictor: Predictor, photo: bytes, order: Order) -> Answer:
    """Cut a photo.

    Raises:
        Refusal: if it cannot be read, or is too large.
    """
    try:
        opened = read_photo(photo, order.options.max_pixels)
        looking = Predictor(predictor.network, predictor.strategy, looks=order.looks)
        alpha = looking.matte(opened).alpha
        data = encoded_result(opened, alpha, order.options)
    except ImageTooLargeError as error:
        line = f"{str(error).partition(';')[0]}; this server takes {order.options.max_pixels}"
        raise Refusal(413, line) from error
    except (ImageError, ValueError) as error:
        raise Refusal(422, str(error)) from error
    return Answer(data, opened.size, is_empty(alpha))


def _background(text: str) -> Background:
    return Background() if text.lower() == "blur" else Background(colour=parsed_colour(text))
