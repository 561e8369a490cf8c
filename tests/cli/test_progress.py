"""The bar of verbs that work on many files."""

import sys
from io import StringIO

import pytest

from animatte.cli.progress import progress_bar


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: StringIO, task: str = "", **how: bool) -> str:
    """What three of four look like on a stream; it is put in place here, as pytest changes it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(task, **how) as show:
        show(3, 4)
    return stream.getvalue()


def test_a_terminal_is_shown_the_task_and_how_much_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = drawn(monkeypatch, _Terminal(), "scores")
    assert "scores" in line
    assert "75 %" in line


def test_a_counted_task_shows_how_many_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    line = drawn(monkeypatch, _Terminal(), counted=True)
    assert "3/4" in line
    assert "%" not in line


def test_nothing_is_drawn_where_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, _Terminal(), "scores", shown=False) == ""


def test_nothing_is_drawn_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, StringIO(), "scores") == ""
