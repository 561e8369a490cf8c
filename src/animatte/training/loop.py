"""The training loop, all of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from time import monotonic

import torch
from torch import Tensor

from animatte.checkpoint import save_checkpoint
from animatte.losses import weighted_total
from animatte.models.registry import MattingNetwork
from animatte.training.devices import Learner, gathered, learner_of, means, seed_step
from animatte.training.loading import Loaded, batches
from animatte.training.logs import Moment, Reporter
from animatte.training.objective import loss_terms
from animatte.training.recipe import Recipe
from animatte.training.runs import Run, opened_run
from animatte.training.schedule import StagePlan
from animatte.training.sheets import sample_sheet
from animatte.training.sources import blended_state
from animatte.training.state import TrainingState, set_training_mode
from animatte.training.stopping import (
    TrainingStopped,
    divergence,
    is_astray,
    running_mean,
    stop_request,
)
from animatte.training.validation import OVERALL, is_better, mean_of_each, validation_scores


def train(
    recipe: Recipe,
    folder: Path,
    last_step: int | None = None,
    reporter: Reporter | None = None,
) -> Path:
    """Train by a recipe, from where the folder's last checkpoint left off.

    What happens in a step depends on the seed and the step only, so a training that was stopped
    and resumed equals an unbroken one. Launched in several processes (`torchrun`, `accelerate
    launch`), each learns from its share of every batch.

    Args:
        recipe: everything the result depends on.
        folder: where checkpoints, models, logs and the recipe go; made if missing.
        last_step: stop after this step, to be resumed later; None for the recipe's end.
        reporter: hears of every step and record; None for nobody.

    Returns:
        The model: averaged weights with their configuration, `NAME.safetensors` in the folder.
        Where the recipe has several stages, `NAME.STAGE.safetensors` is the model after each;
        where it is watched, `NAME.best.safetensors` is that of the best score.

    Raises:
        ValueError: if data or weights are missing, the folder holds another training, or the
            loss is no longer a number or far above what it was (`DivergedError`).
        OSError: if something cannot be written, as on a full disk.
        TrainingStopped: after Ctrl-C or SIGTERM, when the state is saved.
    """
    with stop_request() as request, opened_run(recipe, folder, last_step, reporter) as run:
        state = run.state
        for index, plan in enumerate(run.plans):
            if plan.start >= run.last or plan.end < state.step:
                continue
            if index > state.stage:
                state.begin(index, recipe)
            learner = learner_of(state, run.accelerator)
            requests = plan.requests(state.step, run.last)
            run.pace.begin()
            for parts in batches(
                run.stream, requests, run.accelerator, recipe.data.workers, run.pace
            ):
                losses, norm, stop = training_step(run, learner, plan, parts, request.asked)
                after_step(run, plan, losses, norm, parts)
                if stop and state.step < run.last:
                    stop_here(run)
            if len(run.plans) > 1 and state.step == plan.end:
                save_model(run, plan.section.name, state.averaged)
        return save_model(run, None, kept_network(state, run.initial, recipe))


def training_step(
    run: Run, learner: Learner, plan: StagePlan, parts: Sequence[Loaded], stop: bool = False
) -> tuple[dict[str, float], float, bool]:
    """Learn from one batch.

    Args:
        run: under way.
        learner: wrapped for the stage.
        plan: of the stage.
        parts: of the batch, as this process has them; their gradients add up.
        stop: whether this process was asked to stop.

    Returns:
        The loss terms and their weighted `total`, as means over all processes and parts; the norm
        of the gradient; and whether any process was asked to stop.

    Raises:
        DivergedError: if loss or gradient went astray; the weights are as they were.
    """
    state, section, accelerator = run.state, plan.section, run.accelerator
    set_training_mode(state.network, section)
    state.set_rates(plan.rate_factor(state.step))
    seed_step(run.recipe.seed, state.step, accelerator.process_index)
    found: list[Mapping[str, Tensor]] = []
    for part in parts:
        with accelerator.accumulate(learner.network):
            output = learner.network(part.batch.image)
            terms = loss_terms(state.network, output, part.batch, section)
            total = weighted_total(terms, section.loss)
            accelerator.backward(total)
        found.append({**terms, "total": total})
    norm = accelerator.clip_grad_norm_(state.network.parameters(), section.optimiser.clip)
    own = {name: torch.stack([terms[name] for terms in found]).mean() for name in found[0]}
    asked = torch.tensor(float(stop), device=accelerator.device)
    *values, norm, stops = means(accelerator, [*own.values(), torch.as_tensor(norm), asked])
    losses = dict(zip(own, values, strict=True))
    refuse_divergence(run, losses["total"], norm, parts)
    learner.optimiser.step()
    learner.optimiser.zero_grad(set_to_none=True)
    state.average.update_parameters(state.network)
    state.usual_loss = running_mean(state.usual_loss, losses["total"])
    run.pace.samples += plan.phase(state.step).batch
    state.step += 1
    return losses, norm, stops > 0


def refuse_divergence(run: Run, total: float, norm: float, parts: Sequence[Loaded]) -> None:
    """Stop before weights are spoilt.

    Loss scaling looks for gradients that are no number, and passes such a step over.

    Raises:
        DivergedError: naming the samples in the batch.
    """
    state, recipe = run.state, run.recipe
    if is_astray(total, state.usual_loss, recipe.explosion):
        what = f"the loss is {total:.3g}"
    elif not math.isfinite(norm) and recipe.precision != "fp16":
        what = f"the loss is {total:.3g}, but the norm of its gradient {norm:.3g},"
    else:
        return
    samples = gathered([name for part in parts for name in part.names])
    raise divergence(what, state.step, state.usual_loss, samples, run.last_saved())


def after_step(
    run: Run, plan: StagePlan, losses: Mapping[str, float], norm: float, parts: Sequence[Loaded]
) -> None:
    """Log, validate and save where the recipe asks for it, and at the end of a stage or run."""
    recipe, step, pace = run.recipe, run.state.step, run.pace
    is_end = step in (run.last, plan.end)
    run.recent.append(losses)
    run.reporter.on_step(
        Moment(step, run.last, plan.section.name, losses, pace.samples_per_second, pace.waiting)
    )
    if step % recipe.log_every == 0 or is_end:
        log_step(run, plan, norm)
    if recipe.validation and step % recipe.validation.every == 0:
        validate(run)
        pace.begin()  # what validating and saving took is no slowness of the loop
    if step % recipe.save_every == 0 or is_end:
        run.save()
        if run.log is not None:
            run.log.show(step, sample_sheet(run.state.averaged, parts[0].batch))
        pace.begin()


def log_step(run: Run, plan: StagePlan, norm: float) -> None:
    """Log the mean losses since the last record, and how it is going."""
    step, pace = run.state.step, run.pace
    run.write(
        {
            "step": step,
            "stage": plan.section.name,
            "epoch": plan.epochs(step - plan.start),
            "seconds": monotonic() - run.started,
            "samples_per_second": pace.samples_per_second,
            "waiting": pace.waiting,
            "rate": max(group["lr"] for group in run.state.optimiser.param_groups),
            "gradient_norm": norm,
            "loss": mean_of_each(run.recent),
        }
    )
    run.recent.clear()
    pace.begin()


def validate(run: Run) -> None:
    """Score the averaged weights, and keep them if they are the best so far."""
    section, state = run.recipe.validation, run.state
    assert section is not None
    scores = validation_scores(state.averaged, run.watched, section.view, run.accelerator)
    run.write({"step": state.step, "validation": scores})
    score = scores[OVERALL][section.best]
    if is_better(score, state.best, section.best):
        state.best = score
        save_model(run, "best", state.averaged)


def stop_here(run: Run) -> None:
    """Save and end, as was asked.

    Raises:
        TrainingStopped: always.
    """
    run.save()
    raise TrainingStopped(
        f"stopped after step {run.state.step} of {run.last}; the state is saved: "
        "the same command goes on from there"
    )


def save_model(run: Run, part: str | None, network: MattingNetwork) -> Path:
    """Write weights with their configuration: the run's model, or that of a part of it."""
    name = run.recipe.name if part is None else f"{run.recipe.name}.{part}"
    path = run.folder / f"{name}.safetensors"
    if run.accelerator.is_main_process:
        save_checkpoint(path, network, run.config)
    return path


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
