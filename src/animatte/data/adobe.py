"""Adobe Deep Image Matting (Xu et al. 2017): foregrounds, and the lists of Composition-1k."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite
from animatte.data.folders import Pair
from animatte.data.layouts import Layout, Listing, absent, by_stem, named_lines
from animatte.images import read_alpha, read_photo
from animatte.images.arrays import levels

BACKGROUNDS_OF_TEST, BACKGROUNDS_OF_TRAIN = 20, 100
_TRAIN = ("Training_set/Adobe-licensed images", "Training_set/Other")
_TEST = ("Test_set/Adobe-licensed images",)


@dataclass(frozen=True)
class CompositionPair(Pair):
    """A foreground that is composited onto its background when it is read.

    `image` and `foreground` are one file; `background` is as published, of any size.

    Attributes:
        number: which of the foreground's backgrounds it is, from 0.
    """

    number: int = 0

    @property
    def name(self) -> str:
        """The foreground's name and the number, as Composition-1k names its trimaps."""
        return f"{self.image.stem}_{self.number}"

    def unit_image(self) -> NDArray[np.float32]:
        """Composite as the publisher does: (H, W, 3) in [0, 1]."""
        assert self.alpha is not None
        assert self.background is not None
        foreground, alpha = read_photo(self.image).image, read_alpha(self.alpha)
        if alpha.shape != foreground.shape[:2]:
            raise ValueError(
                f"{self.image} is {foreground.shape[:2]}, {self.alpha} {alpha.shape}; "
                "both must have one height and width"
            )
        behind = background_under(read_photo(self.background).image, alpha.shape)
        return composite(foreground, behind, alpha)

    def read_background(self) -> NDArray[np.uint8] | None:
        """Decode the background, as large as the foreground: (H, W, 3)."""
        assert self.background is not None
        height, width = read_photo(self.image).size
        behind = background_under(read_photo(self.background).image, (height, width))
        return levels(behind, 8)


def background_under(background: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Bring a background to a foreground's size as Composition-1k does.

    One that is smaller is enlarged (bicubic, by one factor for both sides, rounded up) until it
    covers the foreground; then its upper left corner is taken.

    Args:
        background: (h, w, 3) in [0, 1].
        size: (height, width) of the foreground.
    """
    height, width = size
    factor = max(height / background.shape[0], width / background.shape[1])
    if factor > 1:
        enlarged = (ceil(background.shape[1] * factor), ceil(background.shape[0] * factor))
        resized = cv2.resize(background, enlarged, interpolation=cv2.INTER_CUBIC)
        background = np.clip(resized, 0, 1).astype(np.float32)
    return background[:height, :width]


def foregrounds(root: Path) -> Listing:
    """The 431 training foregrounds with their alphas, from both licences' folders.

    Order is that of `training_fg_names.txt`, where it is there.
    """
    there = [folder for folder in _TRAIN if (root / folder / "fg").is_dir()]
    if not there:
        return absent(root / _TRAIN[0] / "fg")
    listings = [
        Layout(f"{folder}/fg", f"{folder}/alpha", foreground=f"{folder}/fg")(root)
        for folder in there
    ]
    pairs = [pair for listing in listings for pair in listing.pairs]
    faults = [fault for listing in listings for fault in listing.faults]
    names = root / "Training_set" / "training_fg_names.txt"
    if names.is_file():
        order = {Path(name).stem: place for place, name in enumerate(named_lines(names))}
        found = {pair.name for pair in pairs}
        faults += [f"{names} names {name}, which is not there" for name in order.keys() - found]
        pairs.sort(key=lambda pair: order.get(pair.name, len(order)))
    return Listing(pairs, sorted(faults))


def train_composites(root: Path) -> Listing:
    """Each training foreground on its 100 COCO pictures, by the publisher's two lists."""
    return _listed(root, "Training_set", "training", _TRAIN, BACKGROUNDS_OF_TRAIN)


def composition_1k(root: Path) -> Listing:
    """Composition-1k: each of 50 test foregrounds on its 20 PASCAL VOC pictures, in order."""
    return _listed(root, "Test_set", "test", _TEST, BACKGROUNDS_OF_TEST)


def _listed(
    root: Path, folder: str, beginning: str, parts: tuple[str, ...], per_foreground: int
) -> Listing:
    """Foreground i goes onto the backgrounds i·n to i·n + n - 1 of the list."""
    try:
        names = named_lines(root / folder / f"{beginning}_fg_names.txt")
        behind = named_lines(root / folder / f"{beginning}_bg_names.txt")
    except ValueError as error:
        return Listing([], [str(error)], is_absent=True)
    found = {
        kind: {k: v for part in parts for k, v in by_stem(root / part / kind).items()}
        for kind in ("fg", "alpha", "trimaps")
    }
    backgrounds = by_stem(root / folder / "bg")
    if not backgrounds:
        return absent(root / folder / "bg")
    faults = [
        f"{root / folder}: {name} has no {kind}"
        for name in names
        for kind in ("fg", "alpha")
        if Path(name).stem not in found[kind]
    ]
    if len(behind) != len(names) * per_foreground:
        faults.append(
            f"{root / folder}: {len(names)} foregrounds and {len(behind)} backgrounds are "
            f"listed; each foreground has {per_foreground}"
        )
    pairs: list[Pair] = []
    for place, background in enumerate(behind[: len(names) * per_foreground]):
        stem, number = Path(names[place // per_foreground]).stem, place % per_foreground
        if Path(background).stem not in backgrounds:
            faults.append(f"{root / folder / 'bg'} has no {background}")
        elif stem in found["fg"] and stem in found["alpha"]:
            trimap = found["trimaps"].get(f"{stem}_{number}")
            image, alpha = found["fg"][stem], found["alpha"][stem]
            path = backgrounds[Path(background).stem]
            pairs.append(CompositionPair(image, alpha, trimap, image, path, number=number))
    return Listing(pairs, faults)
