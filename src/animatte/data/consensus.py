"""Several models' mattes of a picture and its mirror image: their mean, and how far they agree."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.images import Photo

Array: TypeAlias = NDArray[np.float32]

_CUT = 0.5


class Predicting(Protocol):
    """What finds a matte."""

    @property
    def device(self) -> str:
        """Where it runs."""

    def alpha(self, image: Photo) -> Array:
        """Return (H, W) alpha in [0, 1], at the picture's own size."""


class Loader(Protocol):
    """Makes one of a model's file; such as `animatte.predictor.load`. Can be pickled."""

    def __call__(self, model: Path, *, threads: int | None = None) -> Predicting:
        """Load a file, to be run by so many CPU threads; None for one a core."""


@dataclass(frozen=True)
class Models:
    """The models whose mean is taken; each process loads them once.

    Attributes:
        load: makes one of a file.
        files: at least one.
        digests: SHA-256 of each.
        threads: CPU threads of each; None for one a core.
    """

    load: Loader
    files: tuple[Path, ...]
    digests: tuple[str, ...]
    threads: int | None = None

    def predictors(self) -> tuple[Predicting, ...]:
        """Return one a file, loaded where this process has not yet done so.

        Raises:
            ValueError: if one cannot be loaded.
        """
        return _loaded(self)

    def key(self, content: bytes) -> str:
        """Name all that a matte depends on.

        Args:
            content: of the picture's file, and what else matters beside these models.
        """
        return hashlib.sha256("\n".join([*self.digests, ""]).encode() + content).hexdigest()

    def views(self, photo: Photo) -> Iterator[Array]:
        """Yield (H, W) alpha of every model of the picture and of its mirror image, turned back."""
        mirrored = _mirrored(photo)
        for predictor in self.predictors():
            yield predictor.alpha(photo)
            yield predictor.alpha(mirrored)[:, ::-1]


def models_of(load: Loader, files: Sequence[Path]) -> Models:
    """Take models by their files.

    Raises:
        OSError: if a file cannot be read.
    """
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return Models(load, tuple(files), tuple(digests))


class Found(NamedTuple):
    """What an earlier run found of a picture.

    Attributes:
        name: the picture's, without suffix.
        key: of all that it depends on: the contents of the picture, and of the models or the label,
            and what is drawn over.
        agreement: of the views, in [0, 1]; 1 for a label.
        sha256: of the matte's file, written or not.
    """

    name: str
    key: str
    agreement: float
    sha256: str


def mean_and_agreement(views: Iterable[Array]) -> tuple[Array, float]:
    """Return the mean (H, W) of alphas, and how far they agree, in [0, 1].

    Agreement is the least intersection over union, of what is more than half opaque, of any one
    with the mean; of two that are empty it is 1.
    """
    total: Array | None = None
    inside: list[NDArray[np.bool_]] = []
    for view in views:
        inside.append(view > _CUT)
        total = view.astype(np.float32) if total is None else total + view
    assert total is not None
    mean = total / np.float32(len(inside))
    return mean, min(_overlap(each, mean > _CUT) for each in inside)


def read_record(path: Path) -> dict[str, Found]:
    """What was found of each picture last; lines that are none, as a kill may leave, are passed."""
    found = {}
    for text in path.read_bytes().splitlines() if path.is_file() else ():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            line = json.loads(text)
            name = str(line["name"])
            found[name] = Found(name, str(line["key"]), float(line["agreement"]), line["sha256"])
    return found


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def _mirrored(photo: Photo) -> Photo:
    own = None if photo.own_alpha is None else np.ascontiguousarray(photo.own_alpha[:, ::-1])
    return replace(photo, seen=np.ascontiguousarray(photo.seen[:, ::-1]), own_alpha=own)


@lru_cache(maxsize=1)
def _loaded(models: Models) -> tuple[Predicting, ...]:
    return tuple(models.load(path, threads=models.threads) for path in models.files)
