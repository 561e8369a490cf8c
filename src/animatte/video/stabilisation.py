"""A matte that does not flicker: each frame's alpha steadied by that of the frames beside it.

Two ways, both measured in `docs/video.md`:

- "flow", the default: the last result is carried along the motion (dense inverse search, Kroeger et
  al. 2016, on a reduced view) and mixed into the new alpha, the more the surer the motion is. It
  never looks ahead.
- "delay": one-frame-delay of MODNet (Ke et al. 2022, section 3.4). Where the frames before and
  after agree and the one between differs from both, it takes their mean. It looks one frame ahead.

A cut between scenes starts both anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.images.arrays import Pixels, levels
from animatte.scales import halved_to, resized
from animatte.video.frames import Frame

Array: TypeAlias = NDArray[np.float32]
View: TypeAlias = NDArray[np.uint8]

_VIEW_SIDE: Final = 320  # pixels of the longer side
# Of the flow filter: how much of the last result at most stays, and the difference in colour, in
# [0, 1], at which the motion is no longer trusted.
_MOST_KEPT: Final = 0.6
_TRUSTED_DIFFERENCE: Final = 0.045
# Of the one-frame delay: what counts as the same alpha, as published.
_SAME: Final = 0.1
_KNOWN_OUTSIDE: Final = 16  # pixels of the view from which on it knows nothing
_MIXING_SIDE: Final = 640  # at least this many pixels of the longer side
# Of scene cuts: mean difference of the views in [0, 1], and what their histograms share at most.
_CUT_DIFFERENCE: Final = 0.1
_CUT_SHARED: Final = 0.6


class Steady(NamedTuple):
    """What the next frame is steadied by.

    Attributes:
        view: (h, w, 3) the last frame, reduced.
        alpha: (H, W) its result.
    """

    view: View
    alpha: Array


class MattedFrame(NamedTuple):
    """A frame with its alpha.

    Attributes:
        frame: the frame.
        alpha: (H, W) in [0, 1]; the frame's own alpha has no part in it.
        view: (h, w, 3) the frame reduced.
        is_cut: a new scene begins with it.
    """

    frame: Frame
    alpha: Array
    view: View
    is_cut: bool = False

    @property
    def steady(self) -> Steady:
        """What remains of it for the next one."""
        return Steady(self.view, self.alpha)


Stabiliser: TypeAlias = Callable[[Iterator[MattedFrame], Steady | None], Iterator[MattedFrame]]


def reduced_view(image: Pixels) -> View:
    """Reduce (H, W, 3) RGB, floats in [0, 1] or levels, to what motion and cuts are found on."""
    height, width = image.shape[:2]
    ratio = min(1.0, _VIEW_SIDE / max(height, width))
    size = (max(1, round(height * ratio)), max(1, round(width * ratio)))
    return levels(halved_to(image, size), 8)


def is_scene_cut(before: View, after: View) -> bool:
    """Whether two views are of different scenes: other colours, and other places for them."""
    if before.shape != after.shape:
        return True
    if float(cv2.absdiff(before, after).mean()) / 255 < _CUT_DIFFERENCE:
        return False
    shared = cv2.compareHist(_histogram(before), _histogram(after), cv2.HISTCMP_INTERSECT)
    return shared < _CUT_SHARED


def _histogram(view: View) -> Array:
    counts = cv2.calcHist([view], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return np.asarray(counts / view[:, :, 0].size, np.float32)


def unchanged(items: Iterator[MattedFrame], last: Steady | None) -> Iterator[MattedFrame]:
    """Each frame's alpha as it was found; cuts are marked all the same."""
    for item in items:
        yield item._replace(is_cut=_is_cut(last, item))
        last = item.steady


