"""Networks back out of ONNX files that were exported here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import onnx
import torch
from onnx import NodeProto, numpy_helper
from torch import Tensor, nn

from animatte.export.parity import (
    TOLERANCE,
    NamedOutputs,
    check_within,
    onnx_outputs,
    torch_outputs,
)
from animatte.export.wrapping import evaluated, smooth_pictures
from animatte.models.registry import MattingNetwork, built_network, network_config
from animatte.models.state_dicts import weights
from animatte.onnx_file import model_card

_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


class _Layer(NamedTuple):
    """A layer that ran.

    Attributes:
        name: in the network.
        module: itself.
        norm: the batch norm right after it, which the exporter folds into it.
        norm_name: its name in the network.
    """

    name: str
    module: nn.Module
    norm: nn.BatchNorm2d | None = None
    norm_name: str = ""


def network_from_onnx(path: str | PathLike[str]) -> tuple[MattingNetwork, dict[str, Any]]:
    """Build the torch network of an ONNX file whose card has the name of a known network.

    Its weights are the file's: batch norm is folded, and what the file holds as float16 is rounded
    to that. ONNX Runtime is seen to compute the same.

    Returns:
        The network in evaluation mode, and the file's card.

    Raises:
        ValueError: if it is another kind of file, of a network that is not known by its name, or
            computes something else.
    """
    card = model_card(path)
    name, rosta = str(card["name"]), str(card["rosta"])
    try:
        config = network_config(name, None if rosta == "LFM" else rosta)
    except ValueError as error:
        raise ValueError(
            f"{path} is called {name!r}, no network that is known by name; "
            "give the .safetensors file that it was made from"
        ) from error
    network = built_network(config).eval()
    state = stored_weights(onnx.load(path), network)
    missing = sorted(weights(network).keys() - state.keys())
    if missing:
        raise ValueError(
            f"{path} holds no {missing[0]!r}, which inference does without; "
            "give the .safetensors file that it was made from"
        )
    network.load_state_dict(state, strict=False)
    wrapped = NamedOutputs(network).eval()
    pictures = [smooth_pictures((1, 3, 4 * network.stride, 3 * network.stride))]
    found = onnx_outputs(Path(path), wrapped.names, pictures)
    difference = wrapped.difference(found, torch_outputs(wrapped, pictures))
    check_within(difference, TOLERANCE, f"{path} as read", "give its .safetensors file")
    return network, card


def stored_weights(model: onnx.ModelProto, network: MattingNetwork) -> dict[str, Tensor]:
    """Return the weights of an exported file, by their names in the network's state dict.

    Layers and the file's nodes come in the order in which they run. Batch norm that was folded
    into a convolution becomes one that changes nothing but the bias.

    Args:
        model: what `export_onnx` wrote.
        network: of the same configuration; only names, shapes and order are taken from it.

    Raises:
        ValueError: if the file is of another network.
    """
    stored, nodes = _stored_tensors(model), list(model.graph.node)
    state: dict[str, Tensor] = {}
    layers = _layers_that_run(network)
    convolutions = [
        layer
        for layer in layers
        if isinstance(layer.module, nn.Conv2d) and _is_needed(layer, stored)
    ]
    for layer, node in _pairs(convolutions, nodes, "Conv", stored):
        given = [stored[name] for name in node.input[1:]]
        state |= _convolution(layer, given[0], given[1] if len(given) > 1 else None)
    norms = [layer for layer in layers if isinstance(layer.module, nn.BatchNorm2d)]
    for layer, node in _pairs(norms, nodes, "BatchNormalization", stored):
        for part, name in zip(_NORM_PARTS, node.input[1:], strict=True):
            state[f"{layer.name}.{part}"] = stored[name]
    linears = [layer for layer in layers if isinstance(layer.module, nn.Linear)]
    for layer, node in _pairs(linears, nodes, "MatMul", stored):
        state[f"{layer.name}.weight"] = stored[node.input[1]].T.contiguous()
    own = network.state_dict()
    for name, value in state.items():
        if own[name].shape != value.shape:
            raise _of_another_network(f"{name} is {tuple(value.shape)}")
    return state


def _stored_tensors(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Constants by name as float32, also by the name of what is cast from them."""
    stored = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()
        for tensor in model.graph.initializer
    }
    for node in model.graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    return stored


def _layers_that_run(network: MattingNetwork) -> list[_Layer]:
    """Convolutions and linear layers, and batch norm that follows no convolution, in order."""
    layers: list[_Layer] = []
    last: list[Tensor] = []

    def note(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.BatchNorm2d) and last and inputs[0] is last[0]:
                layers[-1] = layers[-1]._replace(norm=module, norm_name=name)
                last.clear()
                return
            layers.append(_Layer(name, module))
            last[:] = [output] if isinstance(module, nn.Conv2d) else []

        return hook

    kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
    handles = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if isinstance(module, kinds)
    ]
    try:
        with evaluated(network), torch.inference_mode():
            side = 2 * network.stride
            network(torch.zeros(1, 3, side, side, device=next(network.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
    return layers


def _is_needed(layer: _Layer, stored: Mapping[str, Tensor]) -> bool:
    """Whether the outputs need a convolution: LFM's coarse sides, for its training, are left out.

    What is not folded keeps its name.
    """
    return layer.norm is not None or f"network.{layer.name}.weight" in stored


def _pairs(
    layers: Sequence[_Layer], nodes: Sequence[NodeProto], kind: str, stored: Mapping[str, Tensor]
) -> Iterator[tuple[_Layer, NodeProto]]:
    of_kind = [node for node in nodes if node.op_type == kind and node.input[1] in stored]
    if len(of_kind) != len(layers):
        raise _of_another_network(f"{len(of_kind)} {kind} for {len(layers)} layers")
    return zip(layers, of_kind, strict=True)


def _convolution(layer: _Layer, weight: Tensor, bias: Tensor | None) -> dict[str, Tensor]:
    assert isinstance(layer.module, nn.Conv2d)
    shift = weight.new_zeros(len(weight)) if bias is None else bias
    state = {f"{layer.name}.weight": weight}
    if layer.module.bias is not None:
        state[f"{layer.name}.bias"] = shift
    if layer.norm is None:
        return state
    one, zero = torch.ones_like(shift), torch.zeros_like(shift)
    norm_shift = shift if layer.module.bias is None else zero
    parts = (one, norm_shift, zero, one - layer.norm.eps)
    return state | {
        f"{layer.norm_name}.{name}": value for name, value in zip(_NORM_PARTS, parts, strict=True)
    }


def _of_another_network(fault: str) -> ValueError:
    return ValueError(f"the ONNX file is of another network: {fault}; export it again")
