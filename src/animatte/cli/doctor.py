"""`animatte doctor`: whether this installation works, and with what."""
# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
import os
import platform
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from animatte.cli.errors import error_line

_PACKAGES = ("animatte", "numpy", "opencv-python-headless", "pillow", "onnxruntime", "torch")
_TEST_SIZE = (240, 320)


def doctor(
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Try this model. Default: the default.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Try it here.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print versions, engine and devices, and whether the default model runs.

    Exit code 1 if it does not, or if a model's file is damaged.
    """
    report = diagnosis(model, device)
    typer.echo(json.dumps(report, indent=2) if as_json else "\n".join(_lines(report)))
    if not report["ok"]:
        raise typer.Exit(1)


def diagnosis(model: str | None = None, device: str = "auto") -> dict[str, Any]:
    """Look at this installation.

    Args:
        model: as in `animatte.load`.
        device: as in `animatte.load`.

    Returns:
        versions: package to version, None where it is not installed.
        providers: of ONNX Runtime, or what keeps it from starting.
        cpus: how many this process may use.
        models: name to "ok" or what is wrong with its file.
        run: the test picture, either model, device and seconds, or an error.
        ok: whether everything that cutting needs works.
    """
    models = _checked_models()
    run = _test_run(model, device)
    return {
        "ok": "error" not in run and all(state.startswith("ok") for state in models.values()),
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{package: _installed_version(package) for package in _PACKAGES},
        },
        "providers": _providers(),
        "cpus": _num_cpus(),
        "models": models,
        "run": run,
    }


def _checked_models() -> dict[str, str]:
    from animatte.catalogue import shipped_models

    try:
        cards = shipped_models()
    except ValueError as error:
        return {"shipped": error_line(error)}
    return {card.name: state_of_file(card.path) for card in cards} or {"shipped": "missing"}


def state_of_file(path: Path) -> str:
    """Compare a file with the checksum that its installer recorded, where there is one."""
    recorded = _recorded_checksum(path)
    if recorded is None:
        return "ok (development install: no checksum to compare with)"
    found = urlsafe_b64encode(sha256(path.read_bytes()).digest()).decode().rstrip("=")
    return "ok" if found == recorded else "damaged; run: pip install --force-reinstall animatte"


def _recorded_checksum(path: Path) -> str | None:
    """SHA-256 in URL-safe base64 from the RECORD of the installed package."""
    try:
        files = distribution("animatte").files or []
    except PackageNotFoundError:
        return None
    for file in files:
        if (
            file.name == path.name
            and file.hash
            and Path(str(file.locate())).resolve() == path.resolve()
        ):
            return file.hash.value
    return None


def _test_run(model: str | None, device: str) -> dict[str, Any]:
    """Cut a synthetic picture; whatever goes wrong is the finding, so every exception counts."""
    try:
        import numpy as np

        from animatte.predictor import load

        predictor = load(model, device=device)
        height, width = _TEST_SIZE
        ramp = np.linspace(0, 1, width, dtype=np.float32)
        picture = np.broadcast_to(ramp[None, :, None], (height, width, 3))
        start = perf_counter()
        alpha = predictor.alpha(np.ascontiguousarray(picture))
        seconds = perf_counter() - start
    except Exception as error:
        return {"error": error_line(error)}
    if alpha.shape != _TEST_SIZE or not np.isfinite(alpha).all():
        return {"error": f"{predictor.name} returned no alpha of the picture's size"}
    return {"model": predictor.name, "device": predictor.device, "seconds": round(seconds, 3)}


def _providers() -> list[str] | str:
    try:
        import onnxruntime
    except ImportError as error:
        return error_line(error)
    return list(onnxruntime.get_available_providers())


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _num_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _lines(report: dict[str, Any]) -> list[str]:
    rows = [(name, value or "not installed") for name, value in report["versions"].items()]
    providers = report["providers"]
    rows.append(("providers", providers if isinstance(providers, str) else ", ".join(providers)))
    rows.append(("CPUs", str(report["cpus"])))
    rows += [(f"model {name}", state) for name, state in report["models"].items()]
    run = report["run"]
    if "error" in run:
        rows.append(("test picture", f"FAILED: {run['error']}"))
    else:
        rows.append(("test picture", f"{run['model']} on {run['device']}, {run['seconds']:.2f} s"))
    width = max(len(name) for name, _ in rows) + 2
    return [f"{name:<{width}}{value}" for name, value in rows]
