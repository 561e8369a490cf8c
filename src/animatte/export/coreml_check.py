"""What can be said of a Core ML package off a Mac: that it is the network it was made from.

The file is read back. Its inputs, outputs and sizes must be those asked for, its weights torch's,
and its program, followed operation by operation in torch, must compute what the network does. On a
Mac Core ML itself runs it too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import torch
from coremltools.converters.mil.frontend.milproto.load import load as read_program
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.fx import Node

from animatte.export.coreml_run import program_output, tensor_of
from animatte.export.wrapping import resized, smooth_pictures

# Of a tensor's largest value. Float16 rounds by 2^-11 at most, int8 by half of one in 127 steps.
HALF_TOLERANCE = 1e-3
BYTE_TOLERANCE = 5e-3
# Of alpha, as a mean and in [0, 1]: a pixel where classes tie may go either way in float16.
OUTPUT_TOLERANCE = 1e-2
BYTE_OUTPUT_TOLERANCE = 5e-2
SMALLEST_NORMAL_HALF = 2.0**-14  # below it float16 has steps of one size
IOS16_SPECIFICATION = 7
_CONVOLUTION = "aten.conv2d.default"
_LINEAR = "aten.linear.default"
_NORM = "aten._native_batch_norm_legit_no_training.default"


@dataclass(frozen=True)
class CoreMLReport:
    """What the check of a package found.

    Attributes:
        operations: how many operations of each kind, constants left out.
        tensors: number of weights and biases that were compared.
        weights: largest difference from torch's, batch norm folded, as a share of a tensor's
            largest value.
        program: mean difference of alpha, in [0, 1], of the program as followed in torch.
        core_ml: the same of Core ML's own run; None off a Mac.
    """

    operations: Mapping[str, int]
    tensors: int
    weights: float
    program: float
    core_ml: float | None


@dataclass(frozen=True)
class _Example:
    """A picture, and what the network makes of it.

    Attributes:
        pixels: (H, W, 3) RGB.
        alpha: (H, W) in [0, 255].
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.float32]

    def difference(self, alpha: NDArray[np.float32]) -> float:
        """Mean difference from another alpha in [0, 255], as a share of 255."""
        return float(np.abs(alpha - self.alpha).mean() / 255)


def checked_package(
    path: Path,
    exported: ExportedProgram,
    network: nn.Module,
    *,
    sizes: Sequence[tuple[int, int]],
    in_bytes: bool,
    images: Sequence[NDArray[np.float32]],
) -> CoreMLReport:
    """Read a package back and compare it with what it was made from.

    Args:
        path: the package.
        exported: what was converted.
        network: the same as a module, (1, 3, H, W) RGB in [0, 1] to alpha in [0, 255].
        sizes: the sizes that were asked for.
        in_bytes: whether weights were quantised.
        images: (H, W, 3) RGB in [0, 1] each, to compare on beside smooth random pictures.

    Raises:
        ValueError: naming the first thing that differs.
    """
    model = ct.models.MLModel(str(path), skip_model_load=True)
    spec = model.get_spec()
    _check_interface(spec, sizes)
    program = read_program(spec, spec.specificationVersion, model.weights_dir)
    operations = [each for each in program.functions["main"].operations if each.op_type != "const"]
    tensors, weights = _weight_difference(_stored_tensors(operations), _torch_tensors(exported))
    _check_within("weights", weights, BYTE_TOLERANCE if in_bytes else HALF_TOLERANCE)
    limit = BYTE_OUTPUT_TOLERANCE if in_bytes else OUTPUT_TOLERANCE
    pictures = [smooth_pictures((1, 3, *size)) for size in sizes]
    pictures += [resized(image, size) for image in images for size in sizes]
    examples = [_example(network, picture) for picture in pictures]
    followed = _followed_difference(program, examples)
    _check_within("program", followed, limit)
    core_ml = _core_ml_difference(path, examples) if sys.platform == "darwin" else None
    if core_ml is not None:
        _check_within("run by Core ML", core_ml, limit)
    kinds = Counter(each.op_type for each in operations if not each.op_type.startswith("constexpr"))
    return CoreMLReport(dict(kinds), tensors, weights, followed, core_ml)


def _check_within(what: str, difference: float, limit: float) -> None:
    if not difference <= limit:  # NaN too
        raise ValueError(
            f"not exported: the Core ML {what} differs from torch by {difference:.2g}, more than "
            f"{limit:g}; export without --quantize, or report the network"
        )


