"""What several verbs are told on the command line, one name an argument."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE", help="A model of `animatte models`, or an .onnx or .safetensors file."
    ),
]
Device = Annotated[
    str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, ...: see `animatte doctor`.")
]
RefinementName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="What follows the network: guided or closed-form. Default: nothing."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
