"""Weights and their configuration, in files: our own format, and GFM's published checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from animatte.models.encoders.base import InputScaling
from animatte.models.gfm import GFM, IntegratedGFM
from animatte.models.late_fusion import LFM, LFMConfig
from animatte.models.registry import (
    GFMConfig,
    MattingNetwork,
    NetworkConfig,
    built_network,
    gfm_config,
)
from animatte.models.state_dicts import (
    CheckpointError,
    mismatch,
    safetensors_file,
    tensors_from_file,
    tensors_in,
    weights,
    without_counters,
)
from animatte.replacing import written_beside

__all__ = [
    "CheckpointError",
    "gfm_from_published",
    "load_checkpoint",
    "load_published",
    "save_checkpoint",
]

METADATA_KEY = "animatte"
CONFIGS: Mapping[str, type[NetworkConfig]] = {"gfm": GFMConfig, "lfm": LFMConfig}


# --- our own format -----------------------------------------------------------------------------


def save_checkpoint(
    path: Path,
    network: MattingNetwork,
    config: NetworkConfig,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write weights and configuration to one safetensors file, whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        network: what to save; step counters of batch norm are left out.
        config: what it was built from.
        extra: further metadata (a licence, scores), under keys other than "animatte".

    Raises:
        CheckpointError: if `config` describes another network, or the folder does not exist.
        OSError: if the file cannot be written; one that was there is as it was.
    """
    if extra and METADATA_KEY in extra:
        raise CheckpointError(f"extra metadata may not be called {METADATA_KEY!r}: it is taken")
    tensors = {name: value.detach().contiguous() for name, value in weights(network).items()}
    fault = mismatch(weights(_unfilled(config)), tensors)
    if fault:
        raise CheckpointError(f"the configuration describes another network: {fault}")
    if not path.parent.is_dir():
        raise CheckpointError(f"{path}: the folder {path.parent} does not exist; create it first")
    kind = next(name for name, known in CONFIGS.items() if isinstance(config, known))
    content = json.dumps({"format": 1, "network": kind, "config": config.as_dict()})
    _replace_file(path, tensors, {**(extra or {}), METADATA_KEY: content})


