"""Who waits at the desk, and for whom."""

from __future__ import annotations

import asyncio
import threading

import pytest

from animatte.serve.desk import Desk
from animatte.serve.limits import Limits

PIXELS = 1000


async def _begun(desk: Desk, gate: threading.Event) -> asyncio.Task[bool]:
    before = desk.working
    task = asyncio.create_task(desk.done(lambda: gate.wait(20), PIXELS))
    while desk.working == before:
        await asyncio.sleep(0.01)
    return task


@pytest.mark.parametrize("workers", [1, 2])
def test_a_photo_that_hangs_counts_as_a_worker_less_and_not_as_work(workers: int) -> None:
    gate = threading.Event()
    limits = Limits(workers=workers, queue=4, seconds=1, wait=5)

    async def run() -> float:
        desk = Desk(limits)
        with pytest.raises(asyncio.TimeoutError):
            await (await _begun(desk, gate))
        others = [await _begun(desk, gate) for _ in range(workers - 1)]
        wait = desk.wait
        gate.set()
        await asyncio.gather(*others)
        return wait

    wait = asyncio.run(run())
    assert (wait > limits.wait) == (workers == 1)  # nobody is left, or one who has begun
