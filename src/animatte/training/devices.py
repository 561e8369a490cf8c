"""Where a training runs: the device, the precision, and the processes that learn together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState
from accelerate.utils import (
    DistributedDataParallelKwargs,
    GradientAccumulationPlugin,
    gather_object,
    set_seed,
)
from torch import Tensor, nn

from animatte.data.dataset import Request
from animatte.models.registry import MattingNetwork
from animatte.training.recipe import Recipe
from animatte.training.stage_sections import StageSection
from animatte.training.state import TrainingState

PRECISIONS: Mapping[str, str] = {"float32": "no", "bf16": "bf16", "fp16": "fp16"}


def accelerator_of(recipe: Recipe, on_note: Callable[[str], None]) -> Accelerator:
    """Return what runs a recipe on the devices and processes that were launched.

    Args:
        recipe: says precision, accumulation and whether the network is compiled.
        on_note: told in a line what is done otherwise than the recipe asks for.

    Raises:
        ValueError: if the device does not know the recipe's precision, the processes cannot learn
            together, or a batch cannot be parted evenly among them.
    """
    AcceleratorState._reset_state()  # a training before, in this process, may have had others
    compiled = recipe.compile and compiler_works(on_note)
    try:
        accelerator = Accelerator(
            cpu=not torch.accelerator.is_available(),  # several processes on it have to be told
            mixed_precision=PRECISIONS[recipe.precision],
            gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=recipe.accumulation),
            dynamo_backend="inductor" if compiled else "no",
            # A loss may leave a part of the network out.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
    except ValueError as error:
        raise ValueError(
            f"precision {recipe.precision} cannot be had here: {error} Choose another precision"
        ) from error
    if recipe.precision == "fp16" and accelerator.device.type == "cpu":
        raise ValueError(
            "precision fp16 cannot be had on a CPU, whose losses are not scaled; "
            "choose bf16 or float32"
        )
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != launched:
        raise ValueError(
            f"{launched} processes were launched, but {accelerator.device} cannot learn with "
            "others; launch one, or set ACCELERATE_USE_CPU=1"
        )
    check_parts(recipe.stages, accelerator.num_processes, recipe.accumulation)
    return accelerator


def compiler_works(on_note: Callable[[str], None]) -> bool:
    """Try `torch.compile` on next to nothing; where it does not work, say so in a line."""
    try:
        device = torch.accelerator.current_accelerator() or torch.device("cpu")
        torch.compile(lambda value: value + 1)(torch.zeros(2, device=device))
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).partition("Set TORCH")[0].split())  # how to debug torch
        on_note(f"the network is not compiled, as torch.compile does not work here: {reason}")
        return False
    return True


def is_first_process() -> bool:
    """Whether this is the process that logs and prints."""
    return bool(PartialState().is_main_process)


def leave_processes() -> None:
    """Take leave of the other processes, if there are any, once all have come this far."""
    state = PartialState()
    state.wait_for_everyone()
    state.destroy_process_group()


def check_parts(stages: Sequence[StageSection], processes: int, accumulation: int) -> None:
    """See that each batch can be parted evenly.

    Raises:
        ValueError: if one cannot.
    """
    for stage in stages:
        for phase in stage.phases:
            if phase.batch % (processes * accumulation):
                raise ValueError(
                    f"a batch of {phase.batch} (stages.phases.batch, of all processes together) "
                    f"does not part evenly among {processes} processes and accumulation "
                    f"{accumulation}; choose a multiple of {processes * accumulation}"
                )


def placed(network: MattingNetwork, accelerator: Accelerator) -> MattingNetwork:
    """Bring a network to the device, its weights laid out as CPUs and GPUs read them fastest.

    On several GPUs batch norm sees the whole batch, as it does on one.
    """
    if accelerator.num_processes > 1 and accelerator.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return network.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def shares(
    requests: Iterable[list[Request]], accelerator: Accelerator
) -> Iterator[list[list[Request]]]:
    """Part the requests of each step: this process' own, in as many parts as are accumulated."""
    processes, parts = accelerator.num_processes, accelerator.gradient_accumulation_steps
    for batch in requests:
        size = len(batch) // (processes * parts)
        first = accelerator.process_index * parts
        yield [batch[part * size : (part + 1) * size] for part in range(first, first + parts)]


class Whole(nn.Module):
    """A network as the only child of a module, for Accelerate to wrap and patch as it needs.

    The network itself stays as it is, so that it can be copied, saved, and wrapped anew.
    """

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Any:
        """Return what the network predicts for (B, 3, H, W) RGB in [0, 1]."""
        return self.network(image)


class Learner(NamedTuple):
    """What learns in a stage: in mixed precision, compiled, one of several, as the run asks.

    Attributes:
        network: called with images; its outputs are float32.
        optimiser: follows the gradients that all processes found.
    """

    network: nn.Module
    optimiser: AcceleratedOptimizer


def learner_of(state: TrainingState, accelerator: Accelerator) -> Learner:
    """Wrap a state's network and optimiser for a stage; the stage before loses its wrapping."""
    accelerator.free_memory()
    network = accelerator.prepare_model(Whole(state.network))
    return Learner(network, accelerator.prepare_optimizer(state.optimiser))


def seed_step(seed: int, step: int, process: int) -> None:
    """Seed what a network may draw from, by the step alone, so that a resumed one draws the same.

    Args:
        seed: of the training.
        step: that begins.
        process: its number, since each sees other examples.
    """
    (drawn,) = np.random.SeedSequence([seed, step, process]).generate_state(1)
    set_seed(int(drawn))


def means(accelerator: Accelerator, values: Sequence[Tensor]) -> list[float]:
    """Return the mean of each scalar over the processes."""
    stacked = torch.stack([value.detach().float() for value in values])
    return [float(value) for value in accelerator.reduce(stacked, "mean").tolist()]


def gathered(values: Sequence[Any]) -> list[Any]:
    """Collect what every process holds, in the order of their numbers."""
    return list(gather_object(list(values)))
