"""A training under way, and the folder it leaves its files in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from accelerate import Accelerator
from torch import Tensor

from animatte.data.dataset import ExampleStream
from animatte.data.folders import Pair
from animatte.models.registry import NetworkConfig
from animatte.training.beginning import beginning, check_writable
from animatte.training.checkpoints import (
    newest_state,
    remove_leftovers,
    save_state,
    saved_states,
)
from animatte.training.devices import accelerator_of, placed
from animatte.training.loading import Pace
from animatte.training.logs import Record, Reporter, RunLog
from animatte.training.provenance import data_manifest, write_manifest, write_recipe, write_start
from animatte.training.recipe import Recipe
from animatte.training.schedule import StagePlan, plans
from animatte.training.sources import state_to_share
from animatte.training.state import TrainingState, fresh_state


@dataclass
class Run:
    """A training under way.

    Attributes:
        recipe: everything it depends on.
        folder: where files go.
        last: step that it ends after.
        config: what the network was built from.
        initial: weights that it began with, where some of them are kept.
        stream: the examples.
        watched: validation pictures of each folder.
        accelerator: device and processes.
        state: how far it is.
        plans: of its stages.
        reporter: hears of every step.
        log: the folder's; None where another process writes it.
        pace: how fast it is, since the last record.
        recent: losses of the steps since the last record.
        started: when, in seconds of the monotonic clock.
    """

    recipe: Recipe
    folder: Path
    last: int
    config: NetworkConfig
    initial: Mapping[str, Tensor]
    stream: ExampleStream
    watched: Mapping[str, Sequence[Pair]]
    accelerator: Accelerator
    state: TrainingState
    plans: Sequence[StagePlan]
    reporter: Reporter
    log: RunLog | None = None
    pace: Pace = field(default_factory=Pace)
    recent: list[Mapping[str, float]] = field(default_factory=list)
    started: float = field(default_factory=monotonic)

    def write(self, record: Record) -> None:
        """Log a record, if this process is the one that logs."""
        if self.log is not None:
            self.log.write(record)

    def save(self) -> None:
        """Write a checkpoint, if this process is the one that writes; the others wait."""
        scaler = self.accelerator.scaler
        if self.accelerator.is_main_process:
            contents = self.state.contents(self.recipe)
            contents["scaler"] = None if scaler is None else scaler.state_dict()
            save_state(self.folder, self.state.step, contents, self.recipe.keep)
        self.accelerator.wait_for_everyone()

    def resume(self) -> None:
        """Take over the folder's last checkpoint, if there is one.

        Raises:
            ValueError: if it is damaged or of another training.
        """
        if (found := newest_state(self.folder)) is None:
            return
        path, contents = found
        try:
            self.state.restore(contents, self.recipe)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; choose another folder (-o)") from error
        if self.accelerator.scaler is not None and contents["scaler"]:
            self.accelerator.scaler.load_state_dict(contents["scaler"])
        self.reporter.on_note(f"goes on after step {self.state.step}, from {path}")

    def last_saved(self) -> str:
        """Say which checkpoint there is."""
        paths = saved_states(self.folder)
        return f"{paths[-1]} is kept" if paths else "no checkpoint was written yet"


def prepared_run(recipe: Recipe, folder: Path, last_step: int | None, reporter: Reporter) -> Run:
    """Find and build all that a training needs, and write nothing.

    Raises:
        ValueError: if data or weights are missing.
    """
    accelerator = accelerator_of(recipe, reporter.on_note)
    if not accelerator.is_main_process:
        reporter = Reporter()
    with accelerator.main_process_first():  # which draws or fetches what is not there yet
        network, config, stream, watched = beginning(recipe)
    initial = state_to_share(recipe.network, network)
    state = fresh_state(placed(network, accelerator), recipe)
    stages = plans(recipe.stages, stream.epoch_length)
    last = stages[-1].end if last_step is None else min(last_step, stages[-1].end)
    return Run(
        recipe, folder, last, config, initial, stream, watched, accelerator, state, stages, reporter
    )


@contextmanager
def opened_run(
    recipe: Recipe, folder: Path, last_step: int | None = None, reporter: Reporter | None = None
) -> Iterator[Run]:
    """Open a run: its folder made or taken over, its logs written until it is closed.

    Raises:
        ValueError: if data or weights are missing, or the folder holds another training.
        OSError: if the folder cannot be written to.
    """
    check_writable(folder)
    run = prepared_run(recipe, folder, last_step, reporter or Reporter())
    run.resume()
    run.accelerator.wait_for_everyone()  # before the first process changes what is there
    try:
        if run.accelerator.is_main_process:
            remove_leftovers(folder)
            describe(run)
            run.log = RunLog(folder, run.state.step, run.reporter)
        yield run
    finally:
        if run.log is not None:
            run.log.close()


def describe(run: Run) -> None:
    """Write what the run is made of: recipe, versions, commit, data."""
    write_recipe(run.folder, run.recipe)
    accelerator = run.accelerator
    device, processes = str(accelerator.device), accelerator.num_processes
    write_start(run.folder, run.state.step, device, processes)
    changed = write_manifest(run.folder, data_manifest(run.stream, run.recipe.data.root))
    if changed is not None:
        run.reporter.on_note(changed)
