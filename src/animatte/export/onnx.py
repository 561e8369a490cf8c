"""Networks as ONNX files that ONNX Runtime was seen to compute alike."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from animatte.export.parity import (
    TOLERANCE,
    NamedOutputs,
    check_within,
    onnx_outputs,
    torch_outputs,
)
from animatte.export.reading import stored_weights
from animatte.export.wrapping import (
    basic_card,
    comparison_size,
    evaluated,
    resized,
    smooth_pictures,
)
from animatte.models.registry import MattingNetwork
from animatte.onnx_file import CARD_KEY
from animatte.replacing import written_beside

OPSET = 17
# What rounding the weights to eleven bits may do to any one value in [0, 1]: the steepest pixels
# move by some levels of 255, the mean by far less.
ROUNDING_TOLERANCE = 2e-2
RANGES: Mapping[str, str] = {
    "image": "(B, 3, H, W) RGB in [0, 1]; H and W divisible by the card's stride",
    "glance": "(B, C, H, W) class scores in [0, 1]; TT: background, transition, foreground; FT: "
    "rest, foreground; BT: background, rest",
    "focus": "(B, 1, H, W) in [0, 1]; TT: alpha in the transition; FT: alpha - foreground; BT: "
    "rest - alpha",
    "alpha": "(B, 1, H, W) alpha in [0, 1]; with RoSTa integration not clipped",
    "foreground": "(B, 1, H, W) probability of foreground in [0, 1]",
    "background": "(B, 1, H, W) probability of background in [0, 1]",
}
PARITY_SIZES = ((1, 3, 96, 160), (2, 3, 64, 64))
# Smaller tensors stay float32: biases, stems, depthwise and last layers matter and weigh little.
_SMALLEST_HALF_TENSOR = 8192
_HALF_SUFFIX = "_half"


class OnnxReport(NamedTuple):
    """How far an exported file is from torch: largest differences of any value, in [0, 1].

    Attributes:
        program: between ONNX Runtime and torch with the weights that the file holds.
        rounding: between weights rounded to float16 and the network's own, both in torch; 0 where
            float32 was asked for.
        is_half: whether the file holds float16.
    """

    program: float
    rounding: float
    is_half: bool


def export_onnx(
    network: MattingNetwork,
    path: str | PathLike[str],
    *,
    card: Mapping[str, Any],
    half_weights: bool = True,
    images: Sequence[NDArray[np.float32]] = (),
) -> OnnxReport:
    """Write a network as an ONNX file, and run it to see that it computes the same.

    The graph as traced must agree with torch within `TOLERANCE`, and so must the file with half
    weights, which are read back out of it for torch. Where their rounding changes more than
    `ROUNDING_TOLERANCE`, the file holds float32 after all.

    The file's input is `image` (batch, 3, height, width), RGB in [0, 1], all but the 3 free, height
    and width divisible by the stride. Its outputs are `glance` (B, C, H, W) and `focus`
    (B, 1, H, W); for RoSTa integration only `alpha` (B, 1, H, W), not clipped; for late fusion
    `alpha`, `foreground` and `background`, (B, 1, H, W) each. An existing file is replaced only by
    one that passed.

    Args:
        network: what to write; its mode (training or not) is as before afterwards.
        path: the file.
        card: what `animatte models` shows: `name`, `summary`, `licence`, `sources`, `scores`…;
            `strategy` (`Strategy.as_dict()`) replaces the default one.
        half_weights: store weights as float16, half the size, if that changes little; the
            computation stays float32.
        images: (H, W, 3) RGB in [0, 1] each, to compare on beside smooth random pictures.

    Raises:
        ValueError: if a difference is above its tolerance; no file is left.
    """
    path = Path(path)
    pictures = [smooth_pictures(size) for size in PARITY_SIZES]
    pictures += [resized(image, comparison_size(image, network.stride)) for image in images]
    values = {**basic_card(network, path.stem), **card}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside, evaluated(network):
        return _written(NamedOutputs(network).eval(), beside, values, pictures, half_weights)


def _written(
    wrapped: NamedOutputs,
    path: Path,
    card: Mapping[str, Any],
    pictures: Sequence[Tensor],
    half_weights: bool,
) -> OnnxReport:
    """Write and compare; the file is there even where it is refused."""
    _trace(wrapped, path)
    expected = torch_outputs(wrapped, pictures)
    traced = wrapped.difference(onnx_outputs(path, wrapped.names, pictures), expected)
    check_within(traced, TOLERANCE, "ONNX Runtime", "report the network")
    model = onnx.load(path)
    _describe(model, card)
    path.write_bytes(model.SerializeToString())
    if not half_weights:
        return OnnxReport(traced, 0.0, is_half=False)
    _halve_weights(model)
    rounded = torch_outputs(wrapped, pictures, stored_weights(model, wrapped.network))
    rounding = wrapped.difference(rounded, expected)
    if rounding > ROUNDING_TOLERANCE:
        return OnnxReport(traced, rounding, is_half=False)
    path.write_bytes(model.SerializeToString())
    program = wrapped.difference(onnx_outputs(path, wrapped.names, pictures), rounded)
    check_within(program, TOLERANCE, "ONNX Runtime with half weights", "report the network")
    return OnnxReport(program, rounding, is_half=True)


def _describe(model: onnx.ModelProto, card: Mapping[str, Any]) -> None:
    """Store the card, and at every input and output what it holds, in which range."""
    helper.set_model_props(model, {CARD_KEY: json.dumps(card)})
    model.producer_name = "animatte"
    model.doc_string = f"{card['name']}, matting network; licence: {card['licence']}"
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = RANGES[value.name]


def _trace(wrapped: NamedOutputs, path: Path) -> None:
    """Trace into a file; batch norm that follows a convolution is folded into it.

    The exporter is the one that traces: it takes a second where torch.export takes half a minute,
    and gives the same graph. It announces its age with warnings, which say nothing to a user.
    """
    free = {0: "batch", 2: "height", 3: "width"}
    side = 4 * wrapped.network.stride
    device = next(wrapped.parameters()).device
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")  # left to the runtime, at load
        torch.onnx.export(
            wrapped,
            (torch.zeros(2, 3, side, side, device=device),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(wrapped.names),
            dynamic_axes=dict.fromkeys(("image", *wrapped.names), free),
        )


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store large weights as float16, each with a Cast to float32 that is folded at load."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _SMALLEST_HALF_TENSOR:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + _HALF_SUFFIX)
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
