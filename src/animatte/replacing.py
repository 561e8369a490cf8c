"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """Give a file to write beside `path`; it takes its place if all went well, and goes if not.

    What was at `path` stays until then, whatever happens.

    Args:
        path: where the file goes; its folder is there.
        beside: the file to write, in the same folder. By default `.NAME.part`, so that what a
            killed run has left is written over by the next; many writers of one path at a time
            name one each.

    Yields:
        The file to write, which may be there already.

    Raises:
        OSError: if it cannot take its place.
    """
    if beside is None:
        beside = path.with_name(f".{path.name}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
