"""The training loop, all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

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


def train(recipe: Recipe, folder: Path, max_steps: int | None = None) -> TrainingState:
    """Train by a recipe, from where the folder's last checkpoint left off.

    The examples of a step depend on the seed and the step only, so a training that was stopped
    and resumed equals an unbroken one.

    Args:
        recipe: everything the result depends on.
        folder: where checkpoints, `metrics.jsonl` and the recipe go; made if missing.
        max_steps: stop early, after this step.

    Raises:
        ValueError: if data or weights are missing, or the folder holds another training.
        FloatingPointError: if the loss is no longer a number.
    """
    seeded(recipe.seed)
    network, _ = network_of(recipe.network)
    stream = stream_of(recipe.data, recipe.seed)
    watched = validation_pairs(recipe.validation)
    state = fresh_state(network.to(memory_format=torch.channels_last), recipe.optimiser)  # type: ignore[call-overload]
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / STATE_NAME).exists():
        state.load(folder / STATE_NAME)
    (folder / "recipe.json").write_text(recipe.model_dump_json(indent=2), encoding="utf-8")
    last_step = min(recipe.num_steps, max_steps or recipe.num_steps)
    started = monotonic()
    for batch in batches(recipe, stream, state.step):
        if state.step >= last_step:
            break
        terms = training_step(state, batch, recipe)
        if state.step % LOG_EVERY == 0 or state.step == last_step:
            _log(folder, {"step": state.step, "seconds": monotonic() - started, **_values(terms)})
        if recipe.validation and state.step % recipe.validation.every == 0:
            averaged = state.average.module
            assert isinstance(averaged, GFM)
            scores = validation_scores(averaged, watched, recipe.validation.view)
            _log(folder, {"step": state.step, "validation": scores})
        if state.step % recipe.save_every == 0 or state.step == last_step:
            state.save(folder / STATE_NAME, recipe)
    return state


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
            f"the loss is {float(total)} at step {state.step}; lower the learning rate and "
            "resume from the last checkpoint"
        )
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), recipe.optimiser.clip)
    state.optimiser.step()
    state.average.update_parameters(state.network)
    state.step += 1
    return {**terms, "total": total}


def batches(recipe: Recipe, stream: ExampleStream, start: int) -> Iterator[Batch]:
    """Yield the batches of every step from `start` on."""
    loader: DataLoader[Example] = DataLoader(
        stream,  # type: ignore[arg-type]  # read by item alone, which is all the loader asks
        batch_sampler=list(requests(recipe.phases, start)),
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


def _values(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: round(float(term.detach()), 5) for name, term in terms.items()}


def _log(folder: Path, record: dict[str, Any]) -> None:
    line = json.dumps(record)
    print(line, flush=True)
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