def along_the_motion(items: Iterator[MattedFrame], last: Steady | None) -> Iterator[MattedFrame]:
    """Mix into each alpha the last result, carried along the motion."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    for item in items:
        cut = _is_cut(last, item)
        if last is not None and not cut:
            item = item._replace(alpha=_steadied(last, item, search))  # noqa: PLW2901
        last = item.steady
        yield item._replace(is_cut=cut)


def one_frame_delay(items: Iterator[MattedFrame], last: Steady | None) -> Iterator[MattedFrame]:
    """Mend each alpha by the frame before and the one after; the last frame has none and stays."""
    waiting: MattedFrame | None = None
    for item in items:
        if waiting is None:
            waiting = item._replace(is_cut=_is_cut(last, item))
            continue
        cut = is_scene_cut(waiting.view, item.view)
        if last is not None and not waiting.is_cut and not cut:
            alpha = _without_outlier(last.alpha, waiting.alpha, item.alpha)
            waiting = waiting._replace(alpha=alpha)
        last = waiting.steady
        yield waiting
        waiting = item._replace(is_cut=cut)
    if waiting is not None:
        yield waiting


def _is_cut(last: Steady | None, item: MattedFrame) -> bool:
    return last is not None and is_scene_cut(last.view, item.view)


def _without_outlier(before: Array, alpha: Array, after: Array) -> Array:
    flickers = np.abs(before - after) <= _SAME
    flickers &= np.abs(alpha - before) > _SAME
    flickers &= np.abs(alpha - after) > _SAME
    return np.where(flickers, (before + after) / 2, alpha).astype(np.float32)


def _steadied(last: Steady, item: MattedFrame, search: cv2.DISOpticalFlow) -> Array:
    before, after = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (last.view, item.view))
    if min(after.shape) < 16:  # smaller than the patches of the search
        return item.alpha
    still = np.zeros((*after.shape, 2), np.float32)  # where the search begins
    flow = np.asarray(search.calc(after, before, still), np.float32)
    size = _mixing_size(item.alpha.shape)
    height, width = size
    columns, rows = _places(flow, size)
    change = np.asarray(_moved(resized(last.alpha, size), columns, rows), np.float32)
    weight = np.asarray(cv2.resize(_trust(last.view, item.view, flow), (width, height)), np.float32)
    change -= resized(item.alpha, size)
    change *= weight
    steadied: Array = resized(change, item.alpha.shape[:2])
    steadied += item.alpha
    return steadied if size == item.alpha.shape else np.clip(steadied, 0, 1, out=steadied)


def _mixing_size(size: tuple[int, ...]) -> tuple[int, int]:
    """The size at which alphas mix: what flickers is as coarse as what the network sees."""
    height, width = size
    step = max(1, max(size) // _MIXING_SIDE)
    return -(-height // step), -(-width // step)


def _trust(before: View, after: View, flow: Array) -> Array:
    """(h, w) how much of the last result stays: all but none where the colours do not fit."""
    columns, rows = _places(flow, after.shape[:2])
    moved = _moved(before, columns, rows)
    difference = cv2.absdiff(moved, after).astype(np.float32)
    mean = cv2.transform(difference, np.full((1, 3), 1 / (3 * 255), np.float32))
    mean = cv2.blur(mean, (5, 5))
    trust = np.exp(-((mean / np.float32(_TRUSTED_DIFFERENCE)) ** 2))
    # What comes from outside the picture is known the less the farther it comes: a sudden end
    # would be seen as a line that moves in with the picture.
    height, width = after.shape[:2]
    inside = np.minimum(
        np.minimum(columns, width - 1 - columns), np.minimum(rows, height - 1 - rows)
    )
    trust *= np.clip(1 + inside / np.float32(_KNOWN_OUTSIDE), 0, 1)
    return np.asarray(_MOST_KEPT * trust, np.float32)


def _moved(picture: NDArray[Any], columns: Array, rows: Array) -> NDArray[Any]:
    return cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _places(flow: Array, size: tuple[int, ...]) -> tuple[Array, Array]:
    """Columns and rows that a flow (h, w, 2) leads to in a picture of the same size or a larger."""
    height, width = size
    across, down = (
        np.asarray(cv2.resize(plane * np.float32(side / old), (width, height)), np.float32)
        for plane, side, old in zip(
            cv2.split(flow), (width, height), flow.shape[1::-1], strict=True
        )
    )
    across += np.arange(width, dtype=np.float32)
    down += np.arange(height, dtype=np.float32)[:, None]
    return across, down


STABILISERS: Mapping[str, Stabiliser] = {
    "flow": along_the_motion,
    "delay": one_frame_delay,
    "none": unchanged,
}


def named_stabiliser(name: str) -> Stabiliser:
    """Return a known way.

    Raises:
        ValueError: if it is unknown.
    """
    if name not in STABILISERS:
        raise ValueError(f"stabilising {name!r} is unknown; choose one of {', '.join(STABILISERS)}")
    return STABILISERS[name]
