"""The training loop, all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from animatte.checkpoint import save_checkpoint
from animatte.data.dataset import Example, ExampleStream
from animatte.losses import weighted_total
from animatte.models.gfm import GFM
from animatte.training.objective import Batch, loss_terms
from animatte.training.recipe import Recipe
from animatte.training.schedule import rate_factor, requests
from animatte.training.sources import network_of, seeded, stream_of
from animatte.training.state import TrainingState, fresh_state
from animatte.training.validation import validation_pairs, validation_scores

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

    Raises:
        ValueError: if data or weights are missing, or the folder holds another training.
        FloatingPointError: if the loss is no longer a number.
    """
    seeded(recipe.seed)
    network, config = network_of(recipe.network)
    stream = stream_of(recipe.data, recipe.seed)
    watched = validation_pairs(recipe.validation)
    state = fresh_state(channels_last(network), recipe.optimiser)
    log = opened_folder(folder, recipe, state, on_record)
    end = recipe.num_steps if last_step is None else min(last_step, recipe.num_steps)
    started = monotonic()
    for batch in batches(recipe, stream, state.step, end):
        terms = training_step(state, batch, recipe)
        if state.step % LOG_EVERY == 0 or state.step == end:
            log({"step": state.step, "seconds": round(monotonic() - started, 1), **values(terms)})
        if recipe.validation and state.step % recipe.validation.every == 0:
            scores = validation_scores(state.averaged, watched, recipe.validation.view)
            log({"step": state.step, "validation": scores})
        if state.step % recipe.save_every == 0 or state.step == end:
            state.save(folder / STATE_NAME, recipe)
    model = folder / f"{recipe.name}.safetensors"
    save_checkpoint(model, state.averaged, config)
    return model


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


def training_step(state: TrainingState, batch: Batch, recipe: Recipe) -> dict[str, Tensor]:
    """Learn from one batch; return the loss terms and their weighted `total`."""
    state.network.train()
    factor = rate_factor(state.step, recipe.num_steps, recipe.optimiser)
    for group in state.optimiser.param_groups:
        group["lr"] = group["base_rate"] * factor
    enabled = recipe.precision == "bf16"
    with torch.autocast(batch.image.device.type, torch.bfloat16, enabled=enabled):
        output = state.network(batch.image)
    terms = loss_terms(output, batch, state.network.rosta)
    total = weighted_total(terms, recipe.loss)
    if not torch.isfinite(total):
        raise FloatingPointError(
            f"the loss is {float(total.detach())} at step {state.step}; "
            "lower the learning rate and resume from the last checkpoint"
        )
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), recipe.optimiser.clip)
    state.optimiser.step()
    state.average.update_parameters(state.network)
    state.step += 1
    return {**terms, "total": total}


def batches(recipe: Recipe, stream: ExampleStream, start: int, end: int) -> Iterator[Batch]:
    """Yield the batches of the steps from `start` up to `end`."""
    wanted = list(requests(recipe.phases, start))[: max(end - start, 0)]
    loader: DataLoader[Example] = DataLoader(
        stream,  # type: ignore[arg-type]  # read by item alone, which is all the loader asks
        batch_sampler=wanted,
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


def channels_last(network: GFM) -> GFM:
    """Lay out convolution weights as CPUs and GPUs read them fastest."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def values(terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Bring loss terms to plain numbers for the log."""
    return {name: round(float(term.detach()), 5) for name, term in terms.items()}
