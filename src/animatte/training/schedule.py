"""What each step looks like: its stage, its place in the stream of examples, its learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, cos, pi

from animatte.data.dataset import Request
from animatte.training.stage_sections import (
    ConstantSchedule,
    CosineSchedule,
    PhaseSection,
    PolynomialSchedule,
    StageSection,
    TriangularSchedule,
)


@dataclass(frozen=True)
class StagePlan:
    """A stage of a training, counted in steps and examples.

    Attributes:
        section: what the recipe says of it.
        start: steps of the training before its first.
        first_position: place of its first example in the stream of the whole training.
        epoch_length: examples of an epoch.
    """

    section: StageSection
    start: int
    first_position: int
    epoch_length: int

    @property
    def lengths(self) -> list[int]:
        """Steps of each phase."""
        return [phase_steps(phase, self.epoch_length) for phase in self.section.phases]

    @property
    def end(self) -> int:
        """Steps of the training up to its last."""
        return self.start + sum(self.lengths)

    @property
    def end_position(self) -> int:
        """Place after its last example."""
        batches = [phase.batch for phase in self.section.phases]
        spans = [steps * batch for steps, batch in zip(self.lengths, batches, strict=True)]
        return self.first_position + sum(spans)

    def requests(self, begin: int, end: int) -> Iterator[list[Request]]:
        """Yield the requests of the training's steps from `begin` up to `end`, inside the stage.

        A position is never used twice, and a step asks for the same ones whether or not the
        training was stopped before it.
        """
        step, position = self.start, self.first_position
        for phase, steps in zip(self.section.phases, self.lengths, strict=True):
            for at in range(max(begin - step, 0), min(end - step, steps)):
                first = position + at * phase.batch
                yield [
                    Request(place, phase.size, phase.scale)
                    for place in range(first, first + phase.batch)
                ]
            step += steps
            position += steps * phase.batch

    def rate_factor(self, step: int) -> float:
        """Return what learning rates are multiplied by at a step of the training."""
        done = step - self.start
        share = done / (self.end - self.start)
        schedule = self.section.optimiser.schedule
        warmup = min(1.0, (done + 1) / (schedule.warmup + 1))
        match schedule:
            case PolynomialSchedule():
                return warmup * float((1 - share) ** schedule.power)
            case CosineSchedule():
                return warmup * cosine(share, schedule)
            case ConstantSchedule():
                return warmup
            case TriangularSchedule():
                return warmup * triangular(self.epochs(done), schedule)

    def phase(self, step: int) -> PhaseSection:
        """Return the phase that a step of the training is in."""
        first = self.start
        for phase, steps in zip(self.section.phases, self.lengths, strict=True):
            first += steps
            if step < first:
                return phase
        return self.section.phases[-1]

    def epochs(self, steps: int) -> float:
        """Epochs that the stage's first `steps` steps make."""
        examples = 0
        for phase, length in zip(self.section.phases, self.lengths, strict=True):
            within = min(steps, length)
            examples += within * phase.batch
            steps -= within
        return examples / self.epoch_length


def plans(stages: Sequence[StageSection], epoch_length: int) -> list[StagePlan]:
    """Lay out stages one after the other.

    Args:
        stages: the recipe's.
        epoch_length: examples of an epoch.
    """
    laid: list[StagePlan] = []
    start = position = 0
    for section in stages:
        laid.append(StagePlan(section, start, position, epoch_length))
        start, position = laid[-1].end, laid[-1].end_position
    return laid


def phase_steps(phase: PhaseSection, epoch_length: int) -> int:
    """Steps of a phase, whose length is given in steps or in epochs."""
    if phase.steps is not None:
        return phase.steps
    assert phase.epochs is not None
    return ceil(phase.epochs * epoch_length / phase.batch)


def cosine(share: float, schedule: CosineSchedule) -> float:
    """From 1 to `lowest` along half a cosine, at a share of the stage."""
    return schedule.lowest + (1 - schedule.lowest) * (1 + cos(pi * share)) / 2


def triangular(epochs: float, schedule: TriangularSchedule) -> float:
    """From `lowest` to 1 in half a cycle and back in the next, after so many epochs."""
    phase = epochs / schedule.half_cycle % 2
    height = phase if phase <= 1 else 2 - phase
    return schedule.lowest + (1 - schedule.lowest) * height
