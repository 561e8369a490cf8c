"""Composites on disk: the pictures of the training, written with all their layers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from animatte.data.augmentation import Generator, View
from animatte.data.composed import Composed
from animatte.data.dataset import ExampleStream
from animatte.data.parallel import mapped
from animatte.data.picks import ViewOf
from animatte.data.pictures import Plane
from animatte.images import write_alpha, write_image

MANIFEST = "manifest.jsonl"
_BATCH = 8  # composites that a process makes before it hands back what was drawn

Record: TypeAlias = dict[str, Any]


def written_composites(
    stream: ExampleStream,
    folder: Path,
    count: int,
    view_of: ViewOf | None = None,
    jobs: int | None = 1,
) -> Iterator[str]:
    """Write composites and, a line each, what was drawn for them.

    `folder` gets image/, alpha/, foreground/ and background/, all PNG of 8 bits. A picture that
    keeps its own background has no foreground and no background there. What the manifest names
    is whole, also where the writing was interrupted.

    Args:
        stream: what draws them; the same seed writes the same bytes.
        folder: is made; it must not hold composites yet.
        count: how many.
        view_of: draws the view that is composited; None composites whole pictures. Can be pickled.
        jobs: processes, whose number changes nothing in what is written; None for one a core.

    Yields:
        the name of each, once it is written.

    Raises:
        ValueError: if the folder holds a manifest, or a picture cannot be read or written.
    """
    manifest = folder / MANIFEST
    if manifest.exists():
        raise ValueError(f"{folder} holds composites already; give another folder or remove it")
    for part in ("image", "alpha", "foreground", "background"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write = partial(_written, stream=stream, folder=folder, view_of=view_of or _whole)
    batches = [range(count)[start : start + _BATCH] for start in range(0, count, _BATCH)]
    with manifest.open("x", encoding="utf-8") as lines:
        for records in mapped(write, batches, jobs):
            for record in records:
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
                yield record["name"]


def _written(
    positions: range, stream: ExampleStream, folder: Path, view_of: ViewOf
) -> list[Record]:
    """Write some composites; return what was drawn for each."""
    records = []
    for position in positions:
        composed = stream.composed(position, view_of)
        name = f"{position:06d}"
        _write(composed, folder, name)
        records.append({"name": name, **asdict(composed.account)})
    return records


def _whole(alpha: Plane, _: Generator) -> View:
    return View.whole(alpha.shape)


def _write(composed: Composed, folder: Path, name: str) -> None:
    file = f"{name}.png"
    write_image(folder / "image" / file, composed.sample.image)
    write_alpha(folder / "alpha" / file, composed.sample.alpha)
    if composed.layers is not None:
        write_image(folder / "foreground" / file, composed.layers.foreground)
        write_image(folder / "background" / file, composed.layers.background)
