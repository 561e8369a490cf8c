"""What each step looks like: its phase, its place in the stream of examples, its learning rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from animatte.data.dataset import Request
from animatte.training.recipe import OptimiserSection, PhaseSection


def requests(phases: Sequence[PhaseSection], start: int) -> Iterator[list[Request]]:
    """Yield each step's requests, from step `start` to the end of the last phase.

    A position is never used twice, and a step asks for the same ones whether or not the training
    was stopped before it.
    """
    step, position = 0, 0
    for phase in phases:
        for _ in range(phase.steps):
            if step >= start:
                last = position + phase.batch
                yield [Request(at, phase.size, phase.scale) for at in range(position, last)]
            step += 1
            position += phase.batch


def rate_factor(step: int, num_steps: int, config: OptimiserSection) -> float:
    """Return what learning rates are multiplied by: linear warm-up, then polynomial decay."""
    warmup = min(1.0, (step + 1) / (config.warmup + 1))
    return float(warmup * (1 - step / num_steps) ** config.power)
