"""Recipes: everything a training depends on, in one checked YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from animatte.data.composition import TRACKS, CompositionConfig, TrackName
from animatte.data.registry import named_dataset
from animatte.losses.late_fusion import DEFAULT_READING, ReadingName

Positive = Annotated[int, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of a recipe: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(Section):
    """Which network is trained, and from what.

    Attributes:
        name: a key of `GFM_CONFIGS` or `LFM_CONFIGS` in `animatte.models.registry`.
        rosta: the representation, of GFM only; null for TT.
        encoder_weights: file of encoder weights with torchvision's names, "imagenet" to fetch
            torchvision's from torch's hub, or null for fresh ones.
        frozen: names of the encoder's modules whose parameters stay as they are.
        initial: checkpoint of the same network to start from, or several, of which the mean of
            the weights is taken (model soups, Wortsman et al. 2022), or null.
        initial_share: share of these first weights in the model that is written at the end, for
            what a further training forgets (WiSE-FT, Wortsman et al. 2022).
    """

    name: str
    rosta: Literal["TT", "FT", "BT"] | None = None
    encoder_weights: Path | None = None
    frozen: tuple[str, ...] = ()
    initial: Path | tuple[Path, ...] | None = None
    initial_share: Probability = 0.0


class SourceSection(Section):
    """Pictures drawn from together: `folder/image`, `folder/alpha`, or a published data set.

    Attributes:
        folder: relative to the data section's root.
        dataset: a key of `animatte.data.registry.DATASETS` that lies in the folder as published.
        split: of the data set; null for its first.
        weight: share of the examples relative to the other sources.
        replaced: probability of another background; null for the composition track's.
        per_epoch: how often each picture counts in an epoch, as where each foreground is
            composited onto a hundred backgrounds.
        exclude: beginnings of names that are left out.
        fur: probability that fur is grown on the alpha; for hard masks.
        foreground: folder beside `image` with the foregrounds' own colours; null estimates them.
        denoised: folder beside `image` with denoised foregrounds.
    """

    folder: Path
    dataset: str | None = None
    split: str | None = None
    weight: Fraction = 1.0
    replaced: Probability | None = None
    per_epoch: Positive = 1
    exclude: tuple[str, ...] = ()
    fur: Probability = 0.0
    foreground: str | None = None
    denoised: str | None = None

    @model_validator(mode="after")
    def _is_a_known_split(self) -> SourceSection:
        if self.dataset is not None:
            named_dataset(self.dataset).split(self.split)
        elif self.split is not None:
            raise ValueError(f"split is {self.split!r} of no data set; give dataset too")
        return self


class CompositionSection(Section):
    """How pictures come onto other backgrounds; see `animatte.data.composition.CompositionConfig`.

    Attributes:
        track: "views" (ours), "rssn", "coco", "dim" or "ori"; what is null below is the track's.
        num_backgrounds: that a foreground meets; 0 for all.
        stacked: probability of a second foreground behind the first.
        resolution: probability of a background that need not be enlarged.
        sharpness: probability of a background out of focus.
        semantic: probability of a background from `data.backgrounds` instead of `objects`.
        denoised: probability of denoised layers, where they are given.
        noise: probability of Gaussian noise.
        objects: folder of backgrounds that may show anything, as COCO.
        denoised_backgrounds: folder of denoised backgrounds, of the same names.
    """

    track: TrackName = "views"
    num_backgrounds: Annotated[int, Field(ge=0)] | None = None
    stacked: Probability | None = None
    resolution: Probability | None = None
    sharpness: Probability | None = None
    semantic: Probability | None = None
    denoised: Probability | None = None
    noise: Probability | None = None
    objects: Path | None = None
    denoised_backgrounds: Path | None = None

    @property
    def config(self) -> CompositionConfig:
        """The track with the switches that are given."""
        switches = self.model_dump(exclude={"track", "objects", "denoised_backgrounds"})
        given = {name: value for name, value in switches.items() if value is not None}
        return replace(TRACKS[self.track], **given)


class ViewSection(Section):
    """Random views; see `animatte.data.augmentation.ViewConfig`."""

    crops: tuple[Positive, ...] = ()
    centred: Probability = 0.4
    aspect: Annotated[float, Field(ge=1)] = 1.2
    tilt: Annotated[float, Field(ge=0)] = 8.0
    swing: Annotated[float, Field(ge=0, le=180)] = 0.0
    turned: Probability = 0.04


class ColourSection(Section):
    """Photometric changes; see `animatte.data.augmentation.ColourConfig`."""

    jitter: Probability = 0.8
    grey: Probability = 0.08
    dark: Probability = 0.05
    noise: Probability = 0.2
    jpeg: Probability = 0.2
    blur: Probability = 0.12


class DataSection(Section):
    """What is trained on.

    Attributes:
        root: folder that the sources are in.
        sources: where pictures come from.
        backgrounds: folder of pictures without a subject, or null.
        composition: how pictures come onto other backgrounds.
        empty: probability of a background alone.
        transition_kernel: width of the glance's transition in view pixels.
        focus_kernel: width of the band where the focus is trained.
        view: random views.
        colour: photometric changes.
        workers: processes that make examples; 0 makes them in the training's own.
        cache: memory for decoded pictures in each of them, GB.
    """

    root: Path
    sources: Annotated[tuple[SourceSection, ...], Field(min_length=1)]
    backgrounds: Path | None = None
    composition: CompositionSection = CompositionSection()
    empty: Probability = 0.02
    transition_kernel: Positive = 25
    focus_kernel: Positive = 51
    view: ViewSection = ViewSection()
    colour: ColourSection = ColourSection()
    workers: Annotated[int, Field(ge=0)] = 1
    cache: Annotated[float, Field(ge=0)] = 6.0


class PhaseSection(Section):
    """A stretch of the training with views of one size, so many steps or epochs long.

    Attributes:
        steps: optimiser steps.
        epochs: instead of steps; an epoch is as many examples as the sources have pictures.
        size: side of the views, a multiple of 32.
        batch: examples a step.
        scale: least and greatest side of a view in sides of the picture.
    """

    steps: Positive | None = None
    epochs: Fraction | None = None
    size: Annotated[int, Field(gt=0, multiple_of=32)]
    batch: Positive
    scale: tuple[Fraction, Fraction] = (0.5, 1.0)

    @model_validator(mode="after")
    def _has_one_length(self) -> PhaseSection:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give steps or epochs, one of the two")
        return self


class PolynomialSchedule(Section):
    """Linear warm-up, then polynomial decay to the stage's end.

    Attributes:
        warmup: steps of linear warm-up.
        power: of the decay; 0 keeps the rate.
    """

    kind: Literal["polynomial"] = "polynomial"
    warmup: Annotated[int, Field(ge=0)] = 100
    power: Annotated[float, Field(ge=0)] = 0.9


class TriangularSchedule(Section):
    """Up and down between two rates, on and on (Smith 2017), as LFM was trained.

    Attributes:
        lowest: where it starts, as a share of the rate.
        half_cycle: epochs from the lowest to the rate.
    """

    kind: Literal["triangular"]
    lowest: Annotated[float, Field(gt=0, le=1)]
    half_cycle: Fraction = 2.0


class OptimiserSection(Section):
    """How weights follow their gradients.

    Attributes:
        kind: "adamw", or "sgd" with momentum.
        rate: greatest learning rate of all but the encoder.
        encoder_rate: greatest learning rate of the encoder's pretrained weights; null for `rate`.
        schedule: how both rates go with the steps.
        weight_decay: of convolution weights only.
        momentum: of "sgd".
        rescaled_momentum: where the rate changes, past gradients take the new rate too (the
            momentum correction of Goyal et al. 2017, section 3). False lets them keep the rate
            of their own step, as Keras' SGD does.
        clip: greatest gradient norm.
        ema: decay of the averaged weights, which are what is kept; 0 keeps the last.
    """

    kind: Literal["adamw", "sgd"] = "adamw"
    rate: Fraction = 1.5e-3
    encoder_rate: Fraction | None = 2e-4
    schedule: Annotated[PolynomialSchedule | TriangularSchedule, Field(discriminator="kind")] = (
        PolynomialSchedule()
    )
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    momentum: Probability = 0.9
    rescaled_momentum: bool = True
    clip: Fraction = 5.0
    ema: Probability = 0.999


class StageSection(Section):
    """A part of the training with an aim of its own; it starts from what the one before kept.

    Attributes:
        name: of the stage; its model is kept as `NAME.STAGE.safetensors`.
        phases: one after the other.
        trained: names of the network's modules that are trained; empty for all of it.
        statistics: names of the modules whose batch norm statistics are updated; null for what is
            trained, empty for none.
        loss: weight of each term of `animatte.training.objective`.
        reading: how LFM's losses are read; see `animatte.losses.late_fusion`.
        optimiser: how it is trained.
    """

    name: str = "all"
    phases: Annotated[tuple[PhaseSection, ...], Field(min_length=1)]
    trained: tuple[str, ...] = ()
    statistics: tuple[str, ...] | None = None
    loss: Annotated[dict[str, float], Field(min_length=1)]
    reading: ReadingName = DEFAULT_READING
    optimiser: OptimiserSection = OptimiserSection()


class ValidationSection(Section):
    """When and on what the averaged weights are scored.

    Attributes:
        root: folder that the folders are in.
        folders: each with `image` and `alpha` (or `trimap`).
        every: steps between two validations.
        pictures: how many of each folder; the first by name.
        view: longer side of the network's view.
    """

    root: Path
    folders: tuple[Path, ...]
    every: Positive = 1000
    pictures: Positive = 40
    view: Positive = 416


class Recipe(Section):
    """A whole training.

    Attributes:
        name: of the model that comes out.
        seed: of every random choice.
        network: what is trained.
        data: what is trained on.
        stages: one after the other; most trainings have one.
        validation: how it is watched, or null.
        precision: "bf16" runs the network under bfloat16 autocast.
        save_every: steps between two checkpoints.
    """

    name: str
    seed: int = 0
    network: NetworkSection
    data: DataSection
    stages: Annotated[tuple[StageSection, ...], Field(min_length=1)]
    validation: ValidationSection | None = None
    precision: Literal["float32", "bf16"] = "float32"
    save_every: Positive = 500

    @property
    def decisive(self) -> str:
        """The recipe without what may change between a stop and its resumption: where files are.

        JSON, to be compared.
        """
        places: dict[str, Any] = {
            "network": {"encoder_weights", "initial"},
            "data": {
                "root": True,
                "backgrounds": True,
                "workers": True,
                "cache": True,
                "composition": {"objects", "denoised_backgrounds"},
            },
            "validation": True,
            "save_every": True,
        }
        return self.model_dump_json(exclude=places)


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: YAML file.
        overrides: "key.inner=value" each, value in YAML.

    Raises:
        ValueError: naming the file, the key and what was expected.
    """
    if not path.is_file():
        raise ValueError(f"{path} is no file; give the path of a recipe (YAML)")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping; a recipe starts with 'name: ...'")  # noqa: TRY004  the file is at fault
    for override in overrides:
        _override(values, override)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        given = repr(first["input"])
        raise ValueError(f"{path}: {key}: {first['msg']} (given: {given:.80})") from error


def _override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise ValueError(f"override {override!r} has no '='; write key=value")
    *outer, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    node: Any = values
    try:
        for part in outer:
            node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
        node[last] = yaml.safe_load(text)
    except (IndexError, TypeError) as error:
        raise ValueError(f"override {override!r}: the recipe has no place {key!r}") from error
