"""Limits of a server that are none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from typer.testing import CliRunner

from animatte.cli import app
from animatte.serve.limits import Limits


@pytest.mark.parametrize("name", ["upload_seconds", "wait", "seconds"])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_time_that_never_ends_is_refused(name: str, value: float) -> None:
    limits: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} is {value}; it must be a finite number"):
        Limits(**limits)


@pytest.mark.parametrize(
    ("name", "least"), [("queue", 0), ("wait", 0), ("body", 1), ("seconds", 1)]
)
def test_the_least_is_taken_and_less_refused(name: str, least: int) -> None:
    assert getattr(Limits(**{name: least}), name) == least
    with pytest.raises(ValueError, match=f"{name} is {least - 1}; it must be at least {least}"):
        Limits(**{name: least - 1})


@pytest.mark.parametrize("option", ["--timeout", "--wait"])
def test_serve_refuses_it_before_a_model_is_loaded(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animatte.predictor.load", lambda *_, **__: pytest.fail("a model"))
    done = CliRunner().invoke(app, ["serve", "--port", "0", option, "inf"])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("is inf; it must be a finite number, like 120")
