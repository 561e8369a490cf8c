"""Composites drawn by chance: one code for the training and for the disk.

Views come first: only what the network will see is composited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from animatte.data.augmentation import WHOLE_BLOCK, View, ViewConfig, drawn_view
from animatte.data.composed import Account, Composed
from animatte.data.composition import (
    CompositionConfig,
    Generator,
    Layers,
    Subject,
    drawn_blur,
    layered,
    noisy,
    out_of_focus,
    partners,
    stacked_subjects,
)
from animatte.data.folders import Pair
from animatte.data.fur import FurConfig, furred
from animatte.data.pasting import Patch, in_front_of, inside, placed
from animatte.data.pictures import Backgrounds, PictureCache, Plane, Source, header
from animatte.foregrounds import estimated_foreground
from animatte.images.arrays import levels, size_text, unit_pixels
from animatte.sample import Sample

_TRIES = 20  # to find a background that need not be enlarged
_BACKGROUND_VIEW = ViewConfig(scale=(0.3, 1.0), centred=0)

ViewOf: TypeAlias = Callable[[Plane, Generator], View]


class _Pick(NamedTuple):
    """A foreground and the view of it: `whole` is its alpha, `alpha` what the view shows of it."""

    source: Source
    number: int
    view: View
    whole: Plane
    alpha: Plane

    @property
    def name(self) -> str:
        return self.source.pairs[self.number].name


class Compositor:
    """Composites by chance.

    Args:
        backgrounds: pictures to stand behind.
        config: how they are composited.
        fur: how fur looks where it is grown.
        seed: of the pairing of foregrounds and backgrounds.
        pictures: decoded pictures.
        own_layers: a photo as it was comes with its layers too: those of its files, else estimated.
    """

    def __init__(
        self,
        backgrounds: Backgrounds,
        config: CompositionConfig,
        fur: FurConfig,
        seed: int,
        pictures: PictureCache,
        *,
        own_layers: bool = False,
    ) -> None:
        self.backgrounds = backgrounds
        self.config = config
        self.fur = fur
        self.seed = seed
        self.pictures = pictures
        self.own_layers = own_layers

    def empty(self, size: int, rng: Generator) -> Sample:
        """Return a square view of a background alone."""
        plain = self.backgrounds.plain
        image = self._viewed(plain[int(rng.integers(len(plain)))], size, rng)
        return Sample("empty", image, np.zeros(image.shape[:2], np.uint8))

    def composed(self, source: Source, view_of: ViewOf, rng: Generator) -> Composed:
        """Draw a picture of a source, a view of it, and where chance says so a composite.

        Args:
            source: where the picture comes from.
            view_of: draws a view of the picture with this alpha.
            rng: source of all chance.
        """
        pick = self._picked(source, int(rng.integers(len(source.pairs))), view_of, rng)
        account = Account(pick.name, pick.view.size, np.round(pick.view.matrix, 4).tolist())
        account.fur = source.fur > 0 and rng.random() < source.fur
        pools = self.backgrounds.plain or self.backgrounds.objects
        if pools and rng.random() < source.replaced:
            layers = self._on_another_background(pick, account, rng)
        elif account.fur:
            # The skin stays at the mask's edge: what lies outside it must be background.
            subject = self._subject(pick, account, replace(self.fur, inset=0.0), rng)
            layers = layered(subject, unit_pixels(self._photo(pick)))
        else:
            own = self._own_layers(pick, account, rng) if self.own_layers else None
            sample = Sample(pick.name, self._photo(pick), pick.alpha)
            return self._pasted_on(source, Composed(sample, own, account), rng)
        sample = Sample(pick.name, levels(layers.image, 8), levels(layers.alpha, 8))
        return self._pasted_on(source, Composed(sample, layers, account), rng)

    def _pasted_on(self, source: Source, composed: Composed, rng: Generator) -> Composed:
        """Paste in front what chance wants there."""
        config, account = self.config, composed.account
        if config.pasted and rng.random() < config.pasted:
            pick = self._placed_pick(source, account.size, rng)
            if pick is not None:
                account.pasted = pick.name
                composed = in_front_of(composed, self._second_subject(pick, rng))
        if config.hidden and self.backgrounds.plain and rng.random() < config.hidden:
            pick = self._placed_pick(source, account.size, rng)
            if pick is not None:
                account.hidden_by = pick.name
                composed = in_front_of(composed, self._lifeless(pick, rng))
        return composed

    def _placed_pick(self, source: Source, size: tuple[int, int], rng: Generator) -> _Pick | None:
        """Draw a picture whose subject is pasted, and where; None if it cannot be."""
        number = int(rng.integers(len(source.pairs)))
        whole = self.pictures.alpha(source.pairs[number])
        view = placed(whole, size, rng)
        if view is None:
            return None
        shape = levels(unit_pixels(view.of(whole)) * inside(view, whole.shape), 8)
        return _Pick(source, number, view, whole, shape)

    def _second_subject(self, pick: _Pick, rng: Generator) -> Patch:
        """A subject as it is, without fur grown."""
        plain = Account(pick.name, pick.view.size, np.round(pick.view.matrix, 4).tolist())
        return Patch(*self._subject(pick, plain, self.fur, rng), is_subject=True)

    def _lifeless(self, pick: _Pick, rng: Generator) -> Patch:
        """A subject's shape, filled with a background."""
        plain, (height, width) = self.backgrounds.plain, pick.view.size
        cover = self._viewed(plain[int(rng.integers(len(plain)))], max(height, width), rng)
        colours = unit_pixels(cover[:height, :width])
        return Patch(colours, unit_pixels(pick.alpha), is_subject=False)

    def _picked(self, source: Source, number: int, view_of: ViewOf, rng: Generator) -> _Pick:
        whole = self.pictures.alpha(source.pairs[number])
        view = view_of(whole, rng)
        return _Pick(source, number, view, whole, view.of(whole))

    def _photo(self, pick: _Pick) -> Plane:
        pair = pick.source.pairs[pick.number]
        self._check_size(pair.image, pick)
        return self.pictures.seen(pair, pick.view)

    def _own_layers(self, pick: _Pick, account: Account, rng: Generator) -> Layers:
        image = unit_pixels(self._photo(pick))
        foreground, alpha = self._subject(pick, account, self.fur, rng)
        path = pick.source.pairs[pick.number].background
        if path is None:
            return Layers(image, alpha, foreground, estimated_foreground(image, 1 - alpha))
        self._check_size(path, pick)
        return Layers(image, alpha, foreground, unit_pixels(self.pictures.seen(path, pick.view)))

    def _check_size(self, path: Path, pick: _Pick) -> None:
        if header(path).size != pick.whole.shape:
            raise ValueError(
                f"{path} is {size_text(header(path).size)}, its alpha "
                f"{size_text(pick.whole.shape)}; both must have one height and width"
            )

    def _on_another_background(self, pick: _Pick, account: Account, rng: Generator) -> Layers:
        config = self.config
        pair, account.semantic = self._background(pick, rng)
        account.background = pair.name
        account.denoised = self._is_denoised(pick, pair.name, rng)
        subject = self._subject(pick, account, self.fur, rng)
        if config.stacked and rng.random() < config.stacked:
            subject = self._stacked(pick, subject, account, rng)
        background = unit_pixels(self._placed(pair, pick, account, rng))
        if rng.random() < config.sharpness:
            account.blur = drawn_blur(config, rng)
            background = out_of_focus(background, config, pick.view.shrink, account.blur)
        if config.noise and rng.random() < config.noise:
            account.noise = config.noise_sigma
            subject, background = noisy(subject, background, config.noise_sigma, rng)
        return layered(subject, background)

    def _background(self, pick: _Pick, rng: Generator) -> tuple[Pair, bool]:
        """Draw a background, and tell whether it is one without objects."""
        config, (plain, objects) = self.config, (self.backgrounds.plain, self.backgrounds.objects)
        semantic = not objects or bool(plain and rng.random() < config.semantic)
        pool = plain if semantic else objects
        chosen = partners(pick.number, len(pool), config, self.seed)
        pair = pool[int(chosen[int(rng.integers(len(chosen)))])]
        if not config.resolution or rng.random() >= config.resolution:
            return pair, semantic
        others = [pool[each] for each in rng.permutation(len(pool))[:_TRIES].tolist()]
        covering = (each for each in (pair, *others) if _covers(each.image, pick.whole.shape))
        return next(covering, pair), semantic

    def _is_denoised(self, pick: _Pick, background: str, rng: Generator) -> bool:
        given = pick.name in pick.source.denoised or background in self.backgrounds.denoised
        return given and rng.random() < self.config.denoised

    def _subject(self, pick: _Pick, account: Account, fur: FurConfig, rng: Generator) -> Subject:
        """The foreground in the view, by its file of colours or estimated; with fur or without."""
        source = pick.source
        path = source.denoised.get(pick.name) if account.denoised else None
        path = path or source.foregrounds.get(pick.name)
        if path is None:
            image = self._photo(pick)
        else:
            self._check_size(path, pick)
            image = self.pictures.seen(path, pick.view)
        if account.fur:
            side = float(np.sqrt(np.count_nonzero(pick.whole > 127))) / pick.view.shrink
            return _eight_bit(Subject(*furred(image, pick.alpha, fur, rng, side)))
        colours, alpha = unit_pixels(image), unit_pixels(pick.alpha)
        return Subject(colours if path else estimated_foreground(colours, alpha), alpha)

    def _stacked(self, pick: _Pick, front: Subject, account: Account, rng: Generator) -> Subject:
        """Put a second foreground behind, unless nothing half-transparent would be left."""

        def filling(alpha: Plane, rng: Generator) -> View:
            return _behind(alpha.shape, pick, np.inf, rng)[0]

        number = int(rng.integers(len(pick.source.pairs)))
        second = self._picked(pick.source, number, filling, rng)
        plain = replace(account, fur=False)
        both = _eight_bit(stacked_subjects(front, self._subject(second, plain, self.fur, rng)))
        if not ((both.alpha > 0) & (both.alpha < 1)).any():
            return front
        account.behind = second.name
        return both

    def _placed(self, pair: Pair, pick: _Pick, account: Account, rng: Generator) -> Plane:
        """The background as it stands behind the view."""
        if self.config.placement == "view":
            height, width = pick.view.size
            return self._viewed(pair, max(height, width), rng)[:height, :width]
        denoised = self.backgrounds.denoised if account.denoised else {}
        path = denoised.get(pair.name, pair.image)
        greatest = 1.0 if self.config.placement == "crop" else np.inf
        view, scale = _behind(header(path).size, pick, greatest, rng)
        account.enlarged = max(1.0, 1 / scale)
        return self.pictures.seen(path, view)

    def _viewed(self, pair: Pair, size: int, rng: Generator) -> Plane:
        clear = np.zeros(header(pair.image).size, np.uint8)
        return self.pictures.seen(pair, drawn_view(clear, size, _BACKGROUND_VIEW, rng))


def _behind(
    shape: tuple[int, ...], pick: _Pick, greatest: float, rng: Generator
) -> tuple[View, float]:
    """Lay another picture behind a whole one, at random where it has room.

    Returns:
        the pick's view of that other picture, and how many of its pixels one of the whole spans.
    """
    sides, wanted = np.array(shape[:2], float), np.array(pick.whole.shape, float)
    scale = min(greatest, float((sides / wanted).min()))
    corner = rng.uniform(0, 1, 2) * np.maximum(sides - wanted * scale, 0)
    top, left = (corner // WHOLE_BLOCK * WHOLE_BLOCK).tolist()
    return pick.view.through(scale, (left, top)), scale


def _eight_bit(subject: Subject) -> Subject:
    """Alpha as files and samples keep it, so that composites are exact with it."""
    return Subject(subject.foreground, unit_pixels(levels(subject.alpha, 8)))


def _covers(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether a picture fills (height, width) without being enlarged."""
    height, width = header(path).size
    return height >= shape[0] and width >= shape[1]
