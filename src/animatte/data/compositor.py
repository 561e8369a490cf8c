"""Composites drawn by chance: one code for the training and for the disk.

Views come first: only what the network will see is composited.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from animatte.data.augmentation import WHOLE_BLOCK, View
from animatte.data.composed import Account, Composed
from animatte.data.composition import (
    CompositionConfig,
    Generator,
    Layers,
    Subject,
    drawn_blur,
    eight_bit,
    layered,
    noisy,
    out_of_focus,
    partners,
    stacked_subjects,
)
from animatte.data.folders import Pair
from animatte.data.fur import FurConfig
from animatte.data.nesting import drawn_nest, nested
from animatte.data.pasting import Patch, in_front_of
from animatte.data.picks import Pick, Picker, ViewOf
from animatte.data.pictures import Backgrounds, PictureCache, Plane, Source, header
from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample

_THING_ALONE = 0.5  # of the views without a subject, where things are pasted at all
_TRIES = 20  # to find a background that need not be enlarged


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
        self.picker = Picker(backgrounds, pictures)
        self.own_layers = own_layers

    def empty(self, source: Source, size: int, rng: Generator) -> Sample:
        """Return a square view of a background alone, or with something lifeless in it.

        Args:
            source: of the shape that such a thing has, where `hidden` asks for things.
            size: side of the view in pixels.
            rng: source of all chance.
        """
        image = self.picker.plain((size, size), rng)
        alone = Sample("empty", image, np.zeros(image.shape[:2], np.uint8))
        if not self.config.hidden or rng.random() >= _THING_ALONE:
            return alone
        pick = self.picker.placed_pick(source, (size, size), rng)
        if pick is None:
            return alone
        account = Account("empty", (size, size), [])
        return in_front_of(Composed(alone, None, account), self._lifeless(pick, rng)).sample

    def composed(self, source: Source, view_of: ViewOf, rng: Generator) -> Composed:
        """Draw a picture of a source, a view of it, and where chance says so a composite.

        Args:
            source: where the picture comes from.
            view_of: draws a view of the picture with this alpha.
            rng: source of all chance.
        """
        pick = self.picker.picked(source, int(rng.integers(len(source.pairs))), view_of, rng)
        account = Account(pick.name, pick.view.size, np.round(pick.view.matrix, 4).tolist())
        account.fur = source.fur > 0 and rng.random() < source.fur
        pools = self.backgrounds.plain or self.backgrounds.objects
        if pools and rng.random() < source.replaced:
            layers = self._on_another_background(pick, account, rng)
            composed = _composed(pick.name, layers, account)
        elif account.fur:
            # The skin stays at the mask's edge: what lies outside it must be background.
            subject = self.picker.subject(pick, account, replace(self.fur, inset=0.0), rng)
            layers = layered(subject, unit_pixels(self.picker.photo(pick)))
            composed = _composed(pick.name, layers, account)
        else:
            composed = self._as_it_was(pick, account, rng)
        return self._pasted_on(source, self._nested(pick, composed, rng), rng)

    def _as_it_was(self, pick: Pick, account: Account, rng: Generator) -> Composed:
        layers = None
        if self.own_layers:
            layers = self.picker.own_layers(pick, account, self.fur, rng)
        return Composed(Sample(pick.name, self.picker.photo(pick), pick.alpha), layers, account)

    def _nested(self, pick: Pick, composed: Composed, rng: Generator) -> Composed:
        """Lay the subject into something, if chance wants it."""
        chance = self.config.nested if self.backgrounds.plain else 0
        if not chance or rng.random() >= chance:
            return composed
        account = composed.account
        layers = composed.layers or self.picker.own_layers(pick, account, self.fur, rng)
        cover = unit_pixels(self.picker.plain(account.size, rng))
        nest = drawn_nest(Subject(layers.foreground, layers.alpha), cover, rng)
        if nest is None:
            return composed
        account.nested = True
        inside = _composed(pick.name, nested(layers, nest, rng.uniform(0.55, 1)), account)
        return in_front_of(inside, Patch(nest.colours, nest.before, is_subject=False))

    def _pasted_on(self, source: Source, composed: Composed, rng: Generator) -> Composed:
        """Paste in front what chance wants there."""
        config, account = self.config, composed.account
        if config.pasted and rng.random() < config.pasted:
            pick = self.picker.placed_pick(source, account.size, rng)
            if pick is not None:
                account.pasted = pick.name
                composed = in_front_of(composed, self._second_subject(pick, rng))
        if config.hidden and self.backgrounds.plain and rng.random() < config.hidden:
            pick = self.picker.placed_pick(source, account.size, rng)
            if pick is not None:
                account.hidden_by = pick.name
                composed = in_front_of(composed, self._lifeless(pick, rng))
        return composed

    def _second_subject(self, pick: Pick, rng: Generator) -> Patch:
        """A subject as it is, without fur grown."""
        plain = Account(pick.name, pick.view.size, np.round(pick.view.matrix, 4).tolist())
        return Patch(*self.picker.subject(pick, plain, self.fur, rng), is_subject=True)

    def _lifeless(self, pick: Pick, rng: Generator) -> Patch:
        """A subject's shape, filled with a background."""
        cover = unit_pixels(self.picker.plain(pick.view.size, rng))
        return Patch(cover, unit_pixels(pick.alpha), is_subject=False)

    def _on_another_background(self, pick: Pick, account: Account, rng: Generator) -> Layers:
        config = self.config
        pair, account.semantic = self._background(pick, rng)
        account.background = pair.name
        account.denoised = self._is_denoised(pick, pair.name, rng)
        subject = self.picker.subject(pick, account, self.fur, rng)
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

    def _background(self, pick: Pick, rng: Generator) -> tuple[Pair, bool]:
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

    def _is_denoised(self, pick: Pick, background: str, rng: Generator) -> bool:
        given = pick.name in pick.source.denoised or background in self.backgrounds.denoised
        return given and rng.random() < self.config.denoised

    def _stacked(self, pick: Pick, front: Subject, account: Account, rng: Generator) -> Subject:
        """Put a second foreground behind, unless nothing half-transparent would be left."""

        def filling(alpha: Plane, rng: Generator) -> View:
            return _behind(alpha.shape, pick, np.inf, rng)[0]

        number = int(rng.integers(len(pick.source.pairs)))
        second = self.picker.picked(pick.source, number, filling, rng)
        plain = replace(account, fur=False)
        both = eight_bit(stacked_subjects(front, self.picker.subject(second, plain, self.fur, rng)))
        if not ((both.alpha > 0) & (both.alpha < 1)).any():
            return front
        account.behind = second.name
        return both

    def _placed(self, pair: Pair, pick: Pick, account: Account, rng: Generator) -> Plane:
        """The background as it stands behind the view."""
        if self.config.placement == "view":
            return self.picker.viewed(pair, pick.view.size, rng)
        denoised = self.backgrounds.denoised if account.denoised else {}
        path = denoised.get(pair.name, pair.image)
        greatest = 1.0 if self.config.placement == "crop" else np.inf
        view, scale = _behind(header(path).size, pick, greatest, rng)
        account.enlarged = max(1.0, 1 / scale)
        return self.picker.pictures.seen(path, view)


def _composed(name: str, layers: Layers, account: Account) -> Composed:
    sample = Sample(name, levels(layers.image, 8), levels(layers.alpha, 8))
    return Composed(sample, layers, account)


def _behind(
    shape: tuple[int, ...], pick: Pick, greatest: float, rng: Generator
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


def _covers(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether a picture fills (height, width) without being enlarged."""
    height, width = header(path).size
    return height >= shape[0] and width >= shape[1]
