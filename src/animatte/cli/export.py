"""`animatte export`: a network in the form that another engine runs."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Write a network for another engine.", no_args_is_help=True)


@app.callback()
def _export() -> None:
    """Write a network for another engine."""


@app.command("onnx")
def onnx(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .safetensors model.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .onnx file.")],
    card: Annotated[
        Path | None,
        typer.Option(help="YAML file with what to say of the model: licence, sources, scores…"),
    ] = None,
    full_weights: Annotated[
        bool, typer.Option("--full-weights", help="Store float32 weights, twice the size.")
    ] = False,
) -> None:
    """Write a model as an ONNX file, which `animatte cut --model` runs without torch.

    The file is run once and compared with the network; one that differs is not left behind.
    """
    if output.suffix != ".onnx":
        raise ValueError(f"output {output} is not an .onnx file; name it so")
    from animatte.checkpoint import load_checkpoint
    from animatte.export.onnx import export_onnx

    network, _ = load_checkpoint(model)
    difference = export_onnx(network, output, card=_read_card(card), half_weights=not full_weights)
    size = output.stat().st_size / 1e6
    typer.echo(f"{output}  {size:.1f} MB, at most {difference:.1e} from torch")


def _read_card(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import yaml

    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping; a card is 'licence: ...' and so on")  # noqa: TRY004
    return values
