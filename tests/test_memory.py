"""A budget of memory, and how threads share it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest

from animatte.memory import SharedMemory, parsed_memory


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1GB", 10**9), ("1.5 g", 15 * 10**8), ("800MB", 8 * 10**8), ("2GiB", 2 * 10**9)],
)
def test_amounts_are_read(text: str, amount: int) -> None:
    assert parsed_memory(text) == amount


@pytest.mark.parametrize(
    ("text", "message"), [("much", "such as 800MB"), ("1", "too little"), ("10MB", "at least 300")]
)
def test_what_is_no_amount_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsed_memory(text)


def test_what_is_taken_never_exceeds_the_amount() -> None:
    shared, lock = SharedMemory(100, is_hard=True), Lock()
    taken = most = 0

    def take(needed: int) -> None:
        nonlocal taken, most
        with shared.taken(needed):
            with lock:
                taken += needed
                most = max(most, taken)
            Event().wait(0.002)
            with lock:
                taken -= needed

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, [10, 60, 30, 50, 100, 20, 40] * 6))
    assert 60 < most <= 100
    assert taken == 0


def test_what_is_too_large_is_refused_or_let_in_alone() -> None:
    with (
        pytest.raises(ValueError, match="about 200 MB, and --memory leaves 100 MB"),
        SharedMemory(10**8, is_hard=True).taken(2 * 10**8),
    ):
        pass
    with SharedMemory(100, is_hard=False).taken(200):
        pass


def test_whoever_waits_when_it_closes_does_not_begin() -> None:
    shared = SharedMemory(100, is_hard=True)

    def begin() -> None:
        with shared.taken(60):
            pass

    with ThreadPoolExecutor(1) as pool, shared.taken(60):
        waiting = pool.submit(begin)
        shared.close()
        with pytest.raises(RuntimeError, match="nothing more is begun"):
            waiting.result()
