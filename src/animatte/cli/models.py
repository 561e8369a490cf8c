"""`animatte models`: what is known, and published checkpoints brought in."""
# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from animatte.catalogue import ModelCard

app = typer.Typer(help="List the models that are known, or bring one in.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def _models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models that are known, or bring one in."""
    if context.invoked_subcommand is None:
        list_models(as_json)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models: size, licence, scores. The first is the default."""
    from animatte.catalogue import shipped_models

    cards = shipped_models()
    if as_json:
        typer.echo(json.dumps([_card_values(card) for card in cards], indent=2))
    else:
        _print_cards(cards)


@app.command("import")
def import_published(
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE", help="Published GFM checkpoint.")],
    *,
    backbone: Annotated[
        str, typer.Option(metavar="NAME", help="r34, r34_2b, d121 or r101.", show_default=False)
    ],
    rosta: Annotated[str, typer.Option(metavar="NAME", help="TT, FT, BT or RIM.")] = "TT",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Default: FILE with the suffix .safetensors."),
    ] = None,
) -> None:
    """Convert a checkpoint that the authors of GFM published to animatte's own format.

    Only weights are read: a file that would run code is refused.
    """
    target = checkpoint.with_suffix(".safetensors") if output is None else output
    _check_target(checkpoint, target)
    from animatte.checkpoint import gfm_from_published, load_published, save_checkpoint
    from animatte.models.registry import gfm_config

    config = gfm_config(backbone, rosta)
    network = gfm_from_published(load_published(checkpoint), backbone, rosta)
    save_checkpoint(target, network, config)
    num_parameters = sum(parameter.numel() for parameter in network.parameters())
    typer.echo(f"{target}  {_size(num_parameters, target.stat().st_size)}")


def _check_target(checkpoint: Path, target: Path) -> None:
    if target.suffix != ".safetensors":
        raise ValueError(f"output {target} is not a .safetensors file; name it so")
    if target.resolve() == checkpoint.resolve():
        raise ValueError(f"output {target} is the checkpoint itself; choose another with -o")


def _card_values(card: ModelCard) -> dict[str, object]:
    return {
        "name": card.name,
        "summary": card.summary,
        "rosta": card.rosta,
        "parameters": card.parameters,
        "bytes": card.bytes,
        "sha256": card.sha256,
        "licence": card.licence,
        "sources": [dict(source) for source in card.sources],
        "scores": dict(card.scores),
    }


def _print_cards(cards: Sequence[ModelCard]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    for card in cards:
        rows = Table.grid("", "", padding=(0, 2, 0, 0))
        rows.add_row("size", _size(card.parameters, card.bytes))
        rows.add_row("licence", card.licence)
        rows.add_row("trained on", "\n".join(_source_lines(card.sources)) or "not stated")
        scores = [f"{name} {value:g}" for name, value in card.scores.items()]
        rows.add_row("scores", "\n".join(scores) or "not measured")
        console.print(f"{card.name}: {card.summary}")
        console.print(rows)


def _source_lines(sources: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"{source['name']}, {source['licence']}" for source in sources]


def _size(parameters: int, num_bytes: int) -> str:
    return f"{parameters / 1e6:.1f} M parameters, {num_bytes / 1e6:.1f} MB"
