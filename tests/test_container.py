"""The Dockerfile cannot be built by a test; what it says is read, and its health check run."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from tests.serve.conftest import middle_predictor, running
from typer.testing import CliRunner

from animatte import __version__
from animatte.cli import app
from animatte.serve.limits import Limits

ROOT = Path(__file__).resolve().parents[1]
LINES = [
    line.split(maxsplit=1)
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def said(word: str) -> list[str]:
    return [rest for name, rest in LINES if name == word]


def words(word: str) -> list[str]:
    """The last of an instruction in its form without a shell."""
    found = json.loads(said(word)[-1])
    assert isinstance(found, list)
    return found


def health_check(port: int) -> list[str]:
    command = json.loads(said("HEALTHCHECK")[-1].partition(" CMD ")[2])
    assert command[0] == "python"
    assert ":8000/healthz" in command[-1]
    return [sys.executable, *command[1:-1], command[-1].replace(":8000/", f":{port}/")]


def test_it_runs_as_a_user_who_is_not_root() -> None:
    names = [name for name, _ in LINES]
    user, *_ = said("USER")[-1].split(":")
    assert user not in ("root", "0")
    assert "RUN" not in names[names.index("USER") :]
    assert f"--uid {user} " in said("RUN")[-1]


def test_what_it_runs_is_a_command_that_is_there() -> None:
    assert words("ENTRYPOINT") == ["animatte"]
    shown = CliRunner().invoke(app, [*words("CMD"), "--help"])
    assert shown.exit_code == 0, shown.output
    assert said("EXPOSE") == ["8000"]


def test_its_label_has_the_version_of_the_package() -> None:
    found = re.search(r'image\.version="([^"]*)"', said("LABEL")[-1])
    assert found is not None
    assert found[1] == __version__


def test_all_that_it_copies_exists_and_is_let_into_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [
        source
        for line in said("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert {"pyproject.toml", "src", "recipes"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored
        assert not any(fnmatchcase(source, line) for line in ignored if line not in ("*", ""))


def test_the_health_check_passes_while_the_server_answers() -> None:
    with running(middle_predictor(), Limits()) as address:
        check = health_check(int(address.rpartition(":")[2]))
        assert subprocess.run(check, check=False, timeout=20).returncode == 0


def test_the_health_check_fails_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = subprocess.run(health_check(port), check=False, capture_output=True, timeout=20)
    assert done.returncode == 1


@pytest.mark.parametrize("extra", re.findall(r"\.\[([a-z,]+)\]", " ".join(said("RUN"))))
def test_it_installs_an_extra_that_is_there(extra: str) -> None:
    assert re.search(rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
