"""Many photos at a time: cut over all cores in bounded memory, and resumed where it ended."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from animatte.backgrounds import Background
from animatte.cutting import (
    AlphaPredictor,
    CutOptions,
    CutReport,
    cut_photo,
    cut_picture,
    encoded_picture,
    result_warnings,
)
from animatte.images import OUTPUT_SUFFIXES, Held, image_header, lasting_source
from animatte.memory import (
    BASE,
    DEFAULT_SHARED,
    SharedMemory,
    fitting_into_memory,
    network_bytes,
    network_pixels,
    photo_bytes,
)
from animatte.outputs import is_same, line_file, names_folder
from animatte.predictor import Predictor
from animatte.seeing import largest_seen
from animatte.windows import LEAST_SIDE

RECORD_NAME = "animatte.jsonl"


@dataclass(frozen=True)
class CutFailure:
    """One photo that failed; nothing was written for it."""

    photo: Path | str
    error: Exception


@dataclass(frozen=True)
class CutSkipped:
    """One photo whose result of an earlier run is whole and the same."""

    photo: Path
    output: Path


Result: TypeAlias = CutReport | CutFailure | CutSkipped


def planned(predictor: Predictor, jobs: int, budget: int | None) -> tuple[int, SharedMemory]:
    """Share a budget of memory out between a network and photos; changes `most_pixels`.

    Args:
        predictor: whose network is held to its part.
        jobs: photos under way at a time, if there is room for them.
        budget: bytes of the whole process; None for no limit, but photos still wait for others.

    Returns:
        how many photos may be under way, and what they share.
    """
    if budget is None:
        return jobs, SharedMemory(DEFAULT_SHARED, is_hard=False)
    parameters = int(predictor.network.card.get("parameters", 0))
    allowed = network_pixels(budget, parameters)
    wanted = min(largest_seen(predictor.strategy), predictor.most_pixels)
    jobs = max(1, min(jobs, allowed // wanted))  # rather fewer photos than smaller windows
    predictor.most_pixels = max(LEAST_SIDE**2, min(predictor.most_pixels, allowed // jobs))
    seen = min(wanted, predictor.most_pixels)
    rest = budget - BASE - jobs * network_bytes(seen, parameters)
    return jobs, SharedMemory(max(rest, 0), is_hard=True)


def cut_stream(
    predictor: Predictor, photo: Path | Held, options: CutOptions, budget: int | None
) -> tuple[bytes, list[str]]:
    """Cut one photo, a file or what a pipe brought, into a file's content, and what to warn of.

    Raises:
        ImageError: if the photo cannot be read, or the format does not hold the result.
        ValueError: if it needs more memory than there is, or lacks the subject that is meant.
    """
    _, shared = planned(predictor, 1, budget)
    source = photo if isinstance(photo, Held) else lasting_source(photo)
    name = source.name if isinstance(source, Held) else source
    with shared.taken(_needed(source, options)), fitting_into_memory(name):
        picture = cut_picture(predictor, source, options)
        return encoded_picture(picture, options), result_warnings(picture)


def _needed(source: Path | Held, options: CutOptions) -> int:
    """Bytes to cut a photo in, by its header."""
    (height, width), has_alpha = image_header(source, options.max_pixels)
    return photo_bytes(height * width, options.output_format.bit_depth, has_alpha)


def cut_photos(
    predictor: AlphaPredictor,
    photos: Sequence[Path],
    outputs: Sequence[Path],
    options: CutOptions,
    *,
    jobs: int = 1,
    memory: SharedMemory | None = None,
    record: Record | None = None,
) -> Generator[Result]:
    """Cut photos; whatever fails in one does not stop the rest.

    Each photo is read, matted and written by one of `jobs` threads, so that while one waits for
    the disk or encodes, another has the network: these all leave Python's lock to others. When
    the iteration ends early, what has begun is finished, and the rest not begun.

    Args:
        predictor: used by several threads at a time.
        photos: the files.
        outputs: a file for each.
        options: what is written.
        jobs: how many photos are under way at a time.
        memory: what they share; None for an amount that suits most machines.
        record: what is known of earlier runs, and is to know of this one; None for nothing.

    Yields:
        the results, in the order of the photos.
    """
    shared = memory or SharedMemory(DEFAULT_SHARED, is_hard=False)

    def cut(photo: Path, output: Path) -> Result:
        try:
            key = None if record is None else record.key(photo)
            if record is not None and record.holds(photo, output, key):
                return CutSkipped(photo, output)
            source = lasting_source(photo)
            with shared.taken(_needed(source, options)):
                report = cut_photo(predictor, photo, output, options, source)
            if record is not None:
                record.note(report, key)
        except Exception as error:  # reported, not swallowed: a batch must go on
            return CutFailure(photo, error)
        return report

    try:
        yield from _in_order(cut, list(zip(photos, outputs, strict=True)), jobs)
    finally:
        shared.close()


def _in_order(
    cut: Callable[[Path, Path], Result], tasks: Sequence[tuple[Path, Path]], jobs: int
) -> Iterator[Result]:
    """Results in order, by threads; only a few are begun before the first one is taken."""
    if jobs == 1 or len(tasks) < 2:
        yield from (cut(*task) for task in tasks)
        return
    pool = ThreadPoolExecutor(min(jobs, len(tasks)), "cut")
    under_way: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            under_way.append(pool.submit(cut, *task))
            if len(under_way) > 2 * jobs:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def record_of(
    output: str | None,
    settings: Mapping[str, Any] | None,
    resume: bool,
    report: Path | None = None,
) -> AbstractContextManager[Record | None]:
    """The record of a folder of results; none without settings.

    Raises:
        ValueError: if the output is no folder, or the report the file of the record.
    """
    if settings is None:
        return nullcontext()
    if output is None or _is_file(output):
        raise ValueError("--resume keeps its record in the folder of the results; name one with -o")
    if report is not None and is_same(report, Path(output, RECORD_NAME)):
        raise ValueError(f"report {report} is the record that --resume reads; choose another name")
    return Record(Path(output), settings, resume)


def _is_file(output: str) -> bool:
    """Whether an output is one file, or would be."""
    path = Path(output)
    return not names_folder(output) and (path.is_file() or path.suffix.lower() in OUTPUT_SUFFIXES)


class Record:
    """What was made of which photo, with which settings: a file of JSON lines beside the results.

    Each line is written when its result is whole. Lines that are none, as a killed run may leave
    at the end, are passed over.

    Args:
        folder: of the results; made if need be.
        settings: all that a result depends on besides the photo, as plain values.
        resume: keep what earlier runs noted, and rely on it; else begin anew.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], resume: bool) -> None:
        self._folder = folder
        self._settings = json.dumps(settings, sort_keys=True)
        self._known: dict[str, dict[str, Any]] = {}
        path = folder / RECORD_NAME
        if resume and path.is_file():
            self._known = {line["output"]: line for line in _lines(path)}
        self._file = line_file(path, append=resume)
        self._write = self._file.__enter__()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__(None, None, None)

    def key(self, photo: Path) -> str:
        """Of a photo, as it is on disk now, and the settings."""
        status = photo.stat()
        text = f"{status.st_size} {status.st_mtime_ns} {self._settings}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def holds(self, photo: Path, output: Path, key: str | None) -> bool:
        """Whether an earlier run made this output of this photo, and it is still there, whole."""
        line = self._known.get(self._name(output))
        if line is None or line.get("key") != key or line.get("photo") != os.path.realpath(photo):
            return False
        return output.is_file() and output.stat().st_size == line.get("bytes")

    def note(self, report: CutReport, key: str | None) -> None:
        """Add a result that is whole."""
        self._write(
            {
                "output": self._name(report.output),
                "photo": os.path.realpath(report.photo),
                "key": key,
                "bytes": Path(report.output).stat().st_size,
            }
        )

    def _name(self, output: Path | str) -> str:
        return os.path.relpath(output, self._folder)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for text in file:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and isinstance(line.get("output"), str):
                yield line


def plain_options(options: CutOptions) -> dict[str, Any]:
    """Options as plain values, alike only where results are; for a `Record`'s settings."""
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    del values["max_pixels"]  # decides whether there is a result, not which
    return {
        **{name: repr(value) for name, value in values.items() if name != "background"},
        "background": _plain_background(options.background),
    }


def _plain_background(background: Background | None) -> Any:
    if background is None or background.picture is None:
        return background and repr(background.colour)
    picture = np.ascontiguousarray(background.picture)
    return [picture.shape, hashlib.sha256(picture.data).hexdigest()]
