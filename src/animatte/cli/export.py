"""`animatte export`: a network in the form that another engine runs."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from animatte.export.coreml_check import CoreMLReport
    from animatte.models.registry import MattingNetwork

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A name that `animatte models` lists, or a .safetensors model."
    ),
]
Card = Annotated[
    Path | None,
    typer.Option(help="YAML file with what to say of the model: licence, sources, scores…"),
]
Pictures = Annotated[
    list[Path] | None,
    typer.Option(
        "--picture",
        metavar="PHOTO",
        help="A photo to compare on instead of the one that comes along; may be given more than "
        "once.",
    ),
]

app = typer.Typer(help="Write a network for another engine.", no_args_is_help=True)


@app.callback()
def _export() -> None:
    """Write a network for another engine."""


@app.command("onnx")
def onnx(
    model: Model,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .onnx file.")],
    card: Card = None,
    full_weights: Annotated[
        bool, typer.Option("--full-weights", help="Store float32 weights, twice the size.")
    ] = False,
    picture: Pictures = None,
) -> None:
    """Write a model as an ONNX file, which `animatte cut --model` runs without torch.

    The file is run once and compared with the network; one that differs is not left behind.
    """
    if output.suffix != ".onnx":
        raise ValueError(f"output {output} is not an .onnx file; name it so")
    added = _read_card(card)
    network, known = _network(model)
    from animatte.export.onnx import OPSET, export_onnx

    report = export_onnx(
        network,
        output,
        card={**known, **added},
        half_weights=not full_weights,
        images=_images(picture),
    )
    size = output.stat().st_size / 1e6
    typer.echo(f"{output}  {size:.1f} MB, opset {OPSET}, at most {report.program:.1e} from torch")
    if not full_weights:
        typer.echo(f"float16 weights change at most {report.rounding:.1e} of [0, 1]")
    if not (full_weights or report.is_half):
        typer.echo("that is too much: the file holds float32 weights")


@app.command("coreml")
def coreml(
    model: Model,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .mlpackage folder.")],
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HxW",
            help="Size of picture that the model takes; may be given more than once, the first is "
            "the default. 512x512 unless said.",
        ),
    ] = None,
    quantize: Annotated[
        str | None, typer.Option(metavar="8bit", help="Store weights as 8-bit integers.")
    ] = None,
    card: Card = None,
    picture: Pictures = None,
) -> None:
    """Write a model as a Core ML package for iOS 16, macOS 13 and later.

    The package is read back and compared with the network; one that differs is not left behind.
    """
    from animatte.extras import check_installed

    for package in ("torch", "safetensors", "coremltools"):
        check_installed(package, "coreml")
    # Else it announces at import every part of it that works on a Mac alone.
    logging.getLogger("coremltools").setLevel(logging.ERROR)
    from animatte.export.coreml import DEFAULT_SIZES, export_coreml

    sizes = [_size(text) for text in size] if size else DEFAULT_SIZES
    added = _read_card(card)
    network, known = _network(model)
    report = export_coreml(
        network,
        output,
        card={**known, **added},
        sizes=sizes,
        quantization=quantize,
        images=_images(picture),
    )
    _tell_core_ml(output, sizes, report)


def _tell_core_ml(output: Path, sizes: Sequence[tuple[int, int]], report: CoreMLReport) -> None:
    """Print what was written, and what the check found."""
    bytes_written = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    typer.echo(f"{output}  {bytes_written / 1e6:.1f} MB, {_sizes_text(sizes)}")
    operations = ", ".join(f"{kind} {count}" for kind, count in sorted(report.operations.items()))
    typer.echo(f"operations: {operations}")
    typer.echo(f"{report.tensors} weights and biases, at most {report.weights:.1e} from torch")
    typer.echo(f"the program, followed in torch: alpha {report.program:.1e} from the same weights'")
    typer.echo(f"rounded weights: alpha {report.rounding:.1e} from the network's")
    if report.core_ml is None:
        typer.echo("not run by Core ML: that takes a Mac")
    else:
        typer.echo(f"run by Core ML: alpha {report.core_ml:.1e} from the network's")


def _network(model: str) -> tuple[MattingNetwork, dict[str, Any]]:
    """The network of a name or a file, and what is known of it beyond its weights."""
    from animatte.engine import model_file
    from animatte.extras import check_installed

    path = model_file(model)
    for package in ("torch", "safetensors"):
        check_installed(package, "train")
    if path.suffix.lower() == ".onnx":  # what has a name comes along as ONNX alone
        check_installed("onnx", "train")
        from animatte.export.reading import network_from_onnx

        network, card = network_from_onnx(path)
        return network, card
    from animatte.checkpoint import load_checkpoint

    return load_checkpoint(path)[0], {}


def _images(photos: list[Path] | None) -> list[NDArray[np.float32]]:
    from animatte.catalogue import EXAMPLE
    from animatte.images.photo import read_photo

    return [read_photo(photo).image for photo in photos or [EXAMPLE]]


def _size(text: str) -> tuple[int, int]:
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdecimal() and width.isdecimal()):
        raise ValueError(f"size {text!r} is no HEIGHTxWIDTH; write it like 512x704")
    return int(height), int(width)


def _sizes_text(sizes: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in sizes)


def _read_card(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping; a card is 'licence: ...' and so on")  # noqa: TRY004
    _check_storable(path, values)
    return values


def _check_storable(path: Path, values: dict[Any, Any]) -> None:
    """Whether a card can be stored as JSON, as it is beside the weights."""

    def refuse(value: object) -> None:
        kind = type(value).__name__
        raise ValueError(f"{path}: {value} is a {kind}, which no card can hold; write it in quotes")

    try:
        json.dumps(values, default=refuse)
    except TypeError as error:  # of a key
        raise ValueError(f"{path}: {error}; write the key in quotes") from error
