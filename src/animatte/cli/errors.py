"""What the user sees when a verb fails: one line and an exit code, in one place."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

INTERRUPTED = 130

_EXTRA_OF_MODULE = {
    "accelerate": "train",
    "av": "video",
    "bm3d": "bm3d",
    "coremltools": "coreml",
    "fastapi": "serve",
    "jinja2": "report",
    "matplotlib": "report",
    "onnx": "train",
    "onnxscript": "train",
    "pyarrow": "scale",
    "pydantic": "train",
    "pymatting": "solver",
    "ray": "scale",
    "safetensors": "train",
    "tensorboard": "train",
    "torch": "train",
    "yaml": "train",
}


def error_line(error: BaseException) -> str:
    """The error as one line for a user."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in _EXTRA_OF_MODULE:
            extra = _EXTRA_OF_MODULE[package]
            return f"{package} is not installed; run: pip install 'animatte[{extra}]'"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    message = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError) and message:
        return message
    return f"{type(error).__name__}: {message}".rstrip(": ")


def print_error(line: str) -> None:
    """Print `error: line` to stderr."""
    print(f"error: {line}", file=sys.stderr)


class OneLineErrors(TyperGroup):
    """A group of verbs whose expected failures end as one line on stderr, without traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb.

        Args:
            ctx: the context of the click that typer was built with.

        Raises:
            typer.Exit: with 1 after a failure the user can mend, 130 after Ctrl-C.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # the reader has gone: click ends quietly
        except KeyboardInterrupt as stop:
            typer.echo(str(stop) or "stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except (ValueError, OSError) as error:
            print_error(error_line(error))
            raise typer.Exit(1) from error
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _EXTRA_OF_MODULE:
                raise
            print_error(error_line(error))
            raise typer.Exit(1) from error
        return result
