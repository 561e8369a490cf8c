"""Networks as ONNX files that ONNX Runtime was seen to compute alike."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from animatte.engine import WHOLE_OUTPUTS
from animatte.export.wrapping import (
    basic_card,
    comparison_size,
    evaluated,
    resized,
    smooth_pictures,
)
from animatte.models.registry import MattingNetwork, network_kind
from animatte.onnx_file import CARD_KEY
from animatte.replacing import written_beside

OPSET = 17
# Of the parity gate, for any one value in [0, 1]. The graph as traced differs by rounding alone;
# weights of eleven bits move the steepest pixels by some levels of 255, the mean by far less.
FULL_TOLERANCE = 1e-3
HALF_TOLERANCE = 2e-2
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
# RIM's alpha jumps where two classes tie and rounding decides: of it, this share is compared.
_CONTINUOUS_SHARE = 0.99
_HALF_SUFFIX = "_half"


class _NamedOutputs(nn.Module):
    """A network as the exporter wants it: the outputs that inference uses, as a plain tuple."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network
        kind = network_kind(network)
        self.is_continuous = kind != "RIM"
        self.names = WHOLE_OUTPUTS.get(kind, ("glance", "focus"))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs called `names`, in that order."""
        output = self.network(image)
        return tuple(getattr(output, name) for name in self.names)


def export_onnx(
    network: MattingNetwork,
    path: str | PathLike[str],
    *,
    card: Mapping[str, Any],
    half_weights: bool = True,
    images: Sequence[NDArray[np.float32]] = (),
) -> float:
    """Write a network as an ONNX file, and run it to see that it computes the same.

    Parity is asked twice: of the graph as traced, within `FULL_TOLERANCE`; and of the file with
    half weights, within `HALF_TOLERANCE`.

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
        half_weights: store weights as float16, half the size; the computation stays float32.
        images: (H, W, 3) RGB in [0, 1] each, to compare on beside smooth random pictures.

    Returns:
        The largest difference between ONNX Runtime and torch, over all outputs.

    Raises:
        ValueError: if it is above the tolerance; no file is left.
    """
    path = Path(path)
    wrapped = _NamedOutputs(network)
    stride = network.stride
    pictures = [smooth_pictures(size) for size in PARITY_SIZES]
    pictures += [resized(image, comparison_size(image, stride)) for image in images]
    values = {**basic_card(network, path.stem), **card}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside, evaluated(network):
        _trace(wrapped.eval(), beside)
        difference = _checked_difference(beside, wrapped, pictures, FULL_TOLERANCE)
        model = onnx.load(beside)
        _describe(model, values)
        if half_weights:
            _halve_weights(model)
        beside.write_bytes(model.SerializeToString())
        if half_weights:
            difference = _checked_difference(beside, wrapped, pictures, HALF_TOLERANCE)
    return difference


def _describe(model: onnx.ModelProto, card: Mapping[str, Any]) -> None:
    """Store the card, and at every input and output what it holds, in which range."""
    helper.set_model_props(model, {CARD_KEY: json.dumps(card)})
    model.producer_name = "animatte"
    model.doc_string = f"{card['name']}, matting network; licence: {card['licence']}"
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = RANGES[value.name]


def _trace(wrapped: _NamedOutputs, path: Path) -> None:
    """Trace into a file; batch norm that follows a convolution is folded into it.

    The exporter is the one that traces: it takes a second where torch.export takes half a minute,
    and gives the same graph. It announces its age with warnings, which say nothing to a user.
    """
    free = {0: "batch", 2: "height", 3: "width"}
    side = 4 * wrapped.network.stride
    device = next(wrapped.parameters()).device
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore", DeprecationWarning)
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


def _checked_difference(
    path: Path, wrapped: _NamedOutputs, pictures: Sequence[Tensor], tolerance: float
) -> float:
    """Return the largest difference over `pictures`.

    Raises:
        ValueError: if it is above `tolerance`.
    """
    difference = float(np.max([_difference(path, wrapped, each) for each in pictures]))
    if not difference <= tolerance:  # NaN too
        remedy = "report the network" if tolerance == FULL_TOLERANCE else "export float32 weights"
        raise ValueError(
            f"not exported: ONNX Runtime differs from torch by {difference:.2g}, more than "
            f"{tolerance:g}; {remedy}"
        )
    return difference


def _difference(path: Path, wrapped: _NamedOutputs, picture: Tensor) -> float:
    """Largest difference over the outputs for a (B, 3, H, W) `picture`; NaN if any is."""
    with torch.inference_mode():
        expected = wrapped(picture.to(next(wrapped.parameters()).device))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    actual = session.run(list(wrapped.names), {"image": picture.numpy()})
    share = 1.0 if wrapped.is_continuous else _CONTINUOUS_SHARE
    differences = [
        np.quantile(np.abs(ours - theirs.cpu().numpy()), share)
        for ours, theirs in zip(actual, expected, strict=True)
    ]
    return float(np.max(differences))
