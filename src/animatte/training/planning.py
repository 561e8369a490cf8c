"""What a training would take, from a few measured steps; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import torch
from torch import Tensor

from animatte.training.devices import Learner, learner_of, shares
from animatte.training.loading import Loaded, loaded, on_device
from animatte.training.logs import Reporter
from animatte.training.loop import training_step
from animatte.training.recipe import Recipe
from animatte.training.runs import Run, prepared_run
from animatte.training.schedule import StagePlan, phase_steps
from animatte.training.stage_sections import PhaseSection

MEASURED_STEPS = 3  # of each phase; the first warms up
MOST_SECONDS = 20  # after which no further step of a phase is measured


class PhasePlan(NamedTuple):
    """What a phase would take.

    Attributes:
        stage: it is in.
        steps: of it.
        batch: examples a step.
        size: side of the views.
        step_seconds: a step takes once its examples are there.
        example_seconds: making an example takes.
        workers: processes that make examples; 0 for the one that learns.
        activations: bytes that a step keeps for its backward pass.
    """

    stage: str
    steps: int
    batch: int
    size: int
    step_seconds: float
    example_seconds: float
    workers: int
    activations: int

    @property
    def seconds(self) -> float:
        """Time of the whole phase: examples are made meanwhile, if other processes make them."""
        examples = self.batch * self.example_seconds
        if self.workers == 0:
            return self.steps * (self.step_seconds + examples)
        return self.steps * max(self.step_seconds, examples / self.workers)


class TrainingPlan(NamedTuple):
    """What a training would take.

    Attributes:
        recipe: the training's.
        device: that it would run on.
        processes: that would learn together.
        parameters: of the network.
        trained: parameters that are trained in some stage.
        epoch: examples of an epoch.
        weights: bytes of the network and its running average.
        gradients: bytes, at most.
        optimiser: bytes of the optimiser's state, at most.
        phases: one after the other.
    """

    recipe: Recipe
    device: str
    processes: int
    parameters: int
    trained: int
    epoch: int
    weights: int
    gradients: int
    optimiser: int
    phases: Sequence[PhasePlan]


def training_plan(recipe: Recipe, reporter: Reporter | None = None) -> TrainingPlan:
    """Measure a few steps of every phase.

    Args:
        recipe: the training's.
        reporter: hears of notes.

    Raises:
        ValueError: if data or weights are missing, as for a training.
    """
    run = prepared_run(recipe, Path(), None, reporter or Reporter())
    parameters = list(run.state.network.parameters())
    trained: set[int] = set()
    phases: list[PhasePlan] = []
    gradients = optimiser = 0
    for index, plan in enumerate(run.plans):
        if index > 0:
            run.state.begin(index, recipe)
        learner = learner_of(run.state, run.accelerator)
        phases += [measured_phase(run, learner, plan, phase) for phase in plan.section.phases]
        followed = [each for each in parameters if each.requires_grad]
        trained |= {id(each) for each in followed}
        gradients = max(gradients, num_bytes(followed))
        kept = [value for each in run.state.optimiser.state.values() for value in each.values()]
        optimiser = max(optimiser, num_bytes(each for each in kept if isinstance(each, Tensor)))
    return TrainingPlan(
        recipe,
        str(run.accelerator.device),
        run.accelerator.num_processes,
        sum(each.numel() for each in parameters),
        sum(each.numel() for each in parameters if id(each) in trained),
        run.stream.epoch_length,
        2 * num_bytes(parameters),
        gradients,
        optimiser,
        phases,
    )


def measured_phase(run: Run, learner: Learner, plan: StagePlan, phase: PhaseSection) -> PhasePlan:
    """Measure steps of a phase, all on its first batch."""
    alone = StagePlan(
        plan.section.model_copy(update={"phases": (phase,)}),
        plan.start,
        plan.first_position,
        plan.epoch_length,
    )
    begun = monotonic()
    parts = first_batch(run, alone)
    example_seconds = (monotonic() - begun) * run.accelerator.num_processes / phase.batch
    run.state.step = plan.start
    times: list[float] = []
    with saved_bytes() as saved:
        times.append(measured_step(run, learner, alone, parts))
    while len(times) < MEASURED_STEPS and sum(times) < MOST_SECONDS:
        times.append(measured_step(run, learner, alone, parts))
    return PhasePlan(
        plan.section.name,
        phase_steps(phase, plan.epoch_length),
        phase.batch,
        phase.size,
        min(times),
        example_seconds,
        run.recipe.data.workers * run.accelerator.num_processes,
        sum(saved.values()),
    )


def first_batch(run: Run, plan: StagePlan) -> list[Loaded]:
    """Make this process' share of a stage's first batch, here and now."""
    first = islice(plan.requests(plan.start, plan.start + 1), 1)
    (parts,) = shares(first, run.accelerator)
    made = [loaded([run.stream[request] for request in part]) for part in parts]
    device = run.accelerator.device
    return [Loaded(on_device(part.batch, device), part.names) for part in made]


def measured_step(run: Run, learner: Learner, plan: StagePlan, parts: list[Loaded]) -> float:
    """Seconds that a step of the training takes."""
    begun = monotonic()
    training_step(run, learner, plan, parts)
    run.state.step = plan.start
    return monotonic() - begun


@contextmanager
def saved_bytes() -> Iterator[dict[int, int]]:
    """Count what forward passes keep for backward ones: bytes by where they lie in memory."""
    found: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = max(found.get(storage.data_ptr(), 0), storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield found


def num_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes that tensors take."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def plan_lines(plan: TrainingPlan) -> Iterator[str]:
    """Yield a plan as lines of text."""
    network = plan.recipe.network
    kind = f" {network.rosta}" if network.rosta else ""
    yield (
        f"{plan.recipe.name}: {network.name}{kind}, {plan.parameters / 1e6:.2f} million "
        f"parameters, {plan.trained / 1e6:.2f} million trained"
    )
    yield f"an epoch: {plan.epoch:,} samples"
    for phase in plan.phases:
        samples = phase.steps * phase.batch
        yield (
            f"stage {phase.stage}: {phase.steps:,} steps of {phase.batch} views of {phase.size} "
            f"pixels, {samples:,} samples ({samples / plan.epoch:.1f} epochs): "
            f"{phase.step_seconds:.3g} s a step "
            f"({phase.batch / phase.step_seconds:.3g} samples/s), "
            f"{phase.example_seconds:.2g} s to make a sample; {spelt_time(phase.seconds)}"
        )
    yield memory_line(plan)
    samples = sum(phase.steps * phase.batch for phase in plan.phases)
    yield (
        f"in all: {sum(phase.steps for phase in plan.phases):,} steps, {samples:,} samples, about "
        f"{spelt_time(sum(phase.seconds for phase in plan.phases))} on {plan.device} "
        f"({plan.processes} process{'es' if plan.processes > 1 else ''}), validation not counted"
    )


def memory_line(plan: TrainingPlan) -> str:
    """Say what a process' memory holds at most, by what is measured."""
    activations = max(phase.activations for phase in plan.phases)
    parts = {
        "weights and their average": plan.weights,
        "gradients": plan.gradients,
        "optimiser": plan.optimiser,
        "activations": activations,
    }
    text = ", ".join(f"{name} {value / 1e6:,.0f} MB" for name, value in parts.items())
    data = plan.recipe.data
    cache = f"; decoded pictures up to {data.cache:g} GB in each of {max(data.workers, 1)} "
    total = sum(parts.values()) / 1e9
    return f"memory: about {total:.2f} GB beside torch itself ({text}){cache}loading processes"


def spelt_time(seconds: float) -> str:
    """A span of time in words: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
