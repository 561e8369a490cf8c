"""A folder of pictures and a model, for tests of labels and mattes."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.data.consensus import Models, models_of
from animatte.data.folders import paired
from animatte.data.mattes import Outcome, matte_tasks, prepared_mattes
from animatte.data.verdicts import Table
from animatte.images import Photo

Draw: TypeAlias = Callable[..., None]
HEIGHT, WIDTH = 24, 32


class Green:
    """Finds what is green; where nothing is, the left half, which its mirror image gainsays."""

    device = "cpu"

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def alpha(self, image: Photo) -> NDArray[np.float32]:
        self._seen.append(Path(image.name).stem)
        alpha = image.image[:, :, 1].copy()
        if not alpha.any():
            alpha[:, : image.size[1] // 2] = 1
        return alpha


class World:
    """A folder `pets` of pictures, some with labels, and a model; results go to `out`."""

    def __init__(self, folder: Path, draw: Draw) -> None:
        self.root, self.output = folder / "pets", folder / "out"
        self.seen: list[str] = []
        self._draw, self._model = draw, folder / "model.onnx"
        self.learn("one")
        for name in ("labelled", "unclear-labelled", "bare", "unclear"):
            self.picture(name, is_clear="unclear" not in name)
        for name in ("labelled", "unclear-labelled"):
            self.label(name)

    def picture(self, name: str, is_clear: bool = True, suffix: str = ".png") -> None:
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        if is_clear:
            cv2.circle(picture, (10, 12), 6, (0, 255, 0), -1)
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.uint8)
        (self.root / "image").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self.root / f"image/{name}{suffix}"), picture)

    def label(self, name: str, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
        self._draw(self.root / f"alpha/{name}.png", -1, shape=shape)

    def learn(self, what: str) -> None:
        self._model.write_bytes(what.encode())

    @property
    def models(self) -> Models:
        def load(model: Path, *, threads: int | None = None) -> Green:
            return Green(self.seen)

        return models_of(load, [self._model])

    def outcomes(self, verdicts: str | None = None, **options: Any) -> Any:
        table = None
        if verdicts is not None:
            path = self.root.parent / "verdicts.csv"
            rows = (f"pets,{pair.replace('=', ',')}\n" for pair in verdicts.split())
            path.write_text("set,name,verdict\n" + "".join(rows))
            table = Table(path, "pets")
        tasks = matte_tasks(self.root, self.output, verdicts=table, **options)
        return prepared_mattes(tasks, self.models, jobs=1)

    def run(self, verdicts: str | None = None, **options: Any) -> dict[str, Outcome]:
        """By name; the models have seen what `seen` says, each as often as it was shown it."""
        self.seen.clear()
        return {each.name: each for each in self.outcomes(verdicts, **options)}

    @property
    def index(self) -> dict[str, tuple[str, str]]:
        with (self.output / "index.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [list(row) for row in rows] == [["name", "source", "agreement"]] * len(rows)
        return {row["name"]: (row["source"], row["agreement"]) for row in rows}

    def assert_consistent(self) -> None:
        """The output is a source, all that is in it is in the index, and no file is left over."""
        names = sorted(self.index)
        assert sorted(pair.name for pair in paired(self.output)) == names
        for folder in ("image", "alpha"):
            assert sorted(path.stem for path in (self.output / folder).iterdir()) == names
        left = sorted(path.name for path in self.output.iterdir())
        assert left == ["alpha", "image", "index.csv", "mattes.jsonl"]
        for pair in paired(self.output):
            assert pair.image.read_bytes() == (self.root / "image" / pair.image.name).read_bytes()


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
