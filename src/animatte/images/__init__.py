"""Image files in and out: photos upright and in sRGB, cut-outs with straight alpha."""

from animatte.images.arrays import ImageError, ImageTooLargeError
from animatte.images.opening import (
    DEFAULT_MAX_PIXELS,
    READABLE_SUFFIXES,
    Held,
    image_header,
    image_size,
    lasting_source,
)
from animatte.images.photo import Photo, photo_from_array, read_alpha, read_photo
from animatte.images.writing import (
    OUTPUT_SUFFIXES,
    encoded_image,
    write_alpha,
    write_image,
    write_whole,
)

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "OUTPUT_SUFFIXES",
    "READABLE_SUFFIXES",
    "Held",
    "ImageError",
    "ImageTooLargeError",
    "Photo",
    "encoded_image",
    "image_header",
    "image_size",
    "lasting_source",
    "photo_from_array",
    "read_alpha",
    "read_photo",
    "write_alpha",
    "write_image",
    "write_whole",
]
