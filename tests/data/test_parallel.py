"""Work over several processes."""

from __future__ import annotations

import os

import pytest

from animatte.data.parallel import mapped


def tenth(number: int) -> tuple[float, int]:
    return number / 10, os.getpid()


def killed(number: int) -> int:
    os._exit(number)


def test_results_come_in_order_from_other_processes() -> None:
    results = list(mapped(tenth, range(20), jobs=2))
    assert [value for value, _ in results] == [number / 10 for number in range(20)]
    assert os.getpid() not in {process for _, process in results}


def test_one_job_is_this_process() -> None:
    assert {process for _, process in mapped(tenth, range(5), jobs=1)} == {os.getpid()}


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(mapped(tenth, [], jobs=3)) == []


def test_a_killed_process_is_one_line_with_the_remedy() -> None:
    with pytest.raises(OSError, match="fewer --jobs"):
        list(mapped(killed, [1, 1], jobs=2))


def test_no_process_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="jobs is 0; at least 1"):
        list(mapped(tenth, [1], jobs=0))
