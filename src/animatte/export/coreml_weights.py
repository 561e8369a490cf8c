"""The weights of a Core ML package beside torch's, and brought back to torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Node

from animatte.export.coreml_run import tensor_of

SMALLEST_NORMAL_HALF = 2.0**-14  # below it float16 has steps of one size
_CONVOLUTION = "aten.conv2d.default"
_LINEAR = "aten.linear.default"
_NORM = "aten._native_batch_norm_legit_no_training.default"


class StoredWeights(NamedTuple):
    """What a package holds.

    Attributes:
        num_tensors: number of weights and biases that were compared.
        difference: largest one from torch's, batch norm folded, as a share of a tensor's largest
            value.
        state: what torch's module would hold for the same, by its tensors' names.
    """

    num_tensors: int
    difference: float
    state: Mapping[str, Tensor]


def stored_weights(operations: Sequence[Any], exported: ExportedProgram) -> StoredWeights:
    """Compare a package's weights with those that were converted.

    Args:
        operations: of the package's program, in order.
        exported: what was converted.

    Raises:
        ValueError: if number or shapes differ.
    """
    known = {**exported.constants, **exported.state_dict}
    stored = _stored_tensors(operations)
    count, difference, state = 0, torch.zeros((), dtype=torch.float64), dict[str, Tensor]()
    for layer in _layers(exported):
        expected = layer.tensors(known)
        found = list(islice(stored, len(expected)))
        shapes = [[tuple(each.shape) for each in tensors] for tensors in (found, expected)]
        if shapes[0] != shapes[1]:
            raise _of_another_network(count, *shapes)
        for ours, theirs in zip(found, expected, strict=True):
            largest = theirs.abs().max().clamp(min=SMALLEST_NORMAL_HALF)
            share = (ours.double() - theirs.double()).abs().max() / largest
            difference = torch.maximum(difference, share)  # NaN stays
        count += len(found)
        state |= layer.given(found)
    left_over = next(stored, None)
    if left_over is not None:
        raise _of_another_network(count, [tuple(left_over.shape)], [])
    return StoredWeights(count, float(difference), state)


def _of_another_network(count: int, found: Sequence[Any], expected: Sequence[Any]) -> ValueError:
    return ValueError(
        f"not exported: from tensor {count} on the Core ML package has {found}, torch {expected}; "
        "report the network with the version of coremltools"
    )


def _stored_tensors(operations: Sequence[Any]) -> Iterator[Tensor]:
    """Weights and biases of convolutions and linear layers, and norms that were not folded."""
    for operation in operations:
        if operation.op_type in ("conv", "linear"):
            weight, bias = tensor_of(operation.inputs["weight"]), operation.inputs.get("bias")
            yield weight
            yield weight.new_zeros(len(weight)) if bias is None else tensor_of(bias)
        elif operation.op_type == "batch_norm":
            for name in ("gamma", "beta", "mean", "variance"):
                yield tensor_of(operation.inputs[name])


class _Layer(NamedTuple):
    """A convolution, linear layer or batch norm that follows no convolution: its tensors' names.

    Attributes:
        weight: None for batch norm.
        bias: None where there is none.
        norm: batch norm after it, which the converter folds in: gamma, beta, mean, variance.
        epsilon: of the batch norm.
    """

    weight: str | None
    bias: str | None
    norm: tuple[str, ...] = ()
    epsilon: float = 0.0

    def tensors(self, known: Mapping[str, Tensor]) -> list[Tensor]:
        """What the package should hold."""
        norm = [known[name] for name in self.norm]
        if self.weight is None:
            return norm
        weight = known[self.weight]
        bias = weight.new_zeros(len(weight)) if self.bias is None else known[self.bias]
        return list(_fused(weight, bias, norm, self.epsilon)) if norm else [weight, bias]

    def given(self, stored: Sequence[Tensor]) -> dict[str, Tensor]:
        """What torch's tensors must be for the same: the inverse of `tensors`."""
        if self.weight is None:
            return dict(zip(self.norm, stored, strict=True))
        weight, shift = stored
        one, zero = torch.ones_like(shift), torch.zeros_like(shift)
        state = {self.weight: weight}
        if self.bias is not None:
            state[self.bias] = shift
        parts = (one, shift if self.bias is None else zero, zero, one - self.epsilon)
        return state | (dict(zip(self.norm, parts, strict=True)) if self.norm else {})


def _layers(exported: ExportedProgram) -> list[_Layer]:
    """The layers of torch's graph that its output needs, in order."""
    signature = exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    live, folded, layers = _live_nodes(exported), set(), []
    for node in live:
        kind = str(node.target)
        if kind in (_CONVOLUTION, _LINEAR):
            bias = node.args[2] if len(node.args) > 2 else None
            layer = _Layer(_name(names, node.args[1]), _name(names, bias))
            norm = _only_user(node, live)
            if norm is not None and str(norm.target) == _NORM:
                folded.add(norm)
                layer = layer._replace(**_norm_parts(norm, names))
            layers.append(layer)
        elif kind == _NORM and node not in folded:
            layers.append(_Layer(None, None, **_norm_parts(node, names)))
    return layers


def _name(names: Mapping[str, str], node: Any) -> str | None:
    return None if node is None else names[node.name]


def _norm_parts(norm: Node, names: Mapping[str, str]) -> dict[str, Any]:
    parts = tuple(_name(names, part) for part in norm.args[1:5])
    return {"norm": parts, "epsilon": float(str(norm.args[6]))}


def _live_nodes(exported: ExportedProgram) -> dict[Node, None]:
    """What the output needs, in order: the converter drops the rest, such as LFM's coarse sides."""
    waiting, needed = [exported.graph.output_node()], set()
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(node.all_input_nodes)
    return {node: None for node in exported.graph.nodes if node in needed}


def _only_user(node: Node, live: Mapping[Node, None]) -> Node | None:
    users = [user for user in node.users if user in live]
    return users[0] if len(users) == 1 else None


def _fused(
    weight: Tensor, bias: Tensor, norm: Sequence[Tensor], epsilon: float
) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and the batch norm after it."""
    gamma, beta, mean, variance = (part.double() for part in norm)
    scale = gamma / (variance + epsilon).sqrt()
    return weight.double() * scale[:, None, None, None], beta + (bias.double() - mean) * scale
