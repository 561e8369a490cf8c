"""Who is scored: models as they are run, and folders of predictions from elsewhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.data.folders import Pair
from animatte.data.layouts import by_stem
from animatte.engine import load_network, model_file
from animatte.images import read_alpha
from animatte.looks import Looks
from animatte.predictor import Predictor
from animatte.strategies import named_strategy

Array: TypeAlias = NDArray[np.float32]
_MATTE = ".matte"  # as `animatte cut --matte` names its results


@dataclass(frozen=True)
class ModelOptions:
    """How models are run: as `animatte.load` takes it."""

    device: str = "auto"
    strategy: str | None = None
    refine: str | None = None
    looks: Looks = field(default_factory=Looks)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "device": self.device,
            "strategy": self.strategy,
            "refine": self.refine,
            "straighten": self.looks.straighten,
            "zoom": self.looks.zoom,
        }


@dataclass(frozen=True)
class Contestant:
    """A model, or a folder of predictions.

    Attributes:
        name: as tables show it.
        source: name or file of the model, or the folder.
        sha256: of the model's file; empty for a folder.
        options: how the model is run; None for a folder.
    """

    name: str
    source: str
    sha256: str = ""
    options: ModelOptions | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values: dict[str, Any] = {"name": self.name, "source": self.source}
        if self.options is None:
            return {**values, "kind": "predictions"}
        return {**values, "kind": "model", "sha256": self.sha256, **self.options.as_dict()}

    @property
    def settings(self) -> str:
        """What its alphas depend on, apart from the pictures."""
        return f"{self.sha256} {self.options}"

    def prediction(self, pair: Pair, picture_set: str) -> Path | None:
        """Return the file that a folder has for a picture; None of a model.

        Raises:
            ValueError: if there is none.
        """
        if self.options is not None:
            return None
        folder = Path(self.source)
        own = folder / picture_set
        searched = own if own.is_dir() else folder
        found = _predictions(searched, searched.stat().st_mtime_ns).get(pair.name)
        if found is None:
            raise ValueError(f"{pair.image} has no prediction in {searched}")
        return found

    def alpha(self, image: Array, prediction: Path | None, threads: int | None) -> Array:
        """Return (H, W) the alpha of a picture, (H, W, 3) in [0, 1], predicted now or read."""
        if prediction is not None:
            return read_alpha(prediction)
        return loaded(self, threads).alpha(image)


def model_contestant(model: str | None, options: ModelOptions) -> Contestant:
    """Take a model, having seen that it loads, and on which device.

    Raises:
        ValueError: if there is no such model, or an option does not fit.
    """
    path = model_file(model)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    entered = Contestant("", model or path.stem, sha256, options)
    found = loaded(entered, None)
    return replace(entered, name=found.name, options=replace(options, device=found.device))


def folder_contestant(folder: Path) -> Contestant:
    """Take a folder of predictions, named as their pictures are, with or without `.matte`.

    Predictions for several sets lie in folders named like these.

    Raises:
        ValueError: if there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give one of predicted alphas")
    return Contestant(folder.resolve().name, f"{folder}")


def distinctly_named(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Give those of one name their file or folder beside it.

    Raises:
        ValueError: if one is given twice.
    """
    counts = Counter(each.name for each in contestants)
    named = [
        each if counts[each.name] == 1 else replace(each, name=f"{each.name} ({each.source})")
        for each in contestants
    ]
    twice = [name for name, count in Counter(each.name for each in named).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]} is given twice; name each model and folder once")
    return named


@lru_cache(maxsize=1)  # contestants take their turns: a process holds one model at a time
def loaded(contestant: Contestant, threads: int | None) -> Predictor:
    """Load the model of a contestant."""
    options = contestant.options
    assert options is not None
    strategy = None if options.strategy is None else named_strategy(options.strategy)
    network = load_network(contestant.source, options.device, threads)
    return Predictor(network, strategy, options.refine, options.looks)


@lru_cache(maxsize=8)
def _predictions(folder: Path, _changed: int) -> dict[str, Path]:
    found = by_stem(folder)
    return {stem.removesuffix(_MATTE): path for stem, path in found.items()}