def _replace_file(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    try:
        with written_beside(path) as part:
            part.touch()
            mode = part.stat().st_mode  # what the user's umask gives; safetensors makes it private
            save_file(tensors, part, metadata)
            part.chmod(mode)
    except SafetensorError as error:  # which is no OSError, as on a full disk
        raise OSError(f"{path} could not be written: {error}") from error


def load_checkpoint(path: Path) -> tuple[MattingNetwork, NetworkConfig]:
    """Read what `save_checkpoint` wrote: the network in evaluation mode, and its configuration.

    Raises:
        CheckpointError: if the file cannot be read, is cut short, is of another kind, or does not
            fit its own configuration.
    """
    tensors, metadata = safetensors_file(path)
    if METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path}: expected a checkpoint of animatte, found a safetensors file without "
            f"{METADATA_KEY!r} in its metadata; published GFM weights come in by "
            "`animatte models import`"
        )
    try:
        config = _config_from(metadata[METADATA_KEY])
        return _filled(_unfilled(config), config, tensors), config
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _config_from(content: str) -> NetworkConfig:
    try:
        values = json.loads(content)
        found = (values["format"], values["network"])
        if found[0] == 1 and found[1] in CONFIGS:
            return CONFIGS[found[1]].from_dict(values["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"its configuration cannot be read: {error}") from error
    known = " or ".join(repr(name) for name in CONFIGS)
    raise CheckpointError(f"expected a {known} network of format 1, found {found[1]!r}, {found[0]}")


def _unfilled(config: NetworkConfig) -> MattingNetwork:
    """Build a network whose tensors have shapes but no memory yet."""
    try:
        with torch.device("meta"):
            return built_network(config)
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        fault = str(error).splitlines()[0]
        raise CheckpointError(f"its configuration builds no network: {fault}") from error


def _filled(
    network: MattingNetwork, config: NetworkConfig, tensors: Mapping[str, Tensor]
) -> MattingNetwork:
    """Give an unfilled network its weights (float32 ones are shared, not copied)."""
    fault = mismatch(weights(network), without_counters(tensors))
    if fault:
        raise CheckpointError(f"the weights do not fit the configuration: {fault}")
    state = {
        name: tensors[name].to(torch.float32) if value.is_floating_point() else torch.tensor(0)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    scaled = network if isinstance(network, LFM) else network.trunk
    scaled.input_scaling = InputScaling(config.input_scaling)  # constants, in no state dict
    return network.eval()


# --- published checkpoints of GFM ---------------------------------------------------------------


class PublishedEncoder(NamedTuple):
    """How a published encoder spells its parameters; every name is the start of one.

    Attributes:
        names: ours, within the encoder, to the published.
        aliases: a second published name of the very same tensors, to the first.
        unused: published parameters that its forward never reads.
    """

    names: Mapping[str, str]
    aliases: Mapping[str, str]
    unused: tuple[str, ...]


_RESNET = PublishedEncoder(
    names={"": "resnet."},
    aliases={
        "encoder0.0.": "resnet.conv1.",
        "encoder0.1.": "resnet.bn1.",
        "encoder1.1.": "resnet.layer1.",
        **{f"encoder{n}.": f"resnet.layer{n}." for n in (2, 3, 4)},
    },
    unused=("resnet.fc.",),
)
PUBLISHED_ENCODERS: Mapping[str, PublishedEncoder] = {
    "r34": _RESNET,
    "r101": _RESNET,
    "r34_2b": PublishedEncoder(
        names={
            "stem.": "encoder0.",
            "layer5.": "encoder5.",
            "layer6.": "encoder6.",
            "": "resnet.",
        },
        aliases={f"encoder{n}.": f"resnet.layer{n}." for n in (1, 2, 3, 4)},
        unused=("resnet.fc.", "resnet.conv1.", "resnet.bn1.", "psp1."),
    ),
    "d121": PublishedEncoder(
        names={"deepest.0.": "encoder4.1.", "deepest.1.": "encoder4.2.", "": "densenet."},
        aliases={
            "encoder0.0.": "densenet.features.conv0.",
            "encoder0.1.": "densenet.features.norm0.",
            **{f"encoder{n}.0.": f"densenet.features.denseblock{n}." for n in (1, 2, 3, 4)},
            **{f"encoder{n}.1.": f"densenet.features.transition{n}." for n in (1, 2, 3)},
        },
        unused=("densenet.classifier.", "densenet.features.norm5."),
    ),
}


def load_published(path: Path) -> dict[str, Tensor]:
    """Read a published checkpoint for `gfm_from_published`; pickled objects are refused.

    Raises:
        CheckpointError: if the file is missing, cut short, or no state dict of tensors.
    """
    return tensors_from_file(path)


def gfm_from_published(state_dict: object, backbone: str, rosta: str) -> GFM | IntegratedGFM:
    """Build GFM from a published state dict (Li et al. 2022), in evaluation mode.

    For an image in [0, 1] it gives what the published network gives for the same in 0-255.

    Args:
        state_dict: by the published names; under "state_dict" and with `module.` before the names
            as well. float32 tensors are shared with the network, not copied.
        backbone: "r34", "r34_2b", "d121" or "r101".
        rosta: "TT", "FT", "BT" or "RIM".

    Raises:
        CheckpointError: if a tensor is missing, unknown or of another shape.
        ValueError: if the backbone or RoSTa is unknown.
    """
    if backbone not in PUBLISHED_ENCODERS:
        known = ", ".join(PUBLISHED_ENCODERS)
        raise ValueError(f"backbone {backbone!r} was never published; choose one of {known}")
    config = gfm_config(backbone, rosta)
    found = _without_aliases(tensors_in(state_dict), PUBLISHED_ENCODERS[backbone])
    network = _unfilled(config)
    names = published_names(config, PUBLISHED_ENCODERS[backbone].names)
    expected = {_renamed(name, names): value for name, value in weights(network).items()}
    fault = mismatch(expected, found)
    if fault:
        raise CheckpointError(f"not a published {backbone} {rosta} state dict: {fault}")
    tensors = {name: found[_renamed(name, names)] for name in weights(network)}
    filled = _filled(network, config, tensors)
    assert not isinstance(filled, LFM)
    return filled


def published_names(config: GFMConfig, encoder: Mapping[str, str]) -> dict[str, str]:
    """Return what our parameter names start with, and what the published start with instead."""
    stages = len(config.glance.stages)
    names = {f"trunk.encoder.{ours}": published for ours, published in encoder.items()}
    names |= {f"trunk.context.priors.{i}.": f"psp_module.stages.{i}.1." for i in range(3)}
    names["trunk.context.bottleneck."] = "psp_module.bottleneck."
    names |= _block_names("trunk.focus_decoder.bridge.", "bridge_block.", len(config.bridge))
    for i, stage in enumerate(config.glance.stages):
        names[f"trunk.glance_decoder.projections.{i}."] = f"psp{stages - i}."
        for kind in ("glance", "focus"):
            published = f"decoder{stages - i}_{kind[0]}."
            names |= _block_names(f"trunk.{kind}_decoder.stages.{i}.", published, len(stage))
    for rosta in ("tt", "ft", "bt") if config.rosta == "RIM" else ("",):
        for kind in ("glance", "focus"):
            ours = f"{rosta or 'heads'}.{kind}_head."
            published = f"decoder0_{kind[0]}{'_' if rosta else ''}{rosta}."
            hidden = len(config.glance.head)
            names |= _block_names(f"{ours}hidden.", published, hidden)
            names[f"{ours}last."] = f"{published}{3 * hidden}."
    names["integration.spread."] = "rim.0."
    names["integration.weigh.squeeze."] = "rim.1.fc.0."
    names["integration.weigh.excite."] = "rim.1.fc.2."
    names["integration.merge."] = "rim.2."
    return names


def _block_names(ours: str, published: str, count: int) -> dict[str, str]:
    """Ours nests convolution, batch norm and ReLU by threes; the published counts them through."""
    return {f"{ours}{i}.{j}.": f"{published}{3 * i + j}." for i in range(count) for j in (0, 1)}


def _without_aliases(tensors: Mapping[str, Tensor], encoder: PublishedEncoder) -> dict[str, Tensor]:
    """Return every used tensor once, under its first name."""
    result: dict[str, Tensor] = {}
    for name, value in without_counters(tensors).items():
        first = _renamed(name, encoder.aliases)
        if first.startswith(encoder.unused):
            continue
        if first in result and not torch.equal(result[first], value):
            raise CheckpointError(f"'{first}' and '{name}' must be the same tensor, but differ")
        result[first] = value
    return result


def _renamed(name: str, starts: Mapping[str, str]) -> str:
    """Exchange the first of `starts` that `name` starts with; keep a name with none of them."""
    for before, after in starts.items():
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name
