"""What `animatte serve` is told on the command line, one name an argument."""

from __future__ import annotations

from typing import Annotated

import typer

Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 for every interface.")
]
Port = Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")]
WorkerCount = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Photos cut at a time. Default: one a two cores."),
]
QueueLength = Annotated[
    int, typer.Option(metavar="N", min=0, help="Requests that may wait; more get 503.")
]
MaxBytes = Annotated[int, typer.Option(metavar="N", min=1, help="Largest request body.")]
MaxPixels = Annotated[int, typer.Option(metavar="N", min=1, help="Largest photo.")]
Wait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="Who would wait longer for a worker gets 503, too."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=1, help="Longest time to cut a photo, without waiting."),
]