def _check_interface(spec: Any, sizes: Sequence[tuple[int, int]]) -> None:
    """See that the description is: iOS 16, one RGB picture of `sizes` in, one grey picture out."""
    (image,), (alpha,) = spec.description.input, spec.description.output
    colours = ct.proto.FeatureTypes_pb2.ImageFeatureType
    picture = image.type.imageType
    listed = [(size.height, size.width) for size in picture.enumeratedSizes.sizes]
    found = {
        "specification": spec.specificationVersion,
        "input": (image.name, picture.colorSpace),
        "output": (alpha.name, alpha.type.imageType.colorSpace),
        "default size": (picture.height, picture.width),
        "sizes": sorted(listed or [(picture.height, picture.width)]),
    }
    wanted = {
        "specification": IOS16_SPECIFICATION,
        "input": ("image", colours.RGB),
        "output": ("alpha", colours.GRAYSCALE),
        "default size": sizes[0],
        "sizes": sorted(sizes),
    }
    for name, value in wanted.items():
        if found[name] != value:
            raise ValueError(
                f"not exported: the package's {name} is {found[name]}, expected {value}; "
                "report it with the version of coremltools"
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


def _torch_tensors(exported: ExportedProgram) -> Iterator[Tensor]:
    """The same of torch's graph, with every batch norm that follows a convolution folded in."""
    signature = exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    live, folded = _live_nodes(exported), set()

    def value(node: Any) -> Tensor | None:
        if node is None:
            return None
        name = names[node.name]
        known = exported.state_dict.get(name)
        stored: Tensor = exported.constants[name] if known is None else known
        return stored.detach()

    for node in live:
        kind = str(node.target)
        if kind in (_CONVOLUTION, _LINEAR):
            weight, bias = value(node.args[1]), value(node.args[2] if len(node.args) > 2 else None)
            assert weight is not None
            norm = _only_user(node, live)
            if norm is not None and str(norm.target) == _NORM:
                folded.add(norm)
                parts = [value(part) for part in norm.args[1:5]]
                weight, bias = _fused(weight, bias, parts, float(str(norm.args[6])))
            yield weight
            yield weight.new_zeros(len(weight)) if bias is None else bias
        elif kind == _NORM and node not in folded:
            for part in node.args[1:5]:
                stored = value(part)
                assert stored is not None
                yield stored


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
    weight: Tensor, bias: Tensor | None, norm: Sequence[Tensor | None], epsilon: float
) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution and the batch norm after it."""
    gamma, beta, mean, variance = (part.double() for part in norm if part is not None)
    scale = gamma / (variance + epsilon).sqrt()
    before = 0 if bias is None else bias.double()
    return weight.double() * scale[:, None, None, None], beta + (before - mean) * scale


def _weight_difference(stored: Iterable[Tensor], expected: Iterable[Tensor]) -> tuple[int, float]:
    """Number of tensors, and the largest difference as a share of its tensor's largest value."""
    shares: list[float] = []
    for ours, theirs in zip_longest(stored, expected):
        if ours is None or theirs is None or ours.shape != theirs.shape:
            shapes = [each if each is None else tuple(each.shape) for each in (ours, theirs)]
            raise ValueError(
                f"not exported: tensor {len(shares)} of the Core ML package is {shapes[0]}, of "
                f"torch {shapes[1]}; report the network with the version of coremltools"
            )
        largest = theirs.abs().max().clamp(min=SMALLEST_NORMAL_HALF)
        shares.append(float((ours.double() - theirs.double()).abs().max() / largest))
    return len(shares), float(np.max(shares))


def _followed_difference(program: Any, examples: Sequence[_Example]) -> float:
    differences = []
    for example in examples:
        planes = torch.from_numpy(example.pixels).permute(2, 0, 1)[None].float()
        differences.append(example.difference(program_output(program, planes)[0, 0].numpy()))
    return float(np.max(differences))


def _core_ml_difference(
    path: Path, examples: Sequence[_Example]
) -> float:  # pragma: no cover - on a Mac alone
    model = ct.models.MLModel(str(path))
    differences = []
    for example in examples:
        alpha = model.predict({"image": Image.fromarray(example.pixels)})["alpha"]
        differences.append(example.difference(np.asarray(alpha, np.float32)))
    return float(np.max(differences))


def _example(network: nn.Module, picture: Tensor) -> _Example:
    levels = (picture * 255).round()
    with torch.inference_mode():
        alpha = network(levels / 255)[0, 0].numpy()
    return _Example(levels[0].permute(1, 2, 0).byte().numpy(), alpha)
