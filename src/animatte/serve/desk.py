"""A desk with a few workers and a short bench: who finds the bench full is sent away at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from animatte.serve.limits import Limits

Result = TypeVar("Result")


class DeskFullError(Exception):
    """All workers are busy and all places to wait are taken."""


class Desk:
    """Takes in requests up to a number, and works on a few of them at a time.

    Everything but the work itself happens in one event loop.

    Args:
        limits: `workers`, `queue` and `seconds` of them.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="cut")
        self._free = asyncio.Semaphore(limits.workers)
        self.inside = 0
        self.working = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place from the first byte of a request until its answer is ready.

        Raises:
            DeskFullError: if there is none.
        """
        if self.inside >= self._limits.workers + self._limits.queue:
            raise DeskFullError
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def done(self, work: Callable[[], Result]) -> Result:
        """Run work in a thread as soon as one is free.

        A thread cannot be stopped: after a timeout it works on, and its place stays taken, so
        that there never are more photos in memory than workers.

        Raises:
            TimeoutError: if it takes longer than the limit, waiting included.
        """
        try:
            return await asyncio.wait_for(self._done(work), self._limits.seconds)
        except asyncio.TimeoutError as error:  # before Python 3.11 not the built-in one
            raise TimeoutError from error

    async def _done(self, work: Callable[[], Result]) -> Result:
        await self._free.acquire()
        self.working += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(lambda _: self._leave())
        return await asyncio.shield(future)

    def _leave(self) -> None:
        self.working -= 1
        self._free.release()

    def close(self) -> None:
        """Wait for the work under way, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
