"""Between a film's YCbCr and RGB: by the right matrix and range, and told to who reads the result.

Wrong by default in many tools: a clip of standard size that says nothing is BT.601, one of high
definition BT.709, and limited range (16 to 235) unless it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from animatte.images.arrays import Levels

# Numbers of ISO/IEC 23091-2, which FFmpeg uses.
_UNSPECIFIED: Final = 2
_RGB: Final = 0
_BT709: Final = 1
_BT601_625: Final = 5
_BT601_525: Final = 6
_LIMITED: Final = 1
_FULL: Final = 2
_MATRICES: Final = (1, 4, 5, 6, 7, 9)
_HIGH_DEFINITION = 1280, 720  # from this width or height on

_WITHOUT_ALPHA: Final = {False: "rgb24", True: "rgb48le"}
_WITH_ALPHA = {False: "rgba", True: "rgba64le"}


@dataclass(frozen=True)
class ColourTags:
    """How a film's numbers mean colours, as numbers of ISO/IEC 23091-2.

    Attributes:
        matrix: between RGB and YCbCr.
        primaries: the colours of red, green and blue.
        transfer: the curve from numbers to light.
        is_full: whether black is 0 instead of 16.
    """

    matrix: int = _BT709
    primaries: int = _BT709
    transfer: int = _BT709
    is_full: bool = False

    @property
    def limited(self) -> ColourTags:
        """The same in limited range, which every player takes."""
        return replace(self, is_full=False)


def colour_tags(
    size: tuple[int, int], matrix: int, primaries: int, transfer: int, colour_range: int
) -> ColourTags:
    """What a clip says, completed by what its size makes likely where it says nothing.

    Args:
        size: (height, width).
        matrix: as the file has it, 2 for unspecified.
        primaries: likewise.
        transfer: likewise.
        colour_range: 1 for limited, 2 for full, 0 for unspecified.
    """
    height, width = size
    is_large = width >= _HIGH_DEFINITION[0] or height >= _HIGH_DEFINITION[1]
    standard = _BT601_625 if height in (288, 576) else _BT601_525
    # An RGB film has no matrix; the result, which has one, then is BT.709 at any size.
    likely = _BT709 if is_large or matrix == _RGB else standard
    known = matrix if matrix in _MATRICES else likely
    return ColourTags(
        known,
        known if primaries == _UNSPECIFIED and known in (1, 5, 6, 9) else primaries,
        _likely_transfer(known) if transfer == _UNSPECIFIED else transfer,
        colour_range == _FULL,
    )


def _likely_transfer(matrix: int) -> int:
    return {_BT601_625: _BT601_525, _BT601_525: _BT601_525, 9: 14}.get(matrix, _BT709)


class Converter:
    """Brings frames to RGB arrays and back; keeps what it needs for frames of one kind.

    Args:
        tags: of the film's numbers.
    """

    def __init__(self, tags: ColourTags) -> None:
        self._tags = tags
        self._reformatter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame, deep: bool, has_alpha: bool) -> NDArray[Any]:
        """RGB (H, W, 3) or RGBA (H, W, 4) of a frame; uint16 if deep, else uint8."""
        name = (_WITH_ALPHA if has_alpha else _WITHOUT_ALPHA)[deep]
        options: dict[str, Any] = {"dst_color_range": _FULL}
        if not frame.format.is_rgb:
            full = self._tags.is_full or frame.format.name.startswith("yuvj")
            options |= {
                "src_colorspace": self._tags.matrix,
                "dst_colorspace": self._tags.matrix,
                "src_color_range": _FULL if full else _LIMITED,
            }
        return self._reformatter.reformat(frame, format=name, **options).to_ndarray()

    def frame(
        self, colour: Levels | None, alpha: NDArray[np.float32] | None, pixel_format: str
    ) -> av.VideoFrame:
        """A frame of YCbCr, with its tags.

        Args:
            colour: (H, W, 3) RGB of 8 or 16 bits; None for a matte, which is alpha in grey.
            alpha: (H, W) in [0, 1]; None for opaque.
            pixel_format: planar YCbCr, with alpha if there are both.
        """
        if colour is None:
            assert alpha is not None, "a frame has colours, alpha, or both"
            result = self._grey(alpha, pixel_format)
        else:
            name = _WITHOUT_ALPHA[colour.dtype == np.uint16]
            result = self._reformatter.reformat(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(colour), format=name),
                format=pixel_format,
                src_colorspace=self._tags.matrix,
                dst_colorspace=self._tags.matrix,
                src_color_range=_FULL,
                dst_color_range=_FULL if self._tags.is_full else _LIMITED,
            )
            if alpha is not None:
                bits = _bits(result)
                _write_plane(result, 3, _steps(alpha, 0, 2**bits - 1))
        tag(result, self._tags)
        return result

    def _grey(self, light: NDArray[np.float32], pixel_format: str) -> av.VideoFrame:
        """A frame without colour: one plane is computed, the others are even."""
        result = av.VideoFrame(light.shape[1], light.shape[0], pixel_format)
        fine = 2 ** (_bits(result) - 8)
        black, white = (0, 256 * fine - 1) if self._tags.is_full else (16 * fine, 235 * fine)
        _write_plane(result, 0, _steps(light, black, white))
        for number in (1, 2):
            _write_plane(result, number, 128 * fine)
        return result


def _bits(frame: av.VideoFrame) -> int:
    return frame.format.components[0].bits


def _steps(values: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """[0, 1] as the numbers from the first to the last, not rounded yet."""
    return values * np.float32(last - first) + np.float32(first + 0.5)


def _write_plane(frame: av.VideoFrame, number: int, values: NDArray[np.float32] | int) -> None:
    """Fill one plane, with values rounded down."""
    plane = frame.planes[number]
    kind = np.uint8 if _bits(frame) == 8 else np.uint16
    rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)
    rows[:, : plane.width] = values


def tag(target: av.VideoFrame | av.VideoCodecContext, tags: ColourTags) -> None:
    """Write tags on a frame or an encoder."""
    target.colorspace = tags.matrix
    target.color_range = _FULL if tags.is_full else _LIMITED
    target.color_primaries = tags.primaries
    target.color_trc = tags.transfer
