"""`animatte data`: training data, looked at and made."""

from __future__ import annotations

import typer

from animatte.cli import data_compose

app = typer.Typer(help="Data sets and what is made of them.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Data sets and what is made of them."""


app.command("compose")(data_compose.compose)
