"""The training loop, all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from animatte.checkpoint import save_checkpoint
from animatte.data.dataset import Example, ExampleStream, Request
from animatte.data.folders import Pair
from animatte.losses import weighted_total
from animatte.models.registry import MattingNetwork, NetworkConfig
from animatte.training.beginning import beginning, check_writable
from animatte.training.objective import Batch, loss_terms
from animatte.training.recipe import Recipe
from animatte.training.schedule import StagePlan, plans
from animatte.training.sources import blended_state
from animatte.training.state import TrainingState, fresh_state, set_training_mode
from animatte.training.validation import validation_scores

STATE_NAME = "state.pt"
LOG_EVERY = 50


def train(
    recipe: Recipe,
    folder: Path,
    last_step: int | None = None,
    on_record: Callable[[Mapping[str, Any]], None] | None = None,
) -> Path:
    """Train by a recipe, from where the folder's last checkpoint left off.

    The examples of a step depend on the seed and the step only, so a training that was stopped
    and resumed equals an unbroken one.

    Args:
        recipe: everything the result depends on.
        folder: where the checkpoint, the model, `metrics.jsonl` and the recipe go; made if
            missing.
        last_step: stop after this step, to be resumed later; None for the recipe's end.
        on_record: called with every record that is logged.

    Returns:
        The model: averaged weights with their configuration, `NAME.safetensors` in the folder.
        Where the recipe has several stages, `NAME.STAGE.safetensors` is the model after each.

    Raises:
        ValueError: if data or weights are missing, or the folder holds another training.
        FloatingPointError: if the loss is no longer a number.
    """
    check_writable(folder)
    network, config, stream, watched = beginning(recipe)
    initial = deepcopy(network.state_dict()) if recipe.network.initial_share else {}
    state = fresh_state(channels_last(network), recipe)
    log = opened_folder(folder, recipe, state, on_record)
    run = Run(recipe, folder, stream, watched, state, log, monotonic())
    stages = plans(recipe.stages, stream.epoch_length)
    last = stages[-1].end if last_step is None else min(last_step, stages[-1].end)
    for index, plan in enumerate(stages):
        if plan.start >= last or plan.end < state.step:
            continue
        if index > state.stage:
            state.begin(index, recipe)
        for batch in batches(recipe, stream, plan.requests(state.step, last)):
            terms = training_step(state, batch, recipe, plan)
            after_step(run, terms, is_end=state.step in (last, plan.end))
        if len(stages) > 1 and state.step == plan.end:
            save_model(folder, f"{recipe.name}.{plan.section.name}", state.averaged, config)
    return save_model(folder, recipe.name, kept_network(state, initial, recipe), config)


class Run(NamedTuple):
    """A training under way.

    Attributes:
        recipe: everything it depends on.
        folder: where files go.
        stream: the examples.
        watched: validation pictures of each folder.
        state: how far it is.
        log: takes a record.
        started: when, in seconds of the monotonic clock.
    """

    recipe: Recipe
    folder: Path
    stream: ExampleStream
    watched: Mapping[str, Sequence[Pair]]
    state: TrainingState
    log: Callable[[Mapping[str, Any]], None]
    started: float


def after_step(run: Run, terms: Mapping[str, Tensor], is_end: bool) -> None:
    """Log, validate and save where the recipe asks for it, and at the end of a stage or run."""
    recipe, state = run.recipe, run.state
    if state.step % LOG_EVERY == 0 or is_end:
        seconds = round(monotonic() - run.started, 1)
        run.log({"step": state.step, "seconds": seconds, **values(terms)})
    if recipe.validation and state.step % recipe.validation.every == 0:
        scores = validation_scores(state.averaged, run.watched, recipe.validation.view)
        run.log({"step": state.step, "validation": scores})
    if state.step % recipe.save_every == 0 or is_end:
        state.save(run.folder / STATE_NAME, recipe)


def save_model(folder: Path, name: str, network: MattingNetwork, config: NetworkConfig) -> Path:
    """Write weights with their configuration."""
    model = folder / f"{name}.safetensors"
    save_checkpoint(model, network, config)
    return model


def kept_network(
    state: TrainingState, initial: Mapping[str, Tensor], recipe: Recipe
) -> MattingNetwork:
    """The averaged network, holding the recipe's share of the weights it began with."""
    share = recipe.network.initial_share
    if not share:
        return state.averaged
    network = deepcopy(state.averaged)
    network.load_state_dict(blended_state(network.state_dict(), initial, share))
    return network


def opened_folder(
    folder: Path,
    recipe: Recipe,
    state: TrainingState,
    on_record: Callable[[Mapping[str, Any]], None] | None,
) -> Callable[[Mapping[str, Any]], None]:
    """Take over the folder's checkpoint, if any, and return what logs a record there."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / STATE_NAME).exists():
        state.load(folder / STATE_NAME, recipe)
    (folder / "recipe.json").write_text(recipe.model_dump_json(indent=2), encoding="utf-8")

    def log(record: Mapping[str, Any]) -> None:
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if on_record is not None:
            on_record(record)

    return log


def training_step(
    state: TrainingState, batch: Batch, recipe: Recipe, plan: StagePlan
) -> dict[str, Tensor]:
    """Learn from one batch; return the loss terms and their weighted `total`."""
    section = plan.section
    set_training_mode(state.network, section)
    state.set_rates(plan.rate_factor(state.step))
    enabled = recipe.precision == "bf16"
    with torch.autocast(batch.image.device.type, torch.bfloat16, enabled=enabled):
        output = state.network(batch.image)
    terms = loss_terms(state.network, output, batch, section)
    total = weighted_total(terms, section.loss)
    if not torch.isfinite(total):
        raise FloatingPointError(
            f"the loss is {float(total.detach())} at step {state.step}; "
            "lower the learning rate and resume from the last checkpoint"
        )
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), section.optimiser.clip)
    state.optimiser.step()
    state.average.update_parameters(state.network)
    state.step += 1
    return {**terms, "total": total}


def batches(
    recipe: Recipe, stream: ExampleStream, requests: Iterator[list[Request]]
) -> Iterator[Batch]:
    """Yield a batch for every step's requests."""
    loader: DataLoader[Example] = DataLoader(
        stream,  # type: ignore[arg-type]  # read by item alone, which is all the loader asks
        batch_sampler=list(requests),
        num_workers=recipe.data.workers,
        collate_fn=batch_of,
        prefetch_factor=4 if recipe.data.workers else None,
    )
    yield from loader


def batch_of(examples: list[Example]) -> Batch:
    """Stack examples into tensors."""
    columns = [
        torch.stack([torch.from_numpy(getattr(example, name)) for example in examples])
        for name in Batch._fields
    ]
    return Batch(columns[0].contiguous(memory_format=torch.channels_last), *columns[1:])


def channels_last(network: MattingNetwork) -> MattingNetwork:
    """Lay out convolution weights as CPUs and GPUs read them fastest."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def values(terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Bring loss terms to plain numbers for the log."""
    return {name: round(float(term.detach()), 5) for name, term in terms.items()}
