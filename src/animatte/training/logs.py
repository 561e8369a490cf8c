"""What a training tells as it goes: to whoever runs it, to `metrics.jsonl`, to TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from animatte.training.checkpoints import written_whole

METRICS_NAME = "metrics.jsonl"
TENSORBOARD_FOLDER = "tensorboard"
Record: TypeAlias = Mapping[str, Any]


class Moment(NamedTuple):
    """Where a training is.

    Attributes:
        step: steps done.
        last: step that it ends after.
        stage: name of the stage.
        losses: terms of the step's loss and their `total`.
        samples_per_second: of all processes, lately.
        waiting: share of the time spent waiting for examples, lately, in [0, 1].
    """

    step: int
    last: int
    stage: str
    losses: Mapping[str, float]
    samples_per_second: float
    waiting: float


class Reporter:
    """Hears how a training goes; this one keeps it to itself."""

    def on_step(self, moment: Moment) -> None:
        """Hear of every step."""

    def on_record(self, record: Record) -> None:
        """Hear of what is logged."""

    def on_note(self, line: str) -> None:
        """Hear of what a user should know, in one line."""


class RunLog:
    """The logs in a run's folder.

    Args:
        folder: of the run.
        step: steps done; what was logged of later ones, before a kill, is forgotten.
        reporter: hears of every record too.
    """

    def __init__(self, folder: Path, step: int, reporter: Reporter) -> None:
        self.path = folder / METRICS_NAME
        self.reporter = reporter
        forget_after(self.path, step)
        self.board = SummaryWriter(str(folder / TENSORBOARD_FOLDER), purge_step=step + 1)

    def write(self, record: Record) -> None:
        """Log a record: `step`, and values in dictionaries as deep as need be."""
        rounded = _rounded(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rounded) + "\n")
        for name, value in curves(record):
            self.board.add_scalar(name, value, record["step"])
        self.reporter.on_record(rounded)

    def show(self, step: int, sheet: NDArray[np.uint8]) -> None:
        """Show sample pictures, (H, W, 3), in TensorBoard."""
        self.board.add_image("samples", sheet, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is still in memory."""
        self.board.close()


def forget_after(path: Path, step: int) -> None:
    """Remove records of later steps, which are to be made again, and a line cut short."""
    if not path.exists():
        return
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _is_up_to(line, step)]
    with written_whole(path) as part:
        part.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _is_up_to(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["step"] <= step)
    except ValueError:
        return False


def curves(record: Record, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number of a record but the step, under the names that lead to it."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from curves(value, f"{name}{key}/")
        elif isinstance(value, int | float) and key != "step":
            yield f"{name}{key}", value


def _rounded(record: Record) -> dict[str, Any]:
    return {key: _rounded_value(value) for key, value in record.items()}


def _rounded_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _rounded(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value
