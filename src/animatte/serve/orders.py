"""What is asked of a photo, and the picture that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from animatte.backgrounds import Background
from animatte.compositing import parsed_colour
from animatte.cutting import CutOptions, cut_picture, encoded_picture
from animatte.images import ImageTooLargeError, image_size
from animatte.looks import Looks, parsed_straighten, parsed_zoom
from animatte.outputs import FORMATS
from animatte.predictor import Predictor
from animatte.serve.refusals import RefusalError
from animatte.subjects import Margin, parsed_subject

MEDIA_TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "png16": "image/png",
    "tiff16": "image/tiff",
    "jpg": "image/jpeg",
}


@dataclass(frozen=True)
class Wishes:
    """The options of a request as they were sent; each as the option of `animatte cut`.

    Attributes:
        matte: the alpha alone.
        format: of the picture.
        background: a colour or "blur".
        subject: "all" or "largest".
        point: X,Y of a subject.
        box: X0,Y0,X1,Y1 around a subject.
        crop: to the subject.
        straighten: whether or how the photo is turned upright.
        zoom: whether small subjects are looked at again.
    """

    matte: bool
    format: str
    background: str | None
    subject: str
    point: str | None
    box: str | None
    crop: bool
    straighten: str
    zoom: str


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
        photo_size: (height, width) of the photo in pixels.
        confidence: as in `animatte.cutting.CutReport`.
        needs_review: as there.
        is_empty: no animal was found.
    """

    data: bytes
    photo_size: tuple[int, int]
    confidence: float | None
    needs_review: bool
    is_empty: bool


def order_of(wishes: Wishes, max_pixels: int) -> Order:
    """Check what a request asks for.

    Args:
        wishes: as they were sent.
        max_pixels: refuse larger photos.

    Raises:
        RefusalError: naming the value, the rule and the remedy.
    """
    if wishes.format not in FORMATS:
        raise RefusalError(
            422, f"format {wishes.format!r} is unknown; choose one of {', '.join(FORMATS)}"
        )
    try:
        options = CutOptions(
            matte=wishes.matte,
            background=None if wishes.background is None else _background(wishes.background),
            output_format=FORMATS[wishes.format],
            max_pixels=max_pixels,
            subject=parsed_subject(wishes.subject, wishes.point, wishes.box),
            crop=Margin() if wishes.crop else None,
        )
        looks = Looks(parsed_straighten(wishes.straighten), parsed_zoom(wishes.zoom))
    except ValueError as error:
        raise RefusalError(422, str(error).replace("--", "")) from error
    return Order(options, looks)


def answered(predictor: Predictor, photo: bytes, order: Order) -> Answer:
    """Cut a photo.

    Raises:
        RefusalError: if it cannot be read, is too large, or has no subject where one is asked for.
    """
    looking = Predictor(predictor.network, predictor.strategy, looks=order.looks)
    with _photo_s_faults(order.options.max_pixels):
        picture = cut_picture(looking, photo, order.options)
        data = encoded_picture(picture, order.options)
    return Answer(
        data, picture.photo_size, picture.confidence, picture.needs_review, picture.is_empty
    )


def num_pixels(photo: bytes, max_pixels: int) -> int:
    """Return how many pixels a photo has, by its header.

    Raises:
        RefusalError: if the header cannot be read, or there are too many.
    """
    with _photo_s_faults(max_pixels):
        height, width = image_size(photo, max_pixels)
    return height * width


@contextmanager
def _photo_s_faults(max_pixels: int) -> Iterator[None]:
    """What is wrong with a photo, as an answer."""
    try:
        yield
    except ImageTooLargeError as error:
        line = f"{str(error).partition(';')[0]}; this server takes {max_pixels}"
        raise RefusalError(413, line) from error
    except ValueError as error:
        raise RefusalError(422, str(error)) from error
    except MemoryError as error:
        raise RefusalError(413, "the photo does not fit into memory; send a smaller one") from error


def _background(text: str) -> Background:
    """Never a path or an address: a stranger could choose it."""
    return Background() if text.lower() == "blur" else Background(colour=parsed_colour(text))
