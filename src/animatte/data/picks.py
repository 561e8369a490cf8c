"""Pictures taken up to be composited: views of foregrounds, their colours, plain surfaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from animatte.data.augmentation import View, ViewConfig, drawn_view
from animatte.data.composed import Account
from animatte.data.composition import Generator, Layers, Subject, eight_bit
from animatte.data.folders import Pair
from animatte.data.fur import FurConfig, furred
from animatte.data.pasting import inside, placed
from animatte.data.pictures import Backgrounds, PictureCache, Plane, Source, header
from animatte.foregrounds import estimated_foreground
from animatte.images.arrays import levels, size_text, unit_pixels

_BACKGROUND_VIEW = ViewConfig(scale=(0.3, 1.0), centred=0)

ViewOf: TypeAlias = Callable[[Plane, Generator], View]


class Pick(NamedTuple):
    """A foreground and the view of it: `whole` is its alpha, `alpha` what the view shows of it."""

    source: Source
    number: int
    view: View
    whole: Plane
    alpha: Plane

    @property
    def name(self) -> str:
        """The picture's name."""
        return self.source.pairs[self.number].name


class Picker:
    """Takes up pictures.

    Args:
        backgrounds: pictures to stand behind, and what lifeless things are made of.
        pictures: decoded pictures.
    """

    def __init__(self, backgrounds: Backgrounds, pictures: PictureCache) -> None:
        self.backgrounds = backgrounds
        self.pictures = pictures

    def picked(self, source: Source, number: int, view_of: ViewOf, rng: Generator) -> Pick:
        """Take up a picture of a source by its number, and draw the view of it."""
        whole = self.pictures.alpha(source.pairs[number])
        view = view_of(whole, rng)
        return Pick(source, number, view, whole, view.of(whole))

    def placed_pick(self, source: Source, size: tuple[int, int], rng: Generator) -> Pick | None:
        """Draw a picture whose subject is pasted, and where; None if it cannot be."""
        number = int(rng.integers(len(source.pairs)))
        whole = self.pictures.alpha(source.pairs[number])
        view = placed(whole, size, rng)
        if view is None:
            return None
        shape = levels(unit_pixels(view.of(whole)) * inside(view, whole.shape), 8)
        return Pick(source, number, view, whole, shape)

    def photo(self, pick: Pick) -> Plane:
        """The view of the picture as it was, (H, W, 3) of 8 bits."""
        pair = pick.source.pairs[pick.number]
        self._check_size(pair.image, pick)
        return self.pictures.seen(pair, pick.view)

    def own_layers(self, pick: Pick, account: Account, fur: FurConfig, rng: Generator) -> Layers:
        """The photo's layers: those of its files, else estimated."""
        image = unit_pixels(self.photo(pick))
        foreground, alpha = self.subject(pick, account, fur, rng)
        pair = pick.source.pairs[pick.number]
        if pair.background is None:
            return Layers(image, alpha, foreground, estimated_foreground(image, 1 - alpha))
        if type(pair) is Pair:  # others bring theirs to the alpha's size
            self._check_size(pair.background, pick)
        behind = self.pictures.background(pair, pick.view)
        return Layers(image, alpha, foreground, unit_pixels(behind))

    def subject(self, pick: Pick, account: Account, fur: FurConfig, rng: Generator) -> Subject:
        """The foreground in the view, by its file of colours or estimated; with fur or without."""
        source = pick.source
        path = source.denoised.get(pick.name) if account.denoised else None
        path = path or source.foregrounds.get(pick.name)
        if path is None:
            image = self.photo(pick)
        else:
            self._check_size(path, pick)
            image = self.pictures.seen(path, pick.view)
        if account.fur:
            side = float(np.sqrt(np.count_nonzero(pick.whole > 127))) / pick.view.shrink
            return eight_bit(Subject(*furred(image, pick.alpha, fur, rng, side)))
        colours, alpha = unit_pixels(image), unit_pixels(pick.alpha)
        return Subject(colours if path else estimated_foreground(colours, alpha), alpha)

    def plain(self, size: tuple[int, int], rng: Generator) -> Plane:
        """A random view of one of the backgrounds without objects, (H, W, 3) of 8 bits."""
        plain = self.backgrounds.plain
        return self.viewed(plain[int(rng.integers(len(plain)))], size, rng)

    def viewed(self, pair: Pair, size: tuple[int, int], rng: Generator) -> Plane:
        """A random view of a picture without a subject, (H, W, 3) of 8 bits."""
        clear = np.zeros(header(pair.image).size, np.uint8)
        seen = self.pictures.seen(pair, drawn_view(clear, max(size), _BACKGROUND_VIEW, rng))
        return seen[: size[0], : size[1]]

    def _check_size(self, path: Path, pick: Pick) -> None:
        if header(path).size != pick.whole.shape:
            raise ValueError(
                f"{path} is {size_text(header(path).size)}, its alpha "
                f"{size_text(pick.whole.shape)}; both must have one height and width"
            )
