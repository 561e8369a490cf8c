"""A folder of photos, and `animatte cut` run in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from animatte.batch import cut_photos
from animatte.cli import app

SIZE = (40, 56)


def picture(path: Path, seed: int = 0) -> Path:
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user is: dog.jpg, cat.jpg, a broken one, and no other file."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "dog.jpg", 1)
    picture(tmp_path / "cat.jpg", 2)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "dog.jpg").read_bytes()[:300])
    return tmp_path


@pytest.fixture
def cut(tiny_model: Path, folder: Path) -> Any:
    def run(*arguments: str, model: str = str(tiny_model)) -> Any:
        return CliRunner().invoke(app, ["cut", *arguments, "--model", model, "--device", "cpu"])

    return run


def made(folder: Path) -> list[str]:
    given = {"dog.jpg", "cat.jpg", "broken.jpg"}
    paths = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(set(paths) - given)


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the first photo."""

    def after_the_first(*arguments: Any, **options: Any) -> Iterator[Any]:
        yield from list(cut_photos(*arguments, **options))[:1]
        raise KeyboardInterrupt

    monkeypatch.setattr("animatte.batch.cut_photos", after_the_first)
