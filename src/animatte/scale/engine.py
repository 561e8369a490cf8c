"""The run itself: one worker a core or GPU, each with the model, fed and watched by Ray Data.

A result's name is known before the run and its file is renamed into place, so that a picture which
is cut twice, because its worker died in between, still has exactly one result.
"""

# ruff: noqa: PLC0415 - ray comes with the extra

from __future__ import annotations

import logging
import os
import pickle
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from animatte.batch import CutFailure, CutSkipped, Record, Result, cut_photos, planned
from animatte.cutting import CutOptions, CutReport
from animatte.images import ImageError
from animatte.looks import Looks
from animatte.predictor import Predictor, load
from animatte.scale.sources import content, is_address, keep

# A block is what a worker takes at a time, and what is lost where it dies too often.
_BLOCK = 8
_TRIES = 3


@dataclass(frozen=True)
class Setup:
    """What each worker loads; as in `animatte.load`, and a budget of memory in bytes, or None."""

    model: str | None
    device: str
    strategy: str | None
    refine: str | None
    looks: Looks
    budget: int | None


@dataclass(frozen=True)
class _Task:
    number: int
    photo: str
    output: str


class _Worker:
    """One process with the model.

    Args:
        packed: the pickled `Setup` and `CutOptions`.
    """

    def __init__(self, packed: bytes) -> None:
        setup, self._options = pickle.loads(packed)
        self._budget = setup.budget
        self._predictor = load(
            setup.model, setup.device, setup.strategy, setup.refine, setup.looks, threads=1
        )

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Cut the picture of a row; what fails in it is its result."""
        result = cut_one(
            self._predictor, str(row["photo"]), str(row["output"]), self._options, self._budget
        )
        return {"number": row["number"], "result": pickle.dumps(result)}


def cut_one(
    predictor: Predictor, photo: str, output: str, options: CutOptions, budget: int | None
) -> Result:
    """Cut one picture as the local engine does; addresses by way of a folder that is removed.

    Args:
        predictor: whose network is held to the budget.
        photo: path or address.
        output: path or address.
        options: what is written.
        budget: bytes of the process, or None.
    """
    with TemporaryDirectory(prefix="animatte-") as scratch:
        try:
            source, target = Path(photo), Path(output)
            if is_address(photo):
                source = Path(scratch, "photo" + Path(photo).suffix)
                source.write_bytes(content(photo))
            if is_address(output):
                target = Path(scratch, "result" + Path(output).suffix)
            _, shared = planned(predictor, 1, budget)
            (result,) = cut_photos(predictor, [source], [target], options, memory=shared)
            if is_address(output) and isinstance(result, CutReport):
                keep(output, target.read_bytes())
        except Exception as error:  # reported, not swallowed: the run must go on
            result = CutFailure(source, error)
        if isinstance(result, CutFailure):
            return replace(result, error=_portable(result.error, str(source), photo))
        return result


def _portable(error: Exception, source: str, photo: str) -> Exception:
    """An error that survives the way to another process, and names the photo as it was given."""
    if source == photo:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # any, from whatever a library put into its error
            return RuntimeError(f"{type(error).__name__}: {error}")
        return error
    text = str(error).replace(source, photo)
    expected = isinstance(error, ValueError | OSError)
    return ImageError(text) if expected else RuntimeError(f"{type(error).__name__}: {text}")


def cut_scaled(
    setup: Setup,
    options: CutOptions,
    photos: Sequence[str],
    outputs: Sequence[str],
    *,
    on_gpu: bool = False,
    workers: int | None = None,
    record: Record | None = None,
) -> Generator[Result]:
    """Cut pictures by Ray's workers: those of this machine, or of the cluster of RAY_ADDRESS.

    Args:
        setup: what each worker loads.
        options: what is written.
        photos: paths and addresses.
        outputs: for each a path or an address.
        on_gpu: a worker takes a GPU instead of a core.
        workers: how many; None for as many as there are cores, or GPUs.
        record: of earlier runs and this one, where all lies in folders; None for nothing.

    Yields:
        a result for each picture, in their order; those whose worker died over and over last.

    Raises:
        ValueError: if there is no core, or GPU, to work on.
    """
    waiting: list[_Task] = []
    skipped: deque[tuple[int, Result]] = deque()
    keys: dict[int, str | None] = {}
    for number, (photo, output) in enumerate(zip(photos, outputs, strict=True)):
        if record is not None and Path(photo).is_file():
            keys[number] = record.key(Path(photo))
            if record.holds(Path(photo), Path(output), keys[number]):
                skipped.append((number, CutSkipped(Path(photo), Path(output))))
                continue
        waiting.append(_Task(number, photo, output))
    for number, result in _run(pickle.dumps((setup, options)), waiting, on_gpu, workers):
        while skipped and skipped[0][0] < number:
            yield skipped.popleft()[1]
        if isinstance(result, CutReport) and record is not None:
            record.note(result, keys[number])
        yield result
    yield from (result for _, result in skipped)


def _run(
    packed: bytes, tasks: Sequence[_Task], on_gpu: bool, workers: int | None
) -> Iterator[tuple[int, Result]]:
    """Results as they come; a block that was lost is tried again, picture by picture."""
    if not tasks:
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # asks no other host
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # lost workers are told of by us
    import ray

    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    try:
        size = _pool(on_gpu, workers)
        lost = {task.number: task for task in tasks}
        for block in (_BLOCK, 1):
            for number, result in _results(packed, list(lost.values()), block, size, on_gpu):
                yield number, _renamed(result, lost.pop(number))
            if not lost:
                return
        for task in lost.values():
            error = ImageError(f"{task.photo} ended its worker {_TRIES} times; cut it by itself")
            yield task.number, CutFailure(_named(task.photo), error)
    finally:
        if started:
            ray.shutdown()


def _pool(on_gpu: bool, workers: int | None) -> int:
    import ray

    kind = "GPU" if on_gpu else "CPU"
    there = int(ray.cluster_resources().get(kind, 0))
    if there < 1:
        raise ValueError(f"ray has no {kind} to work on; start it with some, or choose --device")
    return min(workers or there, there)


def _results(
    packed: bytes, tasks: Sequence[_Task], block: int, workers: int, on_gpu: bool
) -> Iterator[tuple[int, Result]]:
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    context.max_errored_blocks = -1  # what is lost is missed, and tried again
    blocks = max(min(workers, len(tasks)), -(-len(tasks) // block))
    rows = [
        {"number": task.number, "photo": _absolute(task.photo), "output": _absolute(task.output)}
        for task in tasks
    ]
    with warnings.catch_warnings():
        # Ray renames how retries are said; the range in pyproject.toml ends before it is gone.
        warnings.simplefilter("ignore", DeprecationWarning)
        results = ray.data.from_items(rows, override_num_blocks=blocks).map(
            _Worker,
            fn_constructor_args=(packed,),
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, len(tasks)), max_tasks_in_flight_per_actor=2
            ),
            num_cpus=0 if on_gpu else 1,
            num_gpus=1 if on_gpu else 0,
            ray_remote_args_fn=lambda: {"max_restarts": -1, "max_task_retries": _TRIES - 1},
        )
    for row in results.iter_rows():
        yield int(row["number"]), pickle.loads(row["result"])


def _absolute(name: str) -> str:
    """A name for processes that may have another working directory."""
    return name if is_address(name) else str(Path(name).absolute())


def _named(name: str) -> Path | str:
    return name if is_address(name) else Path(name)


def _renamed(result: Result, task: _Task) -> Result:
    """The result with the names that were given, not a worker's."""
    photo = _named(task.photo)
    if isinstance(result, CutReport):
        return replace(result, photo=photo, output=_named(task.output))
    return replace(result, photo=photo) if isinstance(result, CutFailure) else result
