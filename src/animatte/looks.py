"""How often, how turned and how close a network looks at a photo: what its training left out.

A network knows what it was trained on: animals that stand upright, fill much of the picture and
have their own proportions. Here a photo is brought to it so, and its alpha back, whichever the
network: all that is asked for is a function from picture to alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from animatte.confidence import Signs
from animatte.images.arrays import Pixels, bands, unit_pixels
from animatte.islands import FAINT
from animatte.scales import resized_in_range
from animatte.turning import turned, turned_back
from animatte.upright import sureness, upright_angle
from animatte.zooming import Box, paste, subject_boxes

Array: TypeAlias = NDArray[np.float32]
Sketch: TypeAlias = Callable[[Pixels], Array]
When: TypeAlias = Literal["never", "auto", "always"]

_WHEN: tuple[When, ...] = get_args(When)
# In the score of `animatte.upright`: a first look as sure as this is enough, and what another side
# must gain. Chosen on validation pictures: the error of those that stand upright does not rise.
_SURE = 3.7
_CLEAR_GAIN = 0.1
# A crop's longer side, as a share of the photo's: from there on a second look sees more.
_SMALL: dict[str, float] = {"auto": 0.6, "always": 0.85}
_MOST_STRETCH = 8
_MOST_PIXELS = 64_000_000


class Seen(NamedTuple):
    """What one look gives.

    Attributes:
        alpha: (H, W) in [0, 1], at the size of what was looked at.
        signs: what hints at an error; None of a network that merges by itself.
    """

    alpha: Array
    signs: Signs | None = None


Look: TypeAlias = Callable[[Pixels], Seen]


@dataclass(frozen=True)
class Aspect:
    """The true proportions of a squeezed picture: width to height."""

    width: float
    height: float

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        if not all(math.isfinite(side) and side > 0 for side in sides) or not (
            1 / 20 <= self.width / self.height <= 20
        ):
            raise ValueError(
                f"aspect {self} is out of range; both numbers must be above 0, and neither more "
                "than 20 times the other, as in 16:9"
            )

    def __str__(self) -> str:
        return f"{self.width:g}:{self.height:g}"


@dataclass(frozen=True)
class Looks:
    """What is done beyond one look at the photo as it is.

    Attributes:
        straighten: turn the photo upright for the network: "never"; "auto", where the first look
            is unsure and another side clearly surer (`animatte.upright` says how it decides; costs
            eight to ten small sketches and one more look where it turns, nothing where the first
            look is sure); "always" try, and take the surest side; or degrees counter-clockwise.
        zoom: look a second time at subjects that are small: "never"; "auto", where a subject's
            crop is below 0.6 of the photo's longer side; "always" below 0.85. Costs a look for
            each crop, nothing where there is none.
        aspect: the photo's true proportions, where it was squeezed; None for its own.
    """

    straighten: When | float = "never"
    zoom: When = "never"
    aspect: Aspect | None = None

    def __post_init__(self) -> None:
        if isinstance(self.straighten, str):
            _when("straighten", self.straighten, ", or degrees such as 90")
        elif not -180 <= self.straighten <= 180:
            raise ValueError(
                f"straighten is {self.straighten:g} degrees; it must lie between -180 and 180, "
                "counter-clockwise"
            )
        _when("zoom", self.zoom)


class Matte(NamedTuple):
    """An alpha, and what was done to find it.

    Attributes:
        alpha: (H, W) in [0, 1], at the photo's own size.
        turned: degrees counter-clockwise that the photo was turned by for the network.
        zoomed: the crops that were looked at a second time, in pixels of the photo.
        aspect: the proportions to which it was stretched.
        signs: what hints at an error, of each look that alpha is made of; empty where the network
            discloses none.
        confidence: probability in [0, 1] that alpha is right, as `animatte.confidence` says; 0 if
            nothing was found; None where it was not measured for these weights.
        needs_review: the confidence is below the threshold that comes with the weights.
        unmultiplied: (H, W) alpha without the photo's own; None where the photo has none.
    """

    alpha: Array
    turned: float = 0.0
    zoomed: tuple[Box, ...] = ()
    aspect: Aspect | None = None
    signs: tuple[Signs, ...] = ()
    confidence: float | None = None
    needs_review: bool = False
    unmultiplied: Array | None = None

    @property
    def mixing(self) -> Array:
        """(H, W) alpha by which the photo's colours are mixed: what to estimate the subject's by.

        A photo's own alpha has no part in it, for the colours of a photo that has one are straight.
        """
        return self.alpha if self.unmultiplied is None else self.unmultiplied

    def multiplied(self, own: Pixels) -> Matte:
        """The same for a photo with an alpha of its own, (H, W): it multiplies this one, in place.

        Where it is 0 the photo shows nothing, and none of the colour there is the subject's.
        """
        unmultiplied = self.alpha.copy()
        for rows in bands(own.shape):
            shown = unit_pixels(own[rows])
            self.alpha[rows] *= shown
            unmultiplied[rows][shown == 0] = 0
        return self._replace(unmultiplied=unmultiplied)

    @property
    def is_empty(self) -> bool:
        """Whether no animal was found: nothing, or nothing that is more than half opaque."""
        return bool(self.alpha.max() < FAINT)

    def as_dict(self) -> dict[str, Any]:
        """Return what was done as plain values, ready for JSON."""
        return {
            "turned": int(self.turned) if self.turned == int(self.turned) else self.turned,
            "zoomed": [list(box) for box in self.zoomed],
            "aspect": None if self.aspect is None else str(self.aspect),
        }


def parsed_aspect(text: str) -> Aspect:
    """Read "W:H".

    Raises:
        ValueError: if it is not two numbers above 0, or they are out of range.
    """
    try:
        width, height = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise ValueError(
            f"aspect {text!r} is not W:H; write two numbers above 0, such as 16:9"
        ) from error
    return Aspect(width, height)


def parsed_straighten(text: str) -> When | float:
    """Read "never", "auto", "always" or degrees.

    Raises:
        ValueError: if it is none of them.
    """
    try:
        return float(text)
    except ValueError:
        return _when("straighten", text, ", or degrees such as 90")


def parsed_zoom(text: str) -> When:
    """Read "never", "auto" or "always".

    Raises:
        ValueError: if it is none of them.
    """
    return _when("zoom", text)


def matte(image: Pixels, look: Look, sketch: Sketch, looks: Looks) -> Matte:
    """Find alpha in as many looks as it takes.

    Args:
        image: (H, W, 3) RGB: floats in [0, 1], or levels of 8 or 16 bits.
        look: a picture's alpha, as good as it gets.
        sketch: a small picture's alpha, quickly, to decide by.
        looks: what to do.

    Raises:
        ValueError: if the photo would have to be stretched more than 8 times.
    """
    size = image.shape[:2]
    stretched = image if looks.aspect is None else _stretched(image, looks.aspect)
    (alpha, whole), degrees = _upright_seen(stretched, look, sketch, looks.straighten)
    boxes: list[Box] = []
    signs = [whole]
    if looks.zoom != "never":
        boxes = subject_boxes(alpha, _SMALL[looks.zoom])
    for box in boxes:
        crop = np.ascontiguousarray(stretched[box.area])
        close = _turned_seen(crop, look, degrees, alpha[box.area])
        paste(alpha, close.alpha, box)
        signs.append(close.signs)
    if alpha.shape != size:
        boxes = [_scaled(box, alpha.shape, size) for box in boxes]
        alpha = resized_in_range(alpha, size)
    disclosed = tuple(each for each in signs if each is not None)
    return Matte(alpha, degrees, tuple(boxes), looks.aspect, disclosed)


def _upright_seen(
    image: Pixels, look: Look, sketch: Sketch, straighten: When | float
) -> tuple[Seen, float]:
    """What is seen of the picture turned upright, turned back; and the angle."""
    if not isinstance(straighten, str):
        cuts_corners = straighten % 90 != 0  # which the look at the picture as it is has to fill
        outside = look(image).alpha if cuts_corners else np.zeros(image.shape[:2], np.float32)
        return _turned_seen(image, look, straighten, outside), straighten
    first = look(image)
    if straighten == "never" or (straighten == "auto" and sureness(first.alpha) > _SURE):
        return first, 0.0
    degrees = upright_angle(image, sketch, _CLEAR_GAIN if straighten == "auto" else 0.0)
    return _turned_seen(image, look, degrees, first.alpha) if degrees else first, degrees


def _turned_seen(image: Pixels, look: Look, degrees: float, outside: Array) -> Seen:
    if degrees == 0:
        return look(image)
    seen = look(turned(image, degrees))
    return seen._replace(alpha=turned_back(seen.alpha, degrees, outside))


def _when(name: str, value: str, more: str = "") -> When:
    for known in _WHEN:
        if value == known:
            return known
    raise ValueError(f"{name} {value!r} is unknown; choose one of {', '.join(_WHEN)}{more}")


def _stretched(image: Pixels, aspect: Aspect) -> Pixels:
    """The picture with its true proportions: one side grows, none shrinks (but for memory)."""
    height, width = image.shape[:2]
    ratio = aspect.width / aspect.height * height / width
    if not 1 / _MOST_STRETCH <= ratio <= _MOST_STRETCH:
        raise ValueError(
            f"aspect {aspect} would stretch a picture {width} wide and {height} high "
            f"{max(ratio, 1 / ratio):.0f} times; at most {_MOST_STRETCH} times makes sense: "
            "check that it is W:H"
        )
    wanted = (height * max(1.0, 1 / ratio), width * max(1.0, ratio))
    most = max(_MOST_PIXELS, height * width)
    reduction = min(1.0, math.sqrt(most / (wanted[0] * wanted[1])))
    size = round(wanted[0] * reduction), round(wanted[1] * reduction)
    return resized_in_range(image, size)


def _scaled(box: Box, before: tuple[int, ...], after: tuple[int, int]) -> Box:
    y, x = after[0] / before[0], after[1] / before[1]
    top, left = round(box.top * y), round(box.left * x)
    bottom, right = round((box.top + box.height) * y), round((box.left + box.width) * x)
    return Box(top, left, bottom - top, right - left)
