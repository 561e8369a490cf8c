"""The part of a recipe that says how weights are found: stages, their phases, the optimiser."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from animatte.losses.late_fusion import DEFAULT_READING, ReadingName
from animatte.training.section import Fraction, Positive, Probability, Section


class PhaseSection(Section):
    """A stretch of the training with views of one size, so many steps or epochs long.

    Attributes:
        steps: optimiser steps.
        epochs: instead of steps; an epoch is as many examples as the sources have pictures.
        size: side of the views, a multiple of 32.
        batch: examples a step.
        scale: least and greatest side of a view in sides of the picture; of no use where
            `data.view.crops` says which sides in pixels are taken.
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

    @model_validator(mode="after")
    def _has_an_ordered_scale(self) -> PhaseSection:
        least, greatest = self.scale
        if least > greatest:
            raise ValueError(
                f"scale is [{least:g}, {greatest:g}]; give the least first, then the greatest"
            )
        return self


class WarmSchedule(Section):
    """What schedules share: a linear warm-up at the stage's beginning.

    Attributes:
        warmup: steps of it.
    """

    warmup: Annotated[int, Field(ge=0)] = 100


class PolynomialSchedule(WarmSchedule):
    """Linear warm-up, then polynomial decay to nothing at the stage's end.

    Attributes:
        power: of the decay.
    """

    kind: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(ge=0)] = 0.9


class CosineSchedule(WarmSchedule):
    """Linear warm-up, then half a cosine down to the stage's end (Loshchilov and Hutter 2017).

    Attributes:
        lowest: where it ends, as a share of the rate.
    """

    kind: Literal["cosine"]
    lowest: Probability = 0.0


class ConstantSchedule(WarmSchedule):
    """Linear warm-up, then the rate as it is."""

    kind: Literal["constant"]


class TriangularSchedule(WarmSchedule):
    """Up and down between two rates, on and on (Smith 2017), as LFM was trained.

    Attributes:
        lowest: where it starts, as a share of the rate.
        half_cycle: epochs from the lowest to the rate.
    """

    kind: Literal["triangular"]
    warmup: Annotated[int, Field(ge=0)] = 0
    lowest: Annotated[float, Field(gt=0, le=1)]
    half_cycle: Fraction = 2.0


Schedule: TypeAlias = Annotated[
    PolynomialSchedule | CosineSchedule | ConstantSchedule | TriangularSchedule,
    Field(discriminator="kind"),
]


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
    schedule: Schedule = PolynomialSchedule()
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
