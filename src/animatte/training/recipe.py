"""Recipes: everything a training depends on, in one checked YAML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from animatte.losses.late_fusion import DEFAULT_READING
from animatte.models.registry import GFMConfig, NetworkConfig, network_config
from animatte.training.complaints import complaint
from animatte.training.data_sections import DataSection
from animatte.training.objective import term_names
from animatte.training.recipe_files import recipe_values
from animatte.training.section import Fraction, Positive, Probability, Section
from animatte.training.stage_sections import StageSection


class NetworkSection(Section):
    """Which network is trained, and from what.

    Attributes:
        name: a key of `GFM_CONFIGS` or `LFM_CONFIGS` in `animatte.models.registry`.
        rosta: the representation, of GFM only, or RIM for all three integrated; null for TT.
        width: of GFM's context and decoders, as a multiple of what the name says.
        encoder_weights: file of encoder weights with torchvision's names, "imagenet" to fetch
            torchvision's from torch's hub, or null for fresh ones. Not read if there is `initial`,
            unless `encoder_anew`.
        encoder_anew: beside `initial`: of it all but the encoder is taken, which begins once more
            from `encoder_weights`; so decoders that know their task already meet features that no
            training has changed (Kumar et al. 2022, LP-FT).
        frozen: names of the encoder's modules whose parameters stay as they are.
        initial: checkpoint of the same network to start from, or of a narrower one, which is grown
            (see `animatte.models.growth`); or several, of which the mean of the weights is taken
            (model soups, Wortsman et al. 2022); or null.
        initial_share: share of these first weights in the model that is written at the end, for
            what a further training forgets (WiSE-FT, Wortsman et al. 2022); of all of `initial`,
            the encoder too, even if that begins anew.
    """

    name: str
    rosta: Literal["TT", "FT", "BT", "RIM"] | None = None
    width: Fraction = 1.0
    encoder_weights: Path | None = None
    encoder_anew: bool = False
    frozen: tuple[str, ...] = ()
    initial: Path | tuple[Path, ...] | None = None
    initial_share: Probability = 0.0

    @property
    def config(self) -> NetworkConfig:
        """The network's configuration."""
        config = network_config(self.name, self.rosta)
        if self.width == 1:
            return config
        if isinstance(config, GFMConfig):
            return config.widened(self.width)
        raise ValueError(f"width is {self.width}, but {self.name} has one width; leave it out")

    @model_validator(mode="after")
    def _is_known(self) -> NetworkSection:
        _ = self.config
        if self.encoder_anew and None in (self.initial, self.encoder_weights):
            raise ValueError(
                "encoder_anew takes all but the encoder from initial, and the encoder from "
                "encoder_weights; give both, or leave it out"
            )
        return self


class ValidationSection(Section):
    """When and on what the averaged weights are scored.

    Attributes:
        root: folder that the folders are in.
        folders: each with `image` and `alpha` (or `trimap`).
        every: steps between two validations.
        pictures: how many of each folder; the first by name.
        view: longer side of the network's view.
        best: the score whose mean over all pictures says which model is kept as the best.
    """

    root: Path
    folders: tuple[Path, ...]
    every: Positive = 1000
    pictures: Positive = 40
    view: Positive = 416
    best: Literal["sad", "mse", "mad", "iou"] = "mad"


class Recipe(Section):
    """A whole training.

    Attributes:
        name: of the model that comes out.
        seed: of every random choice.
        network: what is trained.
        data: what is trained on.
        stages: one after the other; most trainings have one.
        validation: how it is watched, or null.
        precision: "bf16" or "fp16" (GPUs only) run the network in half of the bits.
        accumulation: parts in which a step's batch is learned one after the other, in as much less
            memory; batch norm sees the parts.
        compile: whether the network is compiled (`torch.compile`) before it is trained.
        explosion: a loss so many times its running mean stops the training; null for no such limit.
        log_every: steps between two records.
        save_every: steps between two checkpoints.
        keep: how many checkpoints are kept, the last ones.
    """

    name: str
    seed: int = 0
    network: NetworkSection
    data: DataSection
    stages: Annotated[tuple[StageSection, ...], Field(min_length=1)]
    validation: ValidationSection | None = None
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    accumulation: Positive = 1
    compile: bool = False
    explosion: Fraction | None = 20.0
    log_every: Positive = 50
    save_every: Positive = 500
    keep: Positive = 2

    @model_validator(mode="after")
    def _parts_are_of_one_size(self) -> Recipe:
        for stage in self.stages:
            for phase in stage.phases:
                if phase.batch % self.accumulation:
                    raise ValueError(
                        f"accumulation is {self.accumulation}, which does not divide a batch of "
                        f"{phase.batch}; choose a divisor of every phase's batch"
                    )
        return self

    @model_validator(mode="after")
    def _has_losses_of_its_network(self) -> Recipe:
        known = term_names(self.network.config)
        network = " ".join(filter(None, (self.network.name, self.network.rosta)))
        for index, stage in enumerate(self.stages):
            if stage.reading != DEFAULT_READING and isinstance(self.network.config, GFMConfig):
                raise ValueError(f"stages.{index}.reading is of late fusion's losses; leave it out")
            unknown = next((name for name in stage.loss if name not in known), None)
            if unknown is None:
                continue
            near = get_close_matches(unknown, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            raise ValueError(f"stages.{index}.loss.{unknown}: {network} has no such term; {hint}")
        return self

    @property
    def decisive(self) -> dict[str, Any]:
        """What may not change between a stop and its resumption: all but where files are.

        Plain values, to be compared. How the training is run and watched is not among them.
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
        }
        manners = ("validation", "compile", "explosion", "log_every", "save_every", "keep")
        return self.model_dump(mode="json", exclude={**places, **dict.fromkeys(manners, True)})

    @property
    def judged(self) -> str:
        """By what, and on what, the best model is judged: one text, to be compared."""
        section = self.validation
        return "" if section is None else section.model_dump_json(exclude={"root", "every"})


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
