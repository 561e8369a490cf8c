"""A desk with a few workers and a short bench: who would wait too long is sent away at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from animatte.serve.limits import Limits
from animatte.serve.pace import Pace

Result = TypeVar("Result")
_LONGEST_RETRY = 60.0


class DeskFullError(Exception):
    """The wait for a worker would be too long.

    Attributes:
        seconds: after which to come again.
    """

    def __init__(self, wait: float) -> None:
        self.seconds = min(max(1.0, wait / 2), _LONGEST_RETRY)
        super().__init__(f"come again in {self.seconds:.1f} s")


class NoPlaceError(DeskFullError):
    """All places are taken, also those to wait."""


@dataclass(eq=False)
class _Photo:
    """A photo that was accepted.

    Attributes:
        pixels: of it.
        start: when a worker took it; None while it waits.
    """

    pixels: int
    start: float | None = None


class Desk:
    """Takes in requests up to a number, and works on a few of them at a time.

    A photo is accepted only if it is expected to find a worker within `limits.wait` seconds; what
    is accepted is worked on. Everything but looking and working happens in one event loop.

    Args:
        limits: `workers`, `queue`, `wait` and `seconds` of them.
        pace: what is known of it; None for nothing.
    """

    def __init__(self, limits: Limits, pace: Pace | None = None) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="cut")
        self._reception = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._free = asyncio.Semaphore(limits.workers)
        self._pace = pace or Pace()
        self._photos: set[_Photo] = set()
        self.inside = 0

    @property
    def working(self) -> int:
        """Number of photos that workers have in hand."""
        return sum(photo.start is not None for photo in self._photos)

    @property
    def wait(self) -> float:
        """Seconds until a worker is free for a photo that comes now, as far as can be told."""
        if len(self._photos) < self._limits.workers:
            return 0.0
        now, late, left, workers = monotonic(), 1.0, 0.0, self._limits.workers
        for photo in self._photos:
            if photo.start is not None:
                expected, taken = self._pace.seconds(photo.pixels), now - photo.start
                if taken > self._limits.seconds:  # given up: nobody knows when its worker is free
                    workers -= 1
                    continue
                late = max(late, taken / expected)
                left += abs(expected - taken)  # what is late will be so once more
        waiting = (photo.pixels for photo in self._photos if photo.start is None)
        if not workers:
            return 2 * max(self._limits.wait, _LONGEST_RETRY)
        return (left + late * sum(map(self._pace.seconds, waiting))) / workers

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place from the first byte of a request until its answer is ready.

        Raises:
            NoPlaceError: if there is none.
        """
        if self.inside >= self._limits.workers + self._limits.queue:
            raise NoPlaceError(self.wait)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def looked(self, look: Callable[[], Result]) -> Result:
        """Have a short look in a thread of its own, beside the workers."""
        return await asyncio.get_running_loop().run_in_executor(self._reception, look)

    async def done(self, work: Callable[[], Result], pixels: int) -> Result:
        """Run work on a photo of so many pixels in a thread, as soon as one is free.

        A thread cannot be stopped: after a timeout it works on, and its place stays taken, so
        that there never are more photos in memory than workers.

        Raises:
            DeskFullError: if it would have to wait too long; or if it did, as workers hang.
            TimeoutError: if the work takes longer than the limit.
        """
        if self.wait > self._limits.wait:
            raise DeskFullError(self.wait)
        photo = _Photo(pixels)
        self._photos.add(photo)
        try:
            await asyncio.wait_for(self._free.acquire(), self._limits.wait + self._limits.seconds)
        except asyncio.TimeoutError as error:
            self._photos.remove(photo)
            raise DeskFullError(self.wait) from error
        except BaseException:
            self._photos.remove(photo)
            raise
        try:
            future = self._begun(work, photo)
            return await asyncio.wait_for(asyncio.shield(future), self._limits.seconds)
        except asyncio.TimeoutError as error:  # before Python 3.11 not the built-in one
            raise TimeoutError from error

    def _begun(self, work: Callable[[], Result], photo: _Photo) -> asyncio.Future[Result]:
        photo.start = start = monotonic()

        def leave(future: asyncio.Future[Result] | None = None) -> None:
            self._photos.remove(photo)
            self._free.release()
            # What could not be cut says nothing of how long a photo takes.
            if future is not None and not future.cancelled() and future.exception() is None:
                self._pace.learn(photo.pixels, monotonic() - start)

        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            leave()
            raise
        future.add_done_callback(leave)
        return future

    def close(self) -> None:
        """Wait for the work under way, and take no more."""
        self._reception.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True, cancel_futures=True)
