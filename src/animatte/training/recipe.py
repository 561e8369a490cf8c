"""Recipes: everything a training depends on, in one checked YAML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from animatte.models.registry import NetworkConfig, network_config
from animatte.training.complaints import complaint
from animatte.training.data_sections import DataSection
from animatte.training.objective import term_names
from animatte.training.recipe_files import recipe_values
from animatte.training.section import Positive, Probability, Section
from animatte.training.stage_sections import StageSection


class NetworkSection(Section):
    """Which network is trained, and from what.

    Attributes:
        name: a key of `GFM_CONFIGS` or `LFM_CONFIGS` in `animatte.models.registry`.
        rosta: the representation, of GFM only, or RIM for all three integrated; null for TT.
        encoder_weights: file of encoder weights with torchvision's names, "imagenet" to fetch
            torchvision's from torch's hub, or null for fresh ones.
        frozen: names of the encoder's modules whose parameters stay as they are.
        initial: checkpoint of the same network to start from, or several, of which the mean of
            the weights is taken (model soups, Wortsman et al. 2022), or null.
        initial_share: share of these first weights in the model that is written at the end, for
            what a further training forgets (WiSE-FT, Wortsman et al. 2022).
    """

    name: str
    rosta: Literal["TT", "FT", "BT", "RIM"] | None = None
    encoder_weights: Path | None = None
    frozen: tuple[str, ...] = ()
    initial: Path | tuple[Path, ...] | None = None
    initial_share: Probability = 0.0

    @property
    def config(self) -> NetworkConfig:
        """The network's configuration."""
        return network_config(self.name, self.rosta)

    @model_validator(mode="after")
    def _is_known(self) -> NetworkSection:
        network_config(self.name, self.rosta)
        return self


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

    @model_validator(mode="after")
    def _has_losses_of_its_network(self) -> Recipe:
        known = term_names(self.network.config)
        network = " ".join(filter(None, (self.network.name, self.network.rosta)))
        for index, stage in enumerate(self.stages):
            unknown = next((name for name in stage.loss if name not in known), None)
            if unknown is None:
                continue
            near = get_close_matches(unknown, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            raise ValueError(f"stages.{index}.loss.{unknown}: {network} has no such term; {hint}")
        return self

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


def read_recipe(recipe: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        recipe: a YAML file, or the name of a shipped recipe, as "gfm-r34-tt".
        overrides: "key.inner=value" each, value in YAML.

    Raises:
        ValueError: naming the recipe, the key and what was expected.
    """
    values = recipe_values(recipe, overrides)
    try:
        # As JSON, since that is checked strictly and still has lists for tuples, text for paths.
        return Recipe.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise ValueError(f"{recipe}: {complaint(error, Recipe, values)}") from error
