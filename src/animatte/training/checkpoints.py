"""Checkpoints of a run: the last few, each whole at any moment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from animatte.replacing import written_beside

FOLDER = "checkpoints"
_PATTERN = "step-*.pt"


def save_state(folder: Path, step: int, contents: Mapping[str, Any], keep: int) -> None:
    """Write a checkpoint, then remove all but the last few.

    Args:
        folder: of the run.
        step: that the checkpoint was taken after.
        contents: tensors and plain values.
        keep: how many stay.

    Raises:
        OSError: if it cannot be written; those before it are as they were.
    """
    path = folder / FOLDER / f"step-{step:08d}.pt"
    with written_whole(path) as part, part.open("wb") as file:
        torch.save(dict(contents), file)
        file.flush()
        os.fsync(file.fileno())
    for old in saved_states(folder)[:-keep]:
        old.unlink()


def saved_states(folder: Path) -> list[Path]:
    """Return the checkpoints of a run, oldest first."""
    return sorted((folder / FOLDER).glob(_PATTERN))


def newest_state(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Read the last checkpoint of a run; None if it has none.

    Raises:
        ValueError: if the file is damaged.
    """
    if not (paths := saved_states(folder)):
        return None
    try:
        contents = torch.load(paths[-1], map_location="cpu", weights_only=True)
        return paths[-1], dict(contents)
    except (RuntimeError, EOFError, TypeError, ValueError, UnpicklingError) as error:
        raise ValueError(
            f"{paths[-1]} is no whole checkpoint; remove it to go on from the one before, if any"
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed run was just writing."""
    for each in (folder, folder / FOLDER):
        for part in each.glob(".*.part"):
            part.unlink()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """As `written_beside`, in a folder that is made if need be; says what to do if that fails.

    Raises:
        OSError: naming the file, what is wrong and the room that is left.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path) as part:
            yield part
    except (OSError, RuntimeError) as error:  # torch's writer tells of a full disk by the latter
        raise OSError(_complaint(path, error)) from error


def _complaint(path: Path, error: OSError | RuntimeError) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    if isinstance(error.__context__, OSError):  # what torch's writer stumbled over
        reason = error.__context__.strerror
    reason = reason or next(iter(str(error).splitlines()), "the disk is full?")
    whereabouts = next((each for each in path.parents if each.is_dir()), Path())
    megabytes = shutil.disk_usage(whereabouts).free // 10**6
    return (
        f"{path} could not be written: {reason} ({megabytes:,} MB free); "
        "what was there before is kept: mend it and run the same command again"
    )
