"""The stream of training examples: a function of the seed and a position, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from animatte.data.augmentation import (
    ColourConfig,
    Generator,
    View,
    ViewConfig,
    drawn_view,
    recoloured,
)
from animatte.data.composed import Composed
from animatte.data.composition import CompositionConfig, Layers
from animatte.data.compositor import Compositor
from animatte.data.fur import FurConfig
from animatte.data.picks import ViewOf
from animatte.data.pictures import Backgrounds, PictureCache, Source
from animatte.foregrounds import Image
from animatte.images.arrays import unit_pixels
from animatte.sample import Sample
from animatte.trimap import BACKGROUND, FOREGROUND, transition_area, trimap_from_alpha

NOTHING: Final = np.zeros(0, np.float32)


class Example(NamedTuple):
    """What the trainer learns from; arrays in the order that networks take.

    Attributes:
        image: (3, H, W) float32 RGB in [0, 1].
        alpha: (1, H, W) float32 in [0, 1].
        label: (H, W) int64 glance classes of TT: 0 background, 1 transition, 2 foreground.
        band: (1, H, W) float32, 1 where the focus is trained.
        name: which picture it came from.
        foreground: (3, H, W) float32 RGB in [0, 1] of which `image` is made, before its colours
            were changed; empty unless it was asked for.
        background: likewise.
        wide_label: (H, W) int64 as `label` with a transition of another width, for FT and BT; empty
            unless it was asked for.
    """

    image: NDArray[np.float32]
    alpha: NDArray[np.float32]
    label: NDArray[np.int64]
    band: NDArray[np.float32]
    name: str
    foreground: NDArray[np.float32] = NOTHING
    background: NDArray[np.float32] = NOTHING
    wide_label: NDArray[np.int64] = NOTHING.astype(np.int64)


@dataclass(frozen=True)
class ExampleConfig:
    """How examples are made.

    Attributes:
        view: random views.
        colour: photometric changes.
        composition: how pictures come onto other backgrounds.
        fur: how fur looks where it is grown.
        empty: probability of a background alone, without any subject.
        transition_kernel: width in view pixels of the glance's transition.
        focus_kernel: width in view pixels of the band where the focus is trained; as a rule wider
            than the transition, since at use the transition found at low resolution is wider.
        wide_kernel: width in view pixels of the transition in `Example.wide_label`; None for none.
        layers: whether examples come with foreground and background.
    """

    view: ViewConfig = field(default_factory=ViewConfig)
    colour: ColourConfig = field(default_factory=ColourConfig)
    composition: CompositionConfig = field(default_factory=CompositionConfig)
    fur: FurConfig = field(default_factory=FurConfig)
    empty: float = 0.02
    transition_kernel: int = 25
    focus_kernel: int = 51
    wide_kernel: int | None = None
    layers: bool = False


class Request(NamedTuple):
    """Which example is wanted.

    Attributes:
        position: place in the stream of the whole training.
        size: side of the view in pixels.
        scale: least and greatest side of the view, in sides of the picture.
    """

    position: int
    size: int
    scale: tuple[float, float]


@dataclass(frozen=True)
class _DrawnView:
    """Draws views of one kind; can be sent to another process."""

    size: int
    config: ViewConfig

    def __call__(self, alpha: NDArray[np.uint8], rng: Generator) -> View:
        return drawn_view(alpha, self.size, self.config, rng)


class ExampleStream:
    """Examples by position: the same seed and position give the same example, in any process.

    Args:
        sources: where pictures come from; every one gives its share by weight.
        backgrounds: what pictures are composited onto, and what is shown alone.
        config: how examples are made.
        seed: of every choice.
        cache_bytes: memory for decoded pictures, in each process.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        backgrounds: Backgrounds,
        config: ExampleConfig,
        seed: int,
        cache_bytes: int = 0,
    ) -> None:
        self.sources = sources
        self.backgrounds = backgrounds
        self.config = config
        self.seed = seed
        pictures = PictureCache(cache_bytes)
        self.compositor = Compositor(
            backgrounds, config.composition, config.fur, seed, pictures, own_layers=config.layers
        )
        weights = np.array([source.weight for source in sources], float)
        self.shares = weights / weights.sum()

    @property
    def epoch_length(self) -> int:
        """Examples of an epoch: as many as there are pictures, each as often as it counts."""
        return sum(len(source.pairs) * source.per_epoch for source in self.sources)

    def __getitem__(self, request: Request) -> Example:
        """Make the example of a request."""
        rng = np.random.default_rng([self.seed, request.position])
        if self.backgrounds.plain and rng.random() < self.config.empty:
            empty = self.compositor.empty(self._drawn_source(rng), request.size, rng)
            layers = _layers_of_empty(empty) if self.config.layers else None
            return self._example(empty, rng, layers)
        sample, layers, _ = self._composed(self.view_of(request), rng)
        return self._example(sample, rng, layers)

    def view_of(self, request: Request) -> ViewOf:
        """Return what draws the view of a request."""
        return _DrawnView(request.size, replace(self.config.view, scale=request.scale))

    def composed(self, position: int, view_of: ViewOf) -> Composed:
        """Draw a picture with all its layers, as the examples are made of."""
        return self._composed(view_of, np.random.default_rng([self.seed, position]))

    def _composed(self, view_of: ViewOf, rng: Generator) -> Composed:
        return self.compositor.composed(self._drawn_source(rng), view_of, rng)

    def _drawn_source(self, rng: Generator) -> Source:
        return self.sources[rng.choice(len(self.sources), p=self.shares)]

    def _example(self, sample: Sample, rng: Generator, layers: Layers | None) -> Example:
        config = self.config
        image = recoloured(unit_pixels(sample.image), config.colour, rng)
        alpha = unit_pixels(sample.alpha)
        band = transition_area(trimap_from_alpha(alpha, config.focus_kernel))
        example = Example(
            _channels_first(image),
            alpha[None],
            _classes(alpha, config.transition_kernel),
            band[None].astype(np.float32),
            sample.name,
        )
        if config.wide_kernel is not None:
            example = example._replace(wide_label=_classes(alpha, config.wide_kernel))
        if not config.layers:
            return example
        assert layers is not None
        return example._replace(
            foreground=_channels_first(layers.foreground),
            background=_channels_first(layers.background),
        )


def _classes(alpha: Image, kernel: int) -> NDArray[np.int64]:
    """TT's glance classes of an alpha, the transition so many pixels wide."""
    trimap = trimap_from_alpha(alpha, kernel)
    return np.digitize(trimap, (BACKGROUND + 1, FOREGROUND)).astype(np.int64)


def _layers_of_empty(sample: Sample) -> Layers:
    image = unit_pixels(sample.image)
    return Layers(image, unit_pixels(sample.alpha), np.zeros_like(image), image)


def _channels_first(image: Image) -> NDArray[np.float32]:
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
