"""Before the first step: everything that a recipe names is found, or said to be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from animatte.data.dataset import ExampleStream
from animatte.data.folders import Pair
from animatte.models.registry import MattingNetwork, NetworkConfig
from animatte.training.objective import asked_planes
from animatte.training.recipe import Recipe
from animatte.training.sources import network_of, seeded, stream_of
from animatte.training.stage_sections import StageSection
from animatte.training.validation import validation_pairs


class Beginning(NamedTuple):
    """What a training starts with.

    Attributes:
        network: with its first weights.
        config: of the network.
        stream: the examples.
        watched: validation pictures of each folder.
    """

    network: MattingNetwork
    config: NetworkConfig
    stream: ExampleStream
    watched: Mapping[str, Sequence[Pair]]


def beginning(recipe: Recipe) -> Beginning:
    """Find data, then weights.

    Raises:
        ValueError: if data or weights are missing or do not fit, or a batch is larger than the set.
    """
    stream = stream_of(recipe.data, recipe.seed, asked_planes(recipe.network.config, recipe.stages))
    check_batches(recipe.stages, stream.epoch_length)
    watched = validation_pairs(recipe.validation)
    seeded(recipe.seed)
    network, config = network_of(recipe.network)
    return Beginning(network, config, stream, watched)


def check_writable(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        ValueError: if that cannot be, or no file can be written in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{folder}: no files can be written there ({error.strerror}); choose another folder: -o"
        ) from error


def check_batches(stages: Sequence[StageSection], epoch_length: int) -> None:
    """Refuse batches larger than the set.

    Args:
        stages: of the recipe.
        epoch_length: examples of an epoch.

    Raises:
        ValueError: naming the phase.
    """
    for at, stage in enumerate(stages):
        for number, phase in enumerate(stage.phases):
            if phase.batch > epoch_length:
                key = f"stages.{at}.phases.{number}.batch"
                raise ValueError(
                    f"{key} is {phase.batch}, but an epoch has {epoch_length} examples; give more "
                    f"pictures, count them more often (data.sources.0.per_epoch) or set "
                    f"{key}={epoch_length}"
                )
