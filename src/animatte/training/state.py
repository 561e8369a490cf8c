"""What a training is at a moment, on disk and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from animatte.models.gfm import GFM
from animatte.training.recipe import OptimiserSection, Recipe


@dataclass
class TrainingState:
    """Network, averaged network, optimiser, and how many steps are done.

    Attributes:
        network: what is trained.
        average: exponential moving average of its weights and buffers.
        optimiser: its groups carry a `base_rate`.
        step: steps done.
    """

    network: GFM
    average: AveragedModel
    optimiser: AdamW
    step: int = 0

    @property
    def averaged(self) -> GFM:
        """The network of the averaged weights."""
        network = self.average.module
        assert isinstance(network, GFM)
        return network

    def save(self, path: Path, recipe: Recipe) -> None:
        """Write beside, then rename, so that a stop at any moment leaves a whole file."""
        beside = path.with_name(path.name + ".part")
        contents = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "recipe": recipe.model_dump_json(),
        }
        torch.save(contents, beside)
        beside.replace(path)

    def load(self, path: Path, recipe: Recipe) -> None:
        """Take over what `save` wrote.

        Raises:
            ValueError: if the file is of another recipe or network, or not whole.
        """
        try:
            contents: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if Recipe.model_validate_json(contents["recipe"]).decisive != recipe.decisive:
                raise ValueError("it was begun with another one")  # noqa: TRY301
            self.network.load_state_dict(contents["network"])
            self.average.load_state_dict(contents["average"])
            self.optimiser.load_state_dict(contents["optimiser"])
            self.step = contents["step"]
        except (RuntimeError, KeyError, EOFError, ValueError, UnpicklingError) as error:
            first = next(iter(str(error).splitlines()), "it is empty")
            raise ValueError(
                f"{path} is no training state of this recipe ({first}); "
                "choose another folder or remove the file"
            ) from error


def fresh_state(network: GFM, config: OptimiserSection) -> TrainingState:
    """Return the state before the first step."""
    averaging = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)
    return TrainingState(network, average, AdamW(parameter_groups(network, config), fused=True))


def parameter_groups(network: GFM, config: OptimiserSection) -> list[dict[str, Any]]:
    """Group by rate (encoder or not) and by decay (convolution weights or the rest)."""
    detail = set(map(id, _detail_parameters(network.trunk.encoder)))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        pretrained = name.startswith("trunk.encoder.") and id(parameter) not in detail
        rate = config.encoder_rate if pretrained else config.rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "base_rate": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def _detail_parameters(encoder: nn.Module) -> list[nn.Parameter]:
    """Parameters of an encoder's stem of its own, which no pretrained weights cover."""
    detail = getattr(encoder, "detail", None)
    return list(detail.parameters()) if isinstance(detail, nn.Module) else []
