"""Files that torch writes, good and bad, for tests of those who read them."""

from __future__ import annotations

from pathlib import Path

import torch


def written(path: Path, content: object, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def with_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
