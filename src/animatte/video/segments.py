"""What is finished of a film before all of it is: segments in a hidden folder beside the result.

A segment counts as finished when its record is there, which is written last. A run that was stopped
at any moment therefore goes on behind the last finished one, if it is the same run: the same clip,
options and model.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from animatte.replacing import written_beside
from animatte.video.frames import VideoError
from animatte.video.locking import RunLock
from animatte.video.stabilisation import Steady

_MANIFEST: Final = "manifest.json"
_VERSION: Final = 1
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Segment:
    """A finished part of a film.

    Attributes:
        path: a film, or a folder of pictures.
        stamps: time stamps of its frames, in the clip's units, from its start.
        end: where its last frame ends.
        num_cuts: scene cuts in it.
        steady: what the next frame is steadied by.
    """

    path: Path
    stamps: Sequence[int]
    end: int
    num_cuts: int
    steady: Path

    def last_steady(self) -> Steady:
        """Read what the next frame is steadied by."""
        with np.load(self.steady) as stored:
            return Steady(stored["view"], stored["alpha"])


def key_of(values: Mapping[str, Any]) -> str:
    """A hash of all that decides what a run writes."""
    text = json.dumps({"version": _VERSION, **values}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def files_hash(paths: Sequence[Path]) -> str:
    """A hash of the content of one file; of many their names, sizes and times of change."""
    total = hashlib.sha256()
    if len(paths) > 1:
        for path in paths:
            facts = path.stat()
            total.update(f"{path.name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
        return total.hexdigest()
    with paths[0].open("rb") as stream:
        while block := stream.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


class WorkFolder:
    """The hidden folder of one result, for one run at a time: until the block ends that it opens.

    Args:
        output: the file or folder that is to be made.
        suffix: of the segments; "" for folders of pictures.
        key: of this run.
        keep: go on with the segments of an earlier run that has this key.

    Raises:
        VideoError: if it cannot be made, or another run works in it.
    """

    def __init__(self, output: Path, suffix: str, key: str, keep: bool) -> None:
        self.path = output.with_name(f".{output.name}.animatte")
        self._suffix = suffix
        self._lock = self._taken()
        try:
            self._prepare(key, keep)
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> WorkFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def _taken(self) -> RunLock:
        """The lock, which lies beside the folder: what is in the folder may have to go."""
        try:
            return RunLock(self.path.with_name(f"{self.path.name}.lock"))
        except BlockingIOError as error:
            raise VideoError(
                f"another run works in {self.path}; wait until it has ended, "
                "or write to another place"
            ) from error

    def _prepare(self, key: str, keep: bool) -> None:
        """Leave in the folder what this run goes on with, and nothing else."""
        manifest = self.path / _MANIFEST
        if self.path.is_dir() and not (keep and _stored_key(manifest) == key):
            if any(self.path.iterdir()) and not manifest.exists():
                raise VideoError(f"{self.path} is in the way and not ours; move it elsewhere")
            shutil.rmtree(self.path)
        if not manifest.exists():
            self.path.mkdir(exist_ok=True)
            _write_whole(manifest, {"key": key, "made by": "animatte video"})
        self._drop_unfinished()

    def finished(self) -> list[Segment]:
        """The finished segments from the first one on, without a gap."""
        segments: list[Segment] = []
        while (record := self._record(len(segments))).exists():
            values = json.loads(record.read_text(encoding="utf-8"))
            place = self._place(len(segments))
            if not place.exists():
                break
            segments.append(
                Segment(
                    place,
                    values["stamps"],
                    values["end"],
                    values["cuts"],
                    self.path / f"{len(segments):06d}.npz",
                )
            )
        return segments

    def unfinished(self, number: int) -> Path:
        """Where a segment is written until it is whole."""
        return self.path / f"{number:06d}.part"

    def finish(
        self, number: int, stamps: Sequence[int], end: int, num_cuts: int, steady: Steady
    ) -> None:
        """Take a segment that is whole; from now on it is kept."""
        self.unfinished(number).replace(self._place(number))
        with (self.path / f"{number:06d}.npz").open("wb") as stream:
            np.savez(stream, view=steady.view, alpha=steady.alpha)
        record = {"stamps": list(stamps), "end": end, "cuts": num_cuts}
        _write_whole(self._record(number), record)

    def remove(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.path / f"{number:06d}{self._suffix or '.pictures'}"

    def _record(self, number: int) -> Path:
        return self.path / f"{number:06d}.json"

    def _drop_unfinished(self) -> None:
        """Remove what a run that was stopped had begun."""
        kept = len(self.finished())
        for path in self.path.iterdir():
            number = path.name[:6]
            if path.suffix == ".part" or (number.isdigit() and int(number) >= kept):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _stored_key(manifest: Path) -> str | None:
    try:
        values = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    key = values.get("key") if isinstance(values, dict) else None
    return key if isinstance(key, str) else None


def _write_whole(path: Path, values: Mapping[str, Any]) -> None:
    with written_beside(path) as beside:
        beside.write_text(json.dumps(values), encoding="utf-8")
