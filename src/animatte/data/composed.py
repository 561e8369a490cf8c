"""What the compositor hands back: a picture for the network, and what was drawn for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from animatte.data.composition import Layers
from animatte.sample import Sample


@dataclass
class Account:
    """What was drawn for one composite.

    Attributes:
        foreground: name of the picture.
        size: (height, width) of the composite.
        crop: (2, 3) from x, y of the composite to those of the picture.
        background: name, or None where the picture keeps its own.
        behind: name of the second foreground, or None.
        fur: whether fur was grown.
        semantic: whether the background is one without objects.
        enlarged: by how much the background was enlarged, 1 for not at all.
        denoised: whether denoised layers were taken.
        blur: width of the background's blur, 0 for none.
        noise: standard deviation of the noise, 0 for none.
        pasted: name of the subject pasted in front, or None.
        hidden_by: name of the subject in whose shape something is pasted in front, or None.
        nested: whether the subject lies in or on something.
    """

    foreground: str
    size: tuple[int, int]
    crop: list[list[float]]
    background: str | None = None
    behind: str | None = None
    fur: bool = False
    semantic: bool = True
    enlarged: float = 1.0
    denoised: bool = False
    blur: float = 0.0
    noise: float = 0.0
    pasted: str | None = None
    hidden_by: str | None = None
    nested: bool = False


class Composed(NamedTuple):
    """A picture for the network.

    Attributes:
        sample: image and alpha.
        layers: what the image is made of, or None where it is a photo as it was, unless the
            compositor was asked for those of photos too.
        account: what was drawn.
    """

    sample: Sample
    layers: Layers | None
    account: Account
