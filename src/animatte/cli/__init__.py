"""The `animatte` command: one verb a file, registered here.

Verbs import what they need when they run, so that `animatte --help` is instant.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from animatte import __version__
from animatte.cli import cut, data, doctor, evaluate, export, models, serve, train, video
from animatte.cli.errors import OneLineErrors

app = typer.Typer(
    name="animatte",
    help="Cut animals out of photos, down to the whiskers.",
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"animatte {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Cut animals out of photos, down to the whiskers."""


app.command("cut")(cut.cut)
app.command("video")(video.video)
app.add_typer(models.app, name="models")
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(export.app, name="export")


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name may hold what a terminal cannot print
            stream.reconfigure(errors="backslashreplace")
    app()
