"""`animatte serve`: cut-outs over HTTP, and a page."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import socket
from math import ceil

import typer

from animatte.cli import arguments
from animatte.cli import serve_arguments as given
from animatte.extras import check_installed


def serve(
    *,
    host: given.Host = "127.0.0.1",
    port: given.Port = 8000,
    model: arguments.Model = None,
    device: arguments.Device = "auto",
    workers: given.WorkerCount = None,
    queue: given.QueueLength = 16,
    max_bytes: given.MaxBytes = 50_000_000,
    max_pixels: given.MaxPixels = 50_000_000,
    wait: given.Wait = 30.0,
    timeout: given.Timeout = 120.0,
) -> None:
    """Serve cut-outs: POST /v1/cutout and /v1/matte, and a page at /.

    Nothing is kept on disk, and no address is fetched. Ctrl-C ends it when the photos in work are
    done.
    """
    check_installed("fastapi", "serve")
    import uvicorn

    from animatte.predictor import load
    from animatte.serve.app import create_app
    from animatte.serve.limits import Limits
    from animatte.serve.pace import pace_of

    limits = Limits(
        body=max_bytes,
        pixels=max_pixels,
        wait=wait,
        seconds=timeout,
        workers=workers or Limits().workers,
        queue=queue,
    )
    with _listening(host, port) as listener:
        predictor = load(model, device=device)
        config = uvicorn.Config(
            create_app(predictor, limits, pace_of(predictor)),
            log_level="warning",
            timeout_keep_alive=5,
            timeout_graceful_shutdown=ceil(wait + timeout),
            server_header=False,
        )
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"{predictor.name} on {predictor.device}: http://{shown}:{bound}", err=True)
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens, made before anything else so that a taken port is one line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ValueError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port"
        ) from error
