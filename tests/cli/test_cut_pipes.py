"""`animatte cut` in pipes: standard input, and pipes that have a path."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from PIL import Image
from tests.cli.conftest import SIZE, made
from typer.testing import CliRunner

from animatte.cli import app


@pytest.fixture
def piped(tiny_model: Path, folder: Path) -> Any:
    """Runs `animatte cut` with dog.jpg as standard input."""

    def run(*arguments: str) -> Any:
        options = ["--model", str(tiny_model), "--device", "cpu"]
        photo = Path("dog.jpg").read_bytes()
        return CliRunner().invoke(app, ["cut", *arguments, *options], input=photo)

    return run


def test_the_picture_of_the_background_is_not_overwritten(piped: Any, folder: Path) -> None:
    before = Path("cat.jpg").read_bytes()
    result = piped("-", "--background", "cat.jpg", "-o", "cat.jpg")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line == "error: output cat.jpg is a file to be read; choose another name"
    assert Path("cat.jpg").read_bytes() == before


def test_the_folder_of_the_result_is_made(piped: Any, folder: Path) -> None:
    result = piped("-", "-o", "new/er/rex.png")
    assert (result.exit_code, result.stdout_bytes) == (0, b""), result.output
    with Image.open("new/er/rex.png") as image:
        assert (image.mode, image.size) == ("RGBA", SIZE[::-1])


def test_a_folder_that_cannot_be_made_is_one_line(piped: Any, folder: Path) -> None:
    Path("new").touch()
    result = piped("-", "-o", "new/rex.png", "--background", "white")
    assert result.exit_code == 1
    assert "error: folder new cannot be made" in result.stderr
    assert made(folder) == ["new"]


@pytest.mark.parametrize("arguments", [["-"], ["dog.jpg", "-o", "-"], ["dog.jpg", "-o", "rex.png"]])
def test_where_memory_ends_there_is_one_line(
    piped: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    def ends(*_: object) -> None:
        raise MemoryError

    for module in ("batch", "cutting"):
        monkeypatch.setattr(f"animatte.{module}.cut_picture", ends)
    result = piped(*arguments)
    name = "standard input" if arguments == ["-"] else "dog.jpg"
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    (line,) = (line for line in result.stderr.splitlines() if line.startswith("error"))
    assert line.startswith(f"error: {name} does not fit into memory; close other programs")
    assert made(folder) == []


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="pipes have no path here")
@pytest.mark.parametrize("output", ["rex.png", "-"])
def test_a_pipe_that_is_given_as_a_file_is_cut(piped: Any, folder: Path, output: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, Path("dog.jpg").read_bytes())
    os.close(writing)
    result = piped(f"/dev/fd/{reading}", "-o", output)
    os.close(reading)
    assert result.exit_code == 0, result.output
    data = result.stdout_bytes if output == "-" else Path(output).read_bytes()
    with Image.open(BytesIO(data)) as image:
        assert (image.mode, image.size) == ("RGBA", SIZE[::-1])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_with_a_name_is_opened_once(folder: Path, tiny_model: Path) -> None:
    """In a process of its own, which would else wait for a second writer."""
    os.mkfifo("pipe.jpg")
    writer = Thread(target=Path("pipe.jpg").write_bytes, args=[Path("dog.jpg").read_bytes()])
    writer.start()
    command = [sys.executable, "-m", "animatte", "cut", "pipe.jpg", "-o", "rex.png"]
    subprocess.run([*command, "--model", str(tiny_model)], check=True, timeout=60)
    writer.join()
    with Image.open("rex.png") as image:
        assert image.size == SIZE[::-1]
