"""What several verbs are told on the command line, one name an argument."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def device_option(panel: str | None = None) -> Any:
    """`--device`, under a heading of the help; None for that of all options."""
    return typer.Option(
        metavar="DEVICE", help="auto, cpu, cuda, ...: see `animatte doctor`.", rich_help_panel=panel
    )


def strategy_option(panel: str | None = None) -> Any:
    """`--strategy`, as `device_option`."""
    return typer.Option(
        metavar="NAME",
        help="How large photos are seen. Default: the model's own.",
        rich_help_panel=panel,
    )


def refinement_option(panel: str | None = None) -> Any:
    """`--refine`, as `device_option`."""
    return typer.Option(
        metavar="NAME",
        help="What follows the network: guided or closed-form. Default: nothing.",
        rich_help_panel=panel,
    )


Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE", help="A model of `animatte models`, or an .onnx or .safetensors file."
    ),
]
Device = Annotated[str, device_option()]
StrategyName = Annotated[str | None, strategy_option()]
RefinementName = Annotated[str | None, refinement_option()]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Recipe = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="YAML file, or a shipped recipe's name.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Values that replace the recipe's."),
]
