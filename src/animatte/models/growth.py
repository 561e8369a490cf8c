"""A wider network that begins where a narrower one ended: the same function, and room to learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from animatte.models.decoders import DecoderConfig
from animatte.models.registry import GFMConfig, built_encoder, built_network
from animatte.models.rosta import Rosta


@dataclass(frozen=True)
class _Layer:
    """Which channels a convolution of the decoders has.

    Attributes:
        inputs: widths of what is concatenated before it, in order.
        output: its own.
    """

    inputs: tuple[int, ...]
    output: int


def can_grow(narrow: GFMConfig, wide: GFMConfig) -> bool:
    """Whether one differs from the other by wider context and decoders alone."""
    if narrow.rosta == "RIM" or _alike(narrow) != _alike(wide):
        return False
    layers, wider = _layers(narrow), _layers(wide)
    return layers.keys() == wider.keys() and all(
        _fits(layers[name], wider[name]) for name in layers
    )


def grown_state(
    state: Mapping[str, Tensor], narrow: GFMConfig, wide: GFMConfig
) -> dict[str, Tensor]:
    """Weights of a wider network that computes what the narrower one does.

    What is new sees everything, with fresh weights, and is not listened to by what was there: its
    outgoing weights to old channels are zero, and training finds their use (as Net2Net's, Chen et
    al. 2016, but with new channels instead of copies, which would have to be told apart by noise).

    Args:
        state: of the narrower network.
        narrow: its configuration.
        wide: the wider one's; `can_grow` says whether it fits.

    Raises:
        ValueError: if it does not fit.
    """
    if not can_grow(narrow, wide):
        raise ValueError("a network grows in the width of its context and decoders alone")
    layers, wider = _layers(narrow), _layers(wide)
    grown = built_network(wide).state_dict()
    for name, value in state.items():
        module, _, part = name.rpartition(".")
        layer = module if module in layers else _norm_of(module)
        if layer in layers and part == "weight" and value.dim() == 4:
            rows = slice(layers[layer].output)
            columns = list(_columns(layers[layer].inputs, wider[layer].inputs))
            grown[name][rows] = 0
            grown[name][rows, columns] = value
        elif layer in layers and value.dim() == 1:
            grown[name][: len(value)] = value
        else:
            grown[name] = value.clone()
    return grown


def _alike(config: GFMConfig) -> tuple[object, ...]:
    """What growing leaves as it is."""
    return config.encoder, config.rosta, config.input_scaling, config.glance_softmax


def _fits(layer: _Layer, wider: _Layer) -> bool:
    return (
        len(layer.inputs) == len(wider.inputs)
        and all(a <= b for a, b in zip(layer.inputs, wider.inputs, strict=True))
        and layer.output <= wider.output
    )


def _columns(inputs: Sequence[int], wider: Sequence[int]) -> Iterator[int]:
    """Where the inputs of a layer are among those of the wider one: first in each part."""
    start = 0
    for width, room in zip(inputs, wider, strict=True):
        yield from range(start, start + width)
        start += room


def _norm_of(module: str) -> str:
    """Name of the convolution before a batch norm, which stands at 1 where it stands at 0."""
    return f"{module[:-1]}0" if module.endswith(".1") else module


def _layers(config: GFMConfig) -> dict[str, _Layer]:
    """Every convolution outside the encoder, by its module's name."""
    with torch.device("meta"):  # only its channels are asked
        channels = built_encoder(config.encoder).channels
    deepest, prior, context = channels[-1], config.prior_channels, config.context_channels
    named = {f"trunk.context.priors.{n}": _Layer((deepest,), prior) for n in range(3)}
    named["trunk.context.bottleneck"] = _Layer((prior, prior, prior, deepest), context)
    classes = Rosta(config.rosta).num_classes
    named |= _glance_layers(config.glance, context, deepest, classes)
    named |= _focus_layers(config, channels)
    return named


def _glance_layers(
    glance: DecoderConfig, context: int, deepest: int, classes: int
) -> dict[str, _Layer]:
    name = "trunk.glance_decoder"
    ends = [stage[-1] for stage in glance.stages]
    projected = ends if glance.head_skip else ends[:-1]
    named = {
        f"{name}.projections.{n}.0": _Layer((context,), end) for n, end in enumerate(projected)
    }
    befores: list[tuple[int, ...]] = [(context, deepest), *((end, end) for end in ends)]
    if not glance.head_skip:
        befores[-1] = (ends[-1],)
    for number, (before, stage) in enumerate(zip(befores, glance.stages, strict=False)):
        named |= _run(f"{name}.stages.{number}", before, stage)
    return named | _head("heads.glance_head", befores[-1], glance.head, classes)


def _focus_layers(config: GFMConfig, channels: Sequence[int]) -> dict[str, _Layer]:
    name, focus = "trunk.focus_decoder", config.focus
    skips = list(reversed(channels))
    named = _run(f"{name}.bridge", (skips[0],), config.bridge)
    befores = [config.bridge[-1], *(stage[-1] for stage in focus.stages)]
    for number, stage in enumerate(focus.stages):
        named |= _run(f"{name}.stages.{number}", (befores[number], skips[number]), stage)
    last = (befores[-1], skips[len(focus.stages)]) if focus.head_skip else (befores[-1],)
    return named | _head("heads.focus_head", last, focus.head, 1)


def _run(name: str, before: tuple[int, ...], widths: Sequence[int]) -> dict[str, _Layer]:
    """Layers of a run of convolutions."""
    named = {}
    for number, width in enumerate(widths):
        named[f"{name}.{number}.0"] = _Layer(before, width)
        before = (width,)
    return named


def _head(
    name: str, before: tuple[int, ...], hidden: Sequence[int], scores: int
) -> dict[str, _Layer]:
    named = _run(f"{name}.hidden", before, hidden)
    named[f"{name}.last"] = _Layer((hidden[-1],) if hidden else before, scores)
    return named
