"""What results are written as: containers, codecs and what each can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import av
from av.codec import Codec

from animatte.video.frames import VideoError
from animatte.video.sequences import is_pattern

Kind: TypeAlias = Literal["cutout", "matte", "composite", "side-by-side"]


@dataclass(frozen=True)
class VideoFormat:
    """A kind of result.

    Attributes:
        name: as users write it.
        suffixes: of its files; none for pictures.
        encoders: names in FFmpeg, the first that is there is taken.
        options: for the encoder.
        pixel_format: without alpha.
        alpha_pixel_format: with alpha; "" if it holds none.
        deep: written with more than 8 bits a channel.
        needs_even_sides: width and height must be even.
        bit_depth: of pictures.
    """

    name: str
    suffixes: tuple[str, ...]
    encoders: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    pixel_format: str = ""
    alpha_pixel_format: str = ""
    deep: bool = False
    needs_even_sides: bool = False
    bit_depth: Literal[8, 16] = 8

    @property
    def is_pictures(self) -> bool:
        """Whether it is one file a frame."""
        return not self.encoders

    @property
    def has_alpha(self) -> bool:
        """Whether it can hold transparency."""
        return self.is_pictures or bool(self.alpha_pixel_format)

    def encoder(self) -> str:
        """The encoder to use, of those that this FFmpeg has.

        Raises:
            VideoError: if it has none.
        """
        for name in self.encoders:
            if _has_encoder(name):
                return name
        raise VideoError(
            f"format {self.name} needs one of the encoders {', '.join(self.encoders)}, and this "
            "FFmpeg has none; choose another --format, or run: pip install --force-reinstall av"
        )


# No reordered frames: packet and frame pair one to one when segments are joined.
FORMATS: Mapping[str, VideoFormat] = {
    known.name: known
    for known in (
        VideoFormat(
            "prores",
            (".mov", ".mkv"),
            ("prores_ks",),
            # One quantiser for all, the second finest: colours are off by 0.6 of 255 levels, which
            # costs more bits than ProRes 4444 has by default, and a quarter of the time that
            # looking for the best takes. FFmpeg counts quality in steps of 118. One thread keeps up
            # with the mattes; more of them cost them time.
            {
                "profile": "4444",
                "vendor": "apl0",
                "alpha_bits": "16",
                "flags": "qscale",
                "global_quality": "236",
                "threads": "1",
            },
            pixel_format="yuv444p10le",
            alpha_pixel_format="yuva444p10le",
            deep=True,
        ),
        VideoFormat(
            "vp9",
            (".webm", ".mkv"),
            ("libvpx-vp9",),
            {
                "crf": "24",
                "b": "0",
                "deadline": "realtime",
                "cpu-used": "8",
                "threads": "1",  # as above
                "auto-alt-ref": "0",
                "lag-in-frames": "0",
            },
            pixel_format="yuv420p",
            alpha_pixel_format="yuva420p",
        ),
        VideoFormat(
            "h264",
            (".mp4", ".m4v", ".mov", ".mkv"),
            ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf"),
            {"crf": "18", "preset": "superfast", "bf": "0", "b": "12000000"},
            pixel_format="yuv420p",
            needs_even_sides=True,
        ),
        VideoFormat("png", ()),
        VideoFormat("png16", (), deep=True, bit_depth=16),
    )
}
_DEFAULT_OF_SUFFIX = {
    ".mov": "prores",
    ".webm": "vp9",
    ".mp4": "h264",
    ".m4v": "h264",
    ".mkv": "h264",
}


def _has_encoder(name: str) -> bool:
    try:
        return Codec(name, "w").is_encoder
    except (av.codec.codec.UnknownCodecError, ValueError):
        return False


def chosen_format(name: str | None, output: str, kind: Kind) -> VideoFormat:
    """The format by its name, else by the suffix of the output.

    Raises:
        VideoError: for an unknown name or suffix, or one that cannot hold what is written.
    """
    suffix = Path(output).suffix.lower()
    pictures = is_pattern(output) or output.endswith("/") or not suffix or Path(output).is_dir()
    if name is None:
        chosen = FORMATS["png"] if pictures else _format_of_suffix(suffix)
    elif name.lower() in FORMATS:
        chosen = FORMATS[name.lower()]
    else:
        raise VideoError(f"format {name!r} is unknown; choose one of {', '.join(FORMATS)}")
    if chosen.is_pictures and not pictures:
        raise VideoError(
            f"{output} is one file, and {chosen.name} writes one a frame; "
            "name a folder, or pictures like out/%05d.png"
        )
    if chosen.is_pictures and is_pattern(output) and suffix != ".png":
        raise VideoError(f"pictures are written as .png, not {suffix!r}; name them like %05d.png")
    if not chosen.is_pictures and (pictures or suffix not in chosen.suffixes):
        raise VideoError(
            f"format {chosen.name} goes into a file ending in {' or '.join(chosen.suffixes)}; "
            f"{output} is none"
        )
    if kind == "cutout" and not chosen.has_alpha:
        raise VideoError(
            f"{chosen.name} cannot hold transparency; write .mov (ProRes), .webm (VP9) or PNG "
            "pictures, or add --background or --matte"
        )
    return chosen


def _format_of_suffix(suffix: str) -> VideoFormat:
    if suffix not in _DEFAULT_OF_SUFFIX:
        raise VideoError(
            f"output suffix {suffix!r} is unknown; choose one of {', '.join(_DEFAULT_OF_SUFFIX)}, "
            "or a folder or name-%05d.png for pictures"
        )
    return FORMATS[_DEFAULT_OF_SUFFIX[suffix]]


def encoder_options(chosen: VideoFormat) -> dict[str, Any]:
    """The format's options, less what its encoder would not know."""
    options = dict(chosen.options)
    if chosen.name == "h264":
        for name in ("b",) if chosen.encoder() == "libx264" else ("crf", "preset", "bf"):
            del options[name]
    return options
