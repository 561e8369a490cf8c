"""Results on disk, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import animatte
from animatte.images import write_whole


def result_key(
    settings: Sequence[object], files: Mapping[str, Path | None]
) -> tuple[str, dict[str, str]]:
    """Name a result by all that it depends on: settings, and the content of files.

    Where the files lie makes no difference.

    Args:
        settings: whose `str` says all of them.
        files: by their part; None where there is none.

    Returns:
        The name, and each file's SHA-256.

    Raises:
        OSError: if a file cannot be read.
    """
    digests = {part: _digest(path) for part, path in files.items() if path is not None}
    text = json.dumps([[f"{each}" for each in settings], digests], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32], digests


def kept_result(folder: Path, key: str) -> dict[str, Any] | None:
    """Return what is kept under a name, or None if nothing whole is."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / f"{key}.json").read_bytes())
        if isinstance(found, dict) and isinstance(found.get("scores"), dict):
            return found
    return None


def keep_result(
    folder: Path, key: str, scores: Mapping[str, float], views: Mapping[str, str] | None = None
) -> None:
    """Write a result beside, then rename it.

    Args:
        folder: is there.
        key: its name.
        scores: finite numbers.
        views: small pictures in base 64.
    """
    text = json.dumps({"scores": scores, **(views or {})})
    write_whole(folder / f"{key}.json", [text.encode("ascii")])


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Digest of this program: what another one has kept is of no use."""
    digest = hashlib.sha256()
    for path in sorted(Path(animatte.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_of(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)  # a picture comes again with every model and every angle
def _digest_of(path: Path, _changed: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
