"""The stream of training examples: a function of the seed and a position, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.compositing import composite, estimated_foreground
from animatte.data.augmentation import (
    ColourConfig,
    Generator,
    ViewConfig,
    random_view,
    recoloured,
)
from animatte.data.folders import Pair
from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample
from animatte.trimap import BACKGROUND, FOREGROUND, transition_area, trimap_from_alpha


class Example(NamedTuple):
    """What the trainer learns from; arrays in the order that networks take.

    Attributes:
        image: (3, H, W) float32 RGB in [0, 1].
        alpha: (1, H, W) float32 in [0, 1].
        label: (H, W) int64 glance classes of TT: 0 background, 1 transition, 2 foreground.
        band: (1, H, W) float32, 1 where the focus is trained.
        name: which picture it came from.
    """

    image: NDArray[np.float32]
    alpha: NDArray[np.float32]
    label: NDArray[np.int64]
    band: NDArray[np.float32]
    name: str


@dataclass(frozen=True)
class Source:
    """Pictures that are drawn from together.

    Attributes:
        pairs: the pictures.
        weight: share of the examples, relative to the other sources'.
        replaced: probability that the background is replaced by another.
        per_epoch: how often each picture counts in an epoch.
    """

    pairs: Sequence[Pair]
    weight: float
    replaced: float
    per_epoch: int = 1


@dataclass(frozen=True)
class ExampleConfig:
    """How examples are made.

    Attributes:
        view: random views.
        colour: photometric changes.
        blurred: probability that a replaced background is out of focus.
        empty: probability of a background alone, without any subject.
        transition_kernel: width in view pixels of the glance's transition.
        focus_kernel: width in view pixels of the band where the focus is trained; as a rule wider
            than the transition, since at use the transition found at low resolution is wider.
    """

    view: ViewConfig = field(default_factory=ViewConfig)
    colour: ColourConfig = field(default_factory=ColourConfig)
    blurred: float = 0.5
    empty: float = 0.02
    transition_kernel: int = 25
    focus_kernel: int = 51


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


class PictureCache:
    """Decoded pictures kept in memory until a limit is reached; later ones are decoded anew.

    Args:
        limit_bytes: memory that decoded pictures may take, in each process.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.free_bytes = limit_bytes
        self.samples: dict[Pair, Sample] = {}

    def read(self, pair: Pair) -> Sample:
        """Return the decoded pair."""
        if pair in self.samples:
            return self.samples[pair]
        sample = pair.read()
        size = sample.image.nbytes + sample.alpha.nbytes
        if size <= self.free_bytes:
            self.free_bytes -= size
            self.samples[pair] = sample
        return sample


class ExampleStream:
    """Examples by position: the same seed and position give the same example, in any process.

    Args:
        sources: where pictures come from; every one gives its share by weight.
        backgrounds: pictures without a subject.
        config: how examples are made.
        seed: of every choice.
        cache_bytes: memory for decoded pictures, in each process.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        backgrounds: Sequence[Pair],
        config: ExampleConfig,
        seed: int,
        cache_bytes: int = 0,
    ) -> None:
        self.sources = sources
        self.backgrounds = backgrounds
        self.config = config
        self.seed = seed
        self.cache = PictureCache(cache_bytes)
        weights = np.array([source.weight for source in sources], float)
        self.shares = weights / weights.sum()

    @property
    def epoch_length(self) -> int:
        """Examples of an epoch: as many as there are pictures, each as often as it counts."""
        return sum(len(source.pairs) * source.per_epoch for source in self.sources)

    def __getitem__(self, request: Request) -> Example:
        """Make the example of a request."""
        rng = np.random.default_rng([self.seed, request.position])
        if self.backgrounds and rng.random() < self.config.empty:
            view = self._background(request.size, rng)
            return self._example(Sample("empty", view, np.zeros(view.shape[:2], np.uint8)), rng)
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        sample = self.cache.read(source.pairs[int(rng.integers(len(source.pairs)))])
        view_config = replace(self.config.view, scale=request.scale)
        sample = random_view(sample, request.size, view_config, rng)
        if self.backgrounds and rng.random() < source.replaced:
            sample = self._with_other_background(sample, rng)
        return self._example(sample, rng)

    def _background(self, size: int, rng: Generator) -> NDArray[np.uint8]:
        sample = self.cache.read(self.backgrounds[int(rng.integers(len(self.backgrounds)))])
        return random_view(sample, size, ViewConfig(scale=(0.3, 1.0), centred=0), rng).image

    def _with_other_background(self, sample: Sample, rng: Generator) -> Sample:
        alpha = unit_pixels(sample.alpha)
        foreground = estimated_foreground(unit_pixels(sample.image), alpha)
        background = unit_pixels(self._background(alpha.shape[0], rng))
        if rng.random() < self.config.blurred:
            sigma = rng.uniform(0.5, 8)
            background = np.asarray(cv2.GaussianBlur(background, (0, 0), sigma), np.float32)
        image = np.asarray(levels(composite(foreground, background, alpha), 8), np.uint8)
        return Sample(sample.name, image, sample.alpha)

    def _example(self, sample: Sample, rng: Generator) -> Example:
        image = recoloured(unit_pixels(sample.image), self.config.colour, rng)
        alpha = unit_pixels(sample.alpha)
        trimap = trimap_from_alpha(alpha, self.config.transition_kernel)
        wide = trimap_from_alpha(alpha, self.config.focus_kernel)
        label = np.digitize(trimap, (BACKGROUND + 1, FOREGROUND))
        return Example(
            np.ascontiguousarray(image.transpose(2, 0, 1)),
            alpha[None],
            label.astype(np.int64),
            transition_area(wide)[None].astype(np.float32),
            sample.name,
        )
