"""Recipes: everything a training depends on, in one checked YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Positive = Annotated[int, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of a recipe: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(Section):
    """Which network is trained, and from what.

    Attributes:
        name: a key of `animatte.models.registry.GFM_CONFIGS`.
        rosta: the representation.
        encoder_weights: file of encoder weights with torchvision's names, "imagenet" to fetch
            torchvision's from torch's hub, or null for fresh ones.
        frozen: names of the encoder's modules whose parameters stay as they are.
        initial: checkpoint of the same network to start from, or null.
    """

    name: str
    rosta: Literal["TT", "FT", "BT"] = "TT"
    encoder_weights: Path | None = None
    frozen: tuple[str, ...] = ()
    initial: Path | None = None


class SourceSection(Section):
    """Pictures drawn from together: `folder/image`, `folder/alpha`.

    Attributes:
        folder: relative to the data section's root.
        weight: share of the examples relative to the other sources.
        replaced: probability of another background.
        exclude: beginnings of names that are left out.
    """

    folder: Path
    weight: Fraction = 1.0
    replaced: Probability = 0.35
    exclude: tuple[str, ...] = ()


class ViewSection(Section):
    """Random views; see `animatte.data.augmentation.ViewConfig`."""

    centred: Probability = 0.4
    aspect: Annotated[float, Field(ge=1)] = 1.2
    tilt: Annotated[float, Field(ge=0)] = 8.0
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
        blurred: probability that a replaced background is out of focus.
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
    blurred: Probability = 0.5
    empty: Probability = 0.02
    transition_kernel: Positive = 25
    focus_kernel: Positive = 51
    view: ViewSection = ViewSection()
    colour: ColourSection = ColourSection()
    workers: Annotated[int, Field(ge=0)] = 1
    cache: Annotated[float, Field(ge=0)] = 6.0


class PhaseSection(Section):
    """A stretch of the training with views of one size.

    Attributes:
        steps: optimiser steps.
        size: side of the views, a multiple of 32.
        batch: examples a step.
        scale: least and greatest side of a view in sides of the picture.
    """

    steps: Positive
    size: Annotated[int, Field(gt=0, multiple_of=32)]
    batch: Positive
    scale: tuple[Fraction, Fraction] = (0.5, 1.0)


class OptimiserSection(Section):
    """AdamW with two rates, warm-up and polynomial decay over all phases.

    Attributes:
        rate: learning rate of the decoders.
        encoder_rate: learning rate of the encoder.
        weight_decay: of convolution weights only.
        warmup: steps of linear warm-up.
        power: of the polynomial decay.
        clip: greatest gradient norm.
        ema: decay of the averaged weights, which are what is kept.
    """

    rate: Fraction = 1.5e-3
    encoder_rate: Fraction = 2e-4
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    warmup: Annotated[int, Field(ge=0)] = 100
    power: Fraction = 0.9
    clip: Fraction = 5.0
    ema: Probability = 0.999


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
        phases: one after the other.
        loss: weight of each term of `animatte.training.objective.loss_terms`.
        optimiser: how it is trained.
        validation: how it is watched, or null.
        precision: "bf16" runs the network under bfloat16 autocast.
        save_every: steps between two checkpoints.
    """

    name: str
    seed: int = 0
    network: NetworkSection
    data: DataSection
    phases: Annotated[tuple[PhaseSection, ...], Field(min_length=1)]
    loss: dict[str, float]
    optimiser: OptimiserSection = OptimiserSection()
    validation: ValidationSection | None = None
    precision: Literal["float32", "bf16"] = "float32"
    save_every: Positive = 500

    @property
    def num_steps(self) -> int:
        """Steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def decisive(self) -> str:
        """The recipe without what may change between a stop and its resumption: where files are.

        JSON, to be compared.
        """
        places: dict[str, Any] = {
            "network": {"encoder_weights", "initial"},
            "data": {"root", "backgrounds", "workers", "cache"},
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
