"""Work on many files over all cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn, TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")

_LAST_BREATH = 1.0  # seconds for what was begun to be cleared away: a file half-written


def mapped(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int | None = None
) -> Iterator[Result]:
    """Yield the function's results in the order of the items.

    Args:
        function: can be pickled; what it raises ends the iteration.
        items: can be pickled.
        jobs: processes; None for one a core, 1 for this process alone.

    Raises:
        ValueError: if `jobs` is below 1.
        OSError: if a process was killed.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs is {jobs}; at least 1 process is needed")
    processes = min(jobs or os.cpu_count() or 1, len(items))
    if processes <= 1:
        yield from map(function, items)
        return
    # Spawned, not forked: OpenCV's and BLAS' threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _begin)
    try:
        with _interrupt_held():  # which the new processes inherit: a terminal's Ctrl-C meets all
            # Not `pool.map`, which cancels what waits: the pool's thread trips over that when the
            # processes are ended.
            waiting = deque(pool.submit(_called, function, item) for item in items)
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise OSError(
            "a process was killed, as a rule for want of memory; try again with fewer --jobs"
        ) from error
    except BaseException:  # Ctrl-C above all: what is under way is not waited for
        _end(list(pool._processes.values()))
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Let Ctrl-C wait, where the system can; it comes when the block ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: Sequence[BaseProcess]) -> None:
    """Ask processes to end; kill those that do not, as within a long computation."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _LAST_BREATH
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
        process.kill()


def _called(function: Callable[[Item], Result], item: Item) -> Result:
    try:
        return function(item)
    except SystemExit:  # of `_leave`; the pool would go on to the next item
        os._exit(1)


def _leave(*_: Any) -> NoReturn:
    """Answer a request to end so that what was begun is cleared away on the way out."""
    raise SystemExit(1)


def _begin() -> None:
    """One thread a process; Ctrl-C is the first process' to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    cv2.setNumThreads(1)
