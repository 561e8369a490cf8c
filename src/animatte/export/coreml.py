"""Networks as Core ML packages for iOS 16, macOS 13 and later: a photo in, its matte out."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import coremltools as ct
import coremltools.optimize.coreml as optimize
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from animatte.export.coreml_check import CoreMLReport, checked_package
from animatte.export.wrapping import basic_card, evaluated
from animatte.models.registry import MattingNetwork
from animatte.onnx_file import CARD_KEY

SUFFIX = ".mlpackage"
DEFAULT_SIZES = ((512, 512),)
QUANTIZATIONS = ("8bit",)
MOST_SIZES = 128  # Core ML's limit
_DESCRIPTIONS: Mapping[str, str] = {
    "image": "the photo, RGB; scaling to what the network wants is part of the model",
    "alpha": "the matte as a grey picture of the same size: black is background, white foreground",
}


class _AlphaPicture(nn.Module):
    """A network as Core ML shows it: from RGB in [0, 1] to alpha in levels of grey.

    Glance and focus see the picture at one size, and are merged by the network itself.
    """

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return (1, 1, H, W) alpha in [0, 255]."""
        alpha: Tensor = self.network(image).alpha
        return alpha.clamp(0, 1) * 255


def export_coreml(
    network: MattingNetwork,
    path: str | PathLike[str],
    *,
    card: Mapping[str, Any],
    sizes: Sequence[tuple[int, int]] = DEFAULT_SIZES,
    quantization: str | None = None,
    images: Sequence[NDArray[np.float32]] = (),
) -> CoreMLReport:
    """Write a network as a Core ML package, and check what was written.

    The package's input is the picture `image` (RGB), of one of `sizes`; its output the picture
    `alpha` (grey), of the same size. It computes in float16. An earlier package is replaced only
    by one that passed.

    Args:
        network: what to write; its mode (training or not) is as before afterwards.
        path: the package, a folder that is called `*.mlpackage`.
        card: what to say of the model: `name`, `summary`, `licence`, `sources`…
        sizes: (height, width) that pictures may have; the first is the default.
        quantization: "8bit" to store weights as 8-bit integers, half the size; None for float16.
        images: (H, W, 3) RGB in [0, 1] each, to compare on beside smooth random pictures.

    Returns:
        What the check found.

    Raises:
        ValueError: if sizes or `quantization` cannot be had, `path` is something else's, or the
            package is not the network; nothing is left.
    """
    path = Path(path)
    _check_path(path)
    _check_sizes(sizes, network.stride)
    _check_quantization(quantization)
    card = {**basic_card(network, path.stem), **card}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.part{SUFFIX}")
    _remove(beside)
    try:
        with evaluated(network), _quiet():
            wrapped = _AlphaPicture(network).eval().cpu()
            program = _traced(wrapped, sizes)
            in_bytes = quantization is not None
            _write(program, beside, card, sizes, in_bytes)
            report = checked_package(
                beside, program, wrapped, sizes=sizes, in_bytes=in_bytes, images=images
            )
        _replace(path, beside)
    finally:
        _remove(beside)
    return report


def _write(
    program: ExportedProgram,
    path: Path,
    card: Mapping[str, Any],
    sizes: Sequence[tuple[int, int]],
    in_bytes: bool,
) -> None:
    """Convert and save; nothing of it stays in memory, where a large network is many times."""
    model = _converted(program, sizes)
    if in_bytes:
        model = _in_bytes(model)
    _describe(model, card)
    model.save(str(path))


def _check_path(path: Path) -> None:
    if path.suffix != SUFFIX:
        raise ValueError(f"output {path} is no {SUFFIX}; name it so")
    if path.exists() and not (path / "Manifest.json").is_file():
        raise ValueError(f"{path} is there and is no Core ML package; remove it or name another")


def _check_sizes(sizes: Sequence[tuple[int, int]], stride: int) -> None:
    if not 1 <= len(set(sizes)) == len(sizes) <= MOST_SIZES:
        raise ValueError(f"{len(sizes)} sizes; give 1 to {MOST_SIZES}, each once")
    for height, width in sizes:
        if min(height, width) < 2 * stride or height % stride or width % stride:
            raise ValueError(
                f"size {height}x{width} does not fit the network; both sides must be multiples of "
                f"{stride}, from {2 * stride} on"
            )


def _check_quantization(quantization: str | None) -> None:
    if quantization not in (None, *QUANTIZATIONS):
        raise ValueError(
            f"quantization {quantization!r} is unknown; choose {', '.join(QUANTIZATIONS)} or none"
        )


def _traced(wrapped: _AlphaPicture, sizes: Sequence[tuple[int, int]]) -> ExportedProgram:
    """Trace by torch.export; with more than one size, height and width are free."""
    stride = wrapped.network.stride
    free = None
    if len(sizes) > 1:
        most = max(max(size) for size in sizes) // stride
        rows, columns = (Dim(name, min=2, max=max(most, 3)) for name in ("rows", "columns"))
        free = {"image": {2: rows * stride, 3: columns * stride}}
    # Free sides are traced at lengths of their own, or they would be taken for one.
    height, width = sizes[0] if free is None else (3 * stride, 2 * stride)
    with torch.no_grad():
        program: ExportedProgram = torch.export.export(
            wrapped, (torch.zeros(1, 3, height, width),), dynamic_shapes=free
        ).run_decompositions({})
    return program


def _converted(program: ExportedProgram, sizes: Sequence[tuple[int, int]]) -> Any:
    shapes = [(1, 3, *size) for size in sizes]
    shape = shapes[0] if len(shapes) == 1 else ct.EnumeratedShapes(shapes, default=shapes[0])
    image = ct.ImageType("image", shape, scale=1 / 255, color_layout=ct.colorlayout.RGB)
    return ct.convert(
        program,
        inputs=[image],
        outputs=[ct.ImageType("alpha", color_layout=ct.colorlayout.GRAYSCALE)],
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT16,
        skip_model_load=True,
    )


def _in_bytes(model: Any) -> Any:
    """Store weights as int8, each output channel with a scale of its own."""
    config = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
    return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(config))


def _describe(model: Any, card: Mapping[str, Any]) -> None:
    model.short_description = str(card.get("summary", f"{card['name']}: alpha of a photo"))
    model.license = str(card["licence"])
    model.author = str(card.get("author", "animatte"))
    model.user_defined_metadata[CARD_KEY] = json.dumps(card)
    model.input_description["image"] = _DESCRIPTIONS["image"]
    model.output_description["alpha"] = _DESCRIPTIONS["alpha"]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter's progress and its remarks on versions to itself; errors are raised."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _replace(path: Path, beside: Path) -> None:
    """Put a folder in another's place; the other is moved away first, as folders must be empty."""
    old = path.with_name(f".{path.stem}.old{SUFFIX}")
    _remove(old)
    if path.exists():
        path.rename(old)
    beside.rename(path)
    _remove(old)


def _remove(package: Path) -> None:
    if package.exists():
        shutil.rmtree(package)
