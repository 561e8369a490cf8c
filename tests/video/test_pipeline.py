import threading
import time
from collections.abc import Iterator

import pytest

from animatte.video.pipeline import in_background


def test_results_come_in_their_order() -> None:
    with in_background(iter(range(100)), 3, "count") as numbers:
        assert list(numbers) == list(range(100))


def test_a_step_runs_ahead_but_not_further_than_it_may() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with in_background(numbers(), 2, "count") as results:
        assert next(results) == 0
        time.sleep(0.05)
        assert len(made) <= 4  # one taken, two waiting, one in hand


def test_what_a_step_raises_is_raised_where_its_results_are_taken() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("the second is bad")

    with in_background(failing(), 1, "fail") as results:
        assert next(results) == 1
        with pytest.raises(ValueError, match="the second is bad"):
            next(results)


def test_leaving_early_ends_the_threads_of_all_steps_and_closes_what_they_ran() -> None:
    closed = []

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.append(threading.current_thread().name)

    with (
        in_background(endless(), 1, "first") as first,
        in_background((2 * number for number in first), 1, "second") as second,
    ):
        assert next(second) == 2
    assert closed == ["first"]
    assert not {"first", "second"} & {thread.name for thread in threading.enumerate()}
