"""What can be said of a Core ML package off a Mac: that it is the network it was made from.

The file is read back. Its inputs, outputs and sizes must be those asked for, its weights torch's
but for their rounding, and its program, followed operation by operation in torch, must compute what
the network does with the package's weights. What the rounding changes is measured apart. On a Mac
Core ML itself runs it too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

from animatte.export.coreml_run import program_output
from animatte.export.coreml_weights import stored_weights
from animatte.export.wrapping import resized, smooth_pictures

# Of a tensor's largest value. Float16 rounds by 2^-11 at most, int8 by half of one in 127 steps.
HALF_TOLERANCE = 1e-3
BYTE_TOLERANCE = 5e-3
# Of alpha, as a mean and in [0, 1]: a pixel where classes tie may go either way. With the same
# weights only the program's other constants are rounded, such as 1/255: so it may also differ by
# some times what the network makes of a picture that much brighter, up to a limit.
PROGRAM_TOLERANCE = 1e-3
MOST_PROGRAM_TOLERANCE = 1e-2
_TIMES = 4
_BRIGHTER = 1 + 2.0**-11
# Beyond it the network is too delicate for so few bits.
ROUNDING_TOLERANCE = 5e-2
IOS16_SPECIFICATION = 7
_ON_A_MAC = sys.platform == "darwin"


@dataclass(frozen=True)
class CoreMLReport:
    """What the check of a package found.

    Attributes:
        operations: how many operations of each kind, constants left out.
        tensors: number of weights and biases that were compared.
        weights: largest difference from torch's, batch norm folded, as a share of a tensor's
            largest value.
        program: mean difference of alpha, in [0, 1], between the program as followed in torch and
            the network with the package's weights.
        rounding: the same between the network with the package's weights and with its own.
        core_ml: the same between Core ML's own run and the network; None off a Mac.
    """

    operations: Mapping[str, int]
    tensors: int
    weights: float
    program: float
    rounding: float
    core_ml: float | None


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
    weights = stored_weights(operations, exported)
    _check_within("weights", weights.difference, BYTE_TOLERANCE if in_bytes else HALF_TOLERANCE)
    pictures = [smooth_pictures((1, 3, *size)) for size in sizes]
    pictures += [resized(image, size) for image in images for size in sizes]
    levels = [(picture * 255).round() for picture in pictures]
    expected = [_alpha(network, each, {}) for each in levels]
    rounded = [_alpha(network, each, weights.state) for each in levels]
    followed = [program_output(program, each) for each in levels]
    report = CoreMLReport(
        operations=_kinds(operations),
        tensors=weights.num_tensors,
        weights=weights.difference,
        program=_mean_difference(followed, rounded),
        rounding=_mean_difference(rounded, expected),
        core_ml=_mean_difference(_run_by_core_ml(path, levels), expected) if _ON_A_MAC else None,
    )
    brighter = [_alpha(network, each * _BRIGHTER, weights.state) for each in levels]
    tolerance = PROGRAM_TOLERANCE + _TIMES * _mean_difference(brighter, rounded)
    _check_within("program", report.program, min(tolerance, MOST_PROGRAM_TOLERANCE))
    _check_within("network by rounded weights", report.rounding, ROUNDING_TOLERANCE)
    if report.core_ml is not None:
        _check_within("package, run by Core ML,", report.core_ml, ROUNDING_TOLERANCE)
    return report


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


def _kinds(operations: Sequence[Any]) -> dict[str, int]:
    kinds = (each.op_type for each in operations)
    return dict(Counter(kind for kind in kinds if not kind.startswith("constexpr")))


def _alpha(network: nn.Module, levels: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Alpha in [0, 255] of a picture in [0, 255], by other weights where they are given."""
    with torch.inference_mode():
        alpha: Tensor = torch.func.functional_call(network, dict(weights), (levels / 255,))
    return alpha


def _mean_difference(some: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    """Of alphas in [0, 255], as a share of 255; the largest over the pictures."""
    pairs = zip(some, others, strict=True)
    return float(np.max([float((ours - theirs).abs().mean()) / 255 for ours, theirs in pairs]))


def _run_by_core_ml(
    path: Path, pictures: Sequence[Tensor]
) -> list[Tensor]:  # pragma: no cover - on a Mac alone
    model = ct.models.MLModel(str(path))
    alphas = []
    for levels in pictures:
        pixels = levels[0].permute(1, 2, 0).byte().numpy()
        alpha = model.predict({"image": Image.fromarray(pixels)})["alpha"]
        alphas.append(torch.from_numpy(np.asarray(alpha, np.float32))[None, None])
    return alphas
