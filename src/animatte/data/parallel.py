"""Work on many files over all cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

import cv2

_AHEAD = 4  # tasks a process that are handed out before their turn

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    rest = iter(items)
    # Few at a time, and none is ever cancelled: a pool that breaks while `map` cancels what it has
    # handed out prints a traceback of its own.
    waiting = deque(pool.submit(function, item) for item in islice(rest, processes * _AHEAD))
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(rest, 1))
            yield result
        pool.shutdown()
    except BrokenProcessPool as error:
        raise OSError(
            "a process was killed, as a rule for want of memory; try again with fewer --jobs"
        ) from error
    except BaseException:  # Ctrl-C above all: what is under way is not waited for
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False)


def _begin() -> None:
    """One thread a process; Ctrl-C is the first process' to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
