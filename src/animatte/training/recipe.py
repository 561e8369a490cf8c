"""Recipes: everything a training depends on, in one checked YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from animatte.training.data_sections import DataSection
from animatte.training.section import Positive, Probability, Section
from animatte.training.stage_sections import StageSection


class NetworkSection(Section):
    """Which network is trained, and from what.

    Attributes:
        name: a key of `GFM_CONFIGS` or `LFM_CONFIGS` in `animatte.models.registry`.
        rosta: the representation, of GFM only; null for TT.
        encoder_weights: file of encoder weights with torchvision's names, "imagenet" to fetch
            torchvision's from torch's hub, or null for fresh ones.
        frozen: names of the encoder's modules whose parameters stay as they are.
        initial: checkpoint of the same network to start from, or several, of which the mean of
            the weights is taken (model soups, Wortsman et al. 2022), or null.
        initial_share: share of these first weights in the model that is written at the end, for
            what a further training forgets (WiSE-FT, Wortsman et al. 2022).
    """

    name: str
    rosta: Literal["TT", "FT", "BT"] | None = None
    encoder_weights: Path | None = None
    frozen: tuple[str, ...] = ()
    initial: Path | tuple[Path, ...] | None = None
    initial_share: Probability = 0.0


class ValidationSection(Section):
    """When and on what the averaged weights are scored.

    Attributes:
        root: folder that the folders are in.
        folders: each with `image` and `alpha` (or `trimap`).
        every: steps between two validations.
        pictures: how many of each folder; the first by name.
        view: longer side of the network's view.
    """

    root: Path
    folders: tuple[Path, ...]
    every: Positive = 1000
    pictures: Positive = 40
    view: Positive = 416


class Recipe(Section):
    """A whole training.

    Attributes:
        name: of the model that comes out.
        seed: of every random choice.
        network: what is trained.
        data: what is trained on.
        stages: one after the other; most trainings have one.
        validation: how it is watched, or null.
        precision: "bf16" runs the network under bfloat16 autocast.
        save_every: steps between two checkpoints.
    """

    name: str
    seed: int = 0
    network: NetworkSection
    data: DataSection
    stages: Annotated[tuple[StageSection, ...], Field(min_length=1)]
    validation: ValidationSection | None = None
    precision: Literal["float32", "bf16"] = "float32"
    save_every: Positive = 500

    @property
    def decisive(self) -> str:
        """The recipe without what may change between a stop and its resumption: where files are.

        JSON, to be compared.
        """
        places: dict[str, Any] = {
            "network": {"encoder_weights", "initial"},
            "data": {
                "root": True,
                "backgrounds": True,
                "workers": True,
                "cache": True,
                "composition": {"objects", "denoised_backgrounds"},
            },
            "validation": True,
            "save_every": True,
        }
        return self.model_dump_json(exclude=places)


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: YAML file.
        overrides: "key.inner=value" each, value in YAML.

    Raises:
        ValueError: naming the file, the key and what was expected.
    """
    if not path.is_file():
        raise ValueError(f"{path} is no file; give the path of a recipe (YAML)")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping; a recipe starts with 'name: ...'")  # noqa: TRY004  the file is at fault
    for override in overrides:
        _override(values, override)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        given = repr(first["input"])
        raise ValueError(f"{path}: {key}: {first['msg']} (given: {given:.80})") from error


def _override(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise ValueError(f"override {override!r} has no '='; write key=value")
    *outer, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    node: Any = values
    try:
        for part in outer:
            node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
        node[last] = yaml.safe_load(text)
    except (IndexError, TypeError) as error:
        raise ValueError(f"override {override!r}: the recipe has no place {key!r}") from error
