"""What a training was made of, written beside its weights: recipe, versions, commit, data."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from re import match
from typing import Any

import yaml

from animatte.data.dataset import ExampleStream
from animatte.data.folders import Pair
from animatte.training.checkpoints import written_whole
from animatte.training.recipe import Recipe

RECIPE_NAME = "recipe.yaml"
STARTS_NAME = "starts.json"
DATA_NAME = "data.json"
_HEAD = 65_536  # bytes of each file that its hash covers
_READERS = 8


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Write the recipe as it was checked, overrides and defaults included; it can be trained by."""
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    _write(folder / RECIPE_NAME, text)


def write_start(folder: Path, step: int, device: str, processes: int) -> None:
    """Add to the list of this run's starts: when, from which step, with which versions, where."""
    path = folder / STARTS_NAME
    starts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    start = {
        "step": step,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "git": git_commit(Path(__file__)),
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "processes": processes,
    }
    _write(path, json.dumps([*starts, start], indent=2))


def write_manifest(folder: Path, manifest: dict[str, Any]) -> str | None:
    """Write which files the data consist of.

    Returns:
        A line that says so if they are not what they were at the run's last start, or None.
    """
    path = folder / DATA_NAME
    before = json.loads(path.read_text(encoding="utf-8"))["sha256"] if path.exists() else None
    _write(path, json.dumps(manifest, indent=1))
    if before in (None, manifest["sha256"]):
        return None
    return f"the data are not what they were when {folder} was last started; see {path}"


def versions() -> dict[str, str]:
    """Return the versions of animatte and of what it requires, as far as it is installed."""
    lines = [line for line in requires("animatte") or () if "extra == 'dev'" not in line]
    names = [match(r"[\w.-]+", line) for line in lines]
    required = sorted({each.group() for each in names if each})
    return {name: found for name in ("animatte", *required) if (found := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # of an extra that is not installed
        return None


def git_commit(file: Path) -> str | None:
    """Return the commit of the checkout that a file is tracked in, "+" for changes since.

    None where it is in no checkout, or git is not installed.
    """
    try:
        _git(file.parent, "ls-files", "--error-unmatch", file.name)
        commit = _git(file.parent, "rev-parse", "HEAD")
        return commit + ("+" if _git(file.parent, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def data_manifest(stream: ExampleStream, root: Path) -> dict[str, Any]:
    """Describe the files that examples are made of.

    Args:
        stream: of the examples.
        root: names of files below it are relative to it.

    Returns:
        `files`, a row for each in the order of their names: name, bytes, and SHA-256 of its first
        64 KiB; their number `count`, `bytes`, and `sha256`, the hash of all rows.
    """
    paths = sorted(set(data_files(stream)))
    with ThreadPoolExecutor(_READERS) as readers:
        rows = list(readers.map(lambda path: _row(path, root), paths))
    text = "\n".join(" ".join(str(value) for value in row) for row in rows)
    return {
        "count": len(rows),
        "bytes": sum(row[1] for row in rows),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "files": rows,
    }


def data_files(stream: ExampleStream) -> Iterator[Path]:
    """Yield each file that examples may be made of."""
    for source in stream.sources:
        yield from _files_of(source.pairs)
        yield from source.foregrounds.values()
        yield from source.denoised.values()
    yield from _files_of(stream.backgrounds.plain)
    yield from _files_of(stream.backgrounds.objects)
    yield from stream.backgrounds.denoised.values()


def _files_of(pairs: Iterable[Pair]) -> Iterator[Path]:
    for pair in pairs:
        yield from pair.files.values()


def _row(path: Path, root: Path) -> tuple[str, int, str]:
    with path.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return str(name), path.stat().st_size, head


def _write(path: Path, text: str) -> None:
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
