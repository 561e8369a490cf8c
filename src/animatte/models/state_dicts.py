"""State dicts: read from files without running code of theirs, unwrapped and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

# Batch norm's step counter: no weight, and used by nothing while a momentum is set.
_COUNTER = "num_batches_tracked"


class CheckpointError(ValueError):
    """A file or state dict is not what was asked for; one line says what was expected and found."""


def weights(module: nn.Module) -> dict[str, Tensor]:
    """Return the state dict of `module` without batch norm's step counters."""
    return without_counters(module.state_dict())


def without_counters(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` without batch norm's step counters, which older files do not have."""
    return {name: value for name, value in tensors.items() if not name.endswith(_COUNTER)}


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    """Say how two state dicts differ in names, shapes or kind of number; None if they agree."""
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    both = [name for name in expected if name in found]
    reshaped = [
        f"'{name}' is {_described(found[name])} instead of {_described(expected[name])}"
        for name in both
        if _described(found[name]) != _described(expected[name])
    ]
    faults = [
        f"{len(missing)} of {len(expected)} tensors are missing (first '{missing[0]}')"
        if missing
        else "",
        f"{len(unknown)} are unknown (first '{unknown[0]}')" if unknown else "",
        f"{len(reshaped)} have another shape or type (first {reshaped[0]})" if reshaped else "",
    ]
    return ", ".join(filter(None, faults)) or None


def _described(value: Tensor) -> str:
    size = "\N{MULTIPLICATION SIGN}".join(str(side) for side in value.shape) or "a scalar"
    return size if value.is_floating_point() else f"{size} {str(value.dtype)[6:]}"


def tensors_in(value: object) -> dict[str, Tensor]:
    """Return the named tensors of a state dict, out of the usual wrappings.

    Args:
        value: a state dict, as it is or under the key "state_dict"; a `module.` before every name
            is taken away.

    Raises:
        CheckpointError: if it is anything else.
    """
    inner = value["state_dict"] if isinstance(value, Mapping) and "state_dict" in value else value
    if not isinstance(inner, Mapping):
        raise CheckpointError(f"expected a state dict, found a {type(inner).__name__}")
    for name, tensor in inner.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise CheckpointError(f"expected a state dict of tensors, found a {kind} at {name!r}")
    prefix = "module." if all(name.startswith("module.") for name in inner) else ""
    return {name.removeprefix(prefix): tensor.detach() for name, tensor in inner.items()}


def tensors_from_file(path: Path) -> dict[str, Tensor]:
    """Read a state dict that torch or safetensors wrote; objects other than tensors are refused.

    Raises:
        CheckpointError: if the file cannot be read, is cut short, or holds anything else.
    """
    if _start(path, 9)[8:] == b"{":
        return safetensors_file(path)[0]
    try:
        return tensors_in(_torch_file(path))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def safetensors_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors and its metadata.

    Raises:
        CheckpointError: if the file cannot be read, is cut short, or is of another kind.
    """
    start = _start(path, 9)
    if start[8:] != b"{":
        raise CheckpointError(f"{path}: expected a safetensors file, found {_kind(start)}")
    try:
        with safe_open(path, framework="pt") as file:
            # Cloned: what the file maps is not aligned, which changes last bits and costs speed.
            tensors = {name: file.get_tensor(name).clone() for name in list(file.keys())}
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        fault = _first_line(error)
        raise CheckpointError(
            f"{path}: the safetensors file is damaged or cut short: {fault}"
        ) from error


def _torch_file(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken pickle can raise nearly anything
        refused = re.search(
            r"Unsupported (?:global|class|type)\S*:? (?:GLOBAL )?([\w.]+)", str(error)
        )
        if refused:
            raise CheckpointError(
                f"it holds a pickled {refused[1]}, which could run code and is refused; "
                "save its state_dict() instead"
            ) from error
        found = _kind(_start(path, 9))
        raise CheckpointError(
            f"expected a torch checkpoint, found {found} that torch cannot read as weights alone "
            f"({type(error).__name__}); copy or download it again"
        ) from error


def _start(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, which tell its kind."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error


def _kind(start: bytes) -> str:
    kinds: Sequence[tuple[bytes, str]] = (
        (b"PK", "a zip file (torch's own format is one)"),
        (b"\x80", "a pickle"),
        (b"\x08", "perhaps an ONNX file"),
    )
    if not start:
        return "an empty file"
    return next((kind for magic, kind in kinds if start.startswith(magic)), "another kind of file")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
