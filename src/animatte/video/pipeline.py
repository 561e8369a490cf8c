"""Steps that work at the same time: each in a thread, handing its results on through a queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _End(NamedTuple):
    error: BaseException | None


class _Step(Generic[T]):
    """A thread that runs an iterator ahead of who takes from it, by `depth` items at most."""

    def __init__(self, items: Iterator[T], depth: int, name: str) -> None:
        self._items = items
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def results(self) -> Iterator[T]:
        """What the iterator gives, in its order; whatever it raises is raised here."""
        while True:
            item = self._queue.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error

    def stop(self) -> None:
        """End the thread after the item that it is at."""
        self._stopped.set()
        while self._thread.is_alive():
            with suppress(queue.Empty):  # make room for an item that waits to be handed on
                self._queue.get(timeout=0.01)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                self._queue.put(item)
                if self._stopped.is_set():
                    break
        except BaseException as raised:
            error = raised
        finally:
            if hasattr(self._items, "close"):
                self._items.close()
        self._queue.put(_End(error))


@contextmanager
def in_background(items: Iterator[T], depth: int, name: str) -> Iterator[Iterator[T]]:
    """Run an iterator in a thread of its own for as long as the block lasts.

    Args:
        items: runs ahead, and is closed by the thread that ran it.
        depth: how many results may wait.
        name: of the thread.

    Yields:
        Its results.
    """
    step = _Step(items, depth, name)
    try:
        yield step.results()
    finally:
        step.stop()
