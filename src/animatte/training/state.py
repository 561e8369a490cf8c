"""What a training is at a moment, on disk and back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from animatte.models.gfm import GFM, IntegratedGFM
from animatte.models.late_fusion import LFM
from animatte.models.registry import MattingNetwork
from animatte.training.recipe import Recipe
from animatte.training.stage_sections import OptimiserSection, StageSection


@dataclass
class TrainingState:
    """Network, averaged network, optimiser, and how far it is.

    Attributes:
        network: what is trained.
        average: exponential moving average of its weights and buffers.
        optimiser: its groups carry a `base_rate`.
        stage: index of the stage that it is in.
        step: steps done, of all stages.
    """

    network: MattingNetwork
    average: AveragedModel
    optimiser: Optimizer
    stage: int = 0
    step: int = 0

    @property
    def averaged(self) -> MattingNetwork:
        """The network of the averaged weights."""
        network = self.average.module
        assert isinstance(network, GFM | IntegratedGFM | LFM)
        return network

    def set_rates(self, factor: float) -> None:
        """Multiply every group's base rate; past gradients follow, unless the recipe says no."""
        for group in self.optimiser.param_groups:
            before, group["lr"] = group["lr"], group["base_rate"] * factor
            if group["rescaled_momentum"]:
                continue
            for parameter in group["params"]:
                momentum = self.optimiser.state[parameter].get("momentum_buffer")
                if momentum is not None:
                    momentum.mul_(before / group["lr"])

    def save(self, path: Path, recipe: Recipe) -> None:
        """Write beside, then rename, so that a stop at any moment leaves a whole file."""
        beside = path.with_name(path.name + ".part")
        contents = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "stage": self.stage,
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
            self.begin(contents["stage"], recipe)
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

    def begin(self, stage: int, recipe: Recipe) -> None:
        """Enter a stage: go on from the averaged weights, with an optimiser of its own."""
        self.network.load_state_dict(self.averaged.state_dict())
        # Gradients of what is trained no more would still count when gradients are clipped.
        self.network.zero_grad(set_to_none=True)
        section = recipe.stages[stage]
        set_trained(self.network, section.trained, recipe.network.frozen)
        self.average = averaged(self.network, section.optimiser)
        self.optimiser = new_optimiser(self.network, section.optimiser)
        self.stage = stage


def fresh_state(network: MattingNetwork, recipe: Recipe) -> TrainingState:
    """Return the state before the first step.

    Raises:
        ValueError: if the recipe names modules that the network does not have.
    """
    for section in recipe.stages:
        set_trained(network, (*section.trained, *(section.statistics or ())), ())
    first = recipe.stages[0]
    set_trained(network, first.trained, recipe.network.frozen)
    optimiser = new_optimiser(network, first.optimiser)
    return TrainingState(network, averaged(network, first.optimiser), optimiser)


def averaged(network: MattingNetwork, config: OptimiserSection) -> AveragedModel:
    """Return the running average of a network, which starts as the network is."""
    averaging = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)


def set_trained(network: MattingNetwork, trained: Collection[str], frozen: Collection[str]) -> None:
    """Say which parameters are trained.

    Args:
        network: whose they are.
        trained: names of modules of the network; empty for all of it.
        frozen: names of modules of the encoder that never are.

    Raises:
        ValueError: if there is no such module.
    """
    network.requires_grad_(not trained)
    for name in trained:
        _module(network, name, "stages.trained").requires_grad_(True)
    for name in frozen:
        _module(network.encoder, name, "network.frozen").requires_grad_(False)


def set_training_mode(network: MattingNetwork, section: StageSection) -> None:
    """Put a network into training; batch norm that the stage does not name keeps its statistics."""
    network.train()
    updated = section.trained if section.statistics is None else section.statistics
    if section.statistics is None and not section.trained:
        return
    for name, module in network.named_modules():
        inside = any(name == part or name.startswith(f"{part}.") for part in updated)
        if isinstance(module, nn.BatchNorm2d) and not inside:
            module.eval()


def new_optimiser(network: MattingNetwork, config: OptimiserSection) -> Optimizer:
    """Return a fresh optimiser of what is trained."""
    groups = parameter_groups(network, config)
    if config.kind == "sgd":
        return SGD(groups, momentum=config.momentum)
    return AdamW(groups, fused=True)


def parameter_groups(network: MattingNetwork, config: OptimiserSection) -> list[dict[str, Any]]:
    """Group by rate (encoder or not) and by decay (convolution weights or the rest)."""
    pretrained = set(map(id, network.encoder.parameters()))
    pretrained -= set(map(id, _detail_parameters(network.encoder)))
    encoder_rate = config.rate if config.encoder_rate is None else config.encoder_rate
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        rate = encoder_rate if id(parameter) in pretrained else config.rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    rescaled = config.kind != "sgd" or config.rescaled_momentum
    return [
        {
            "params": parameters,
            "lr": rate,
            "base_rate": rate,
            "weight_decay": decay,
            "rescaled_momentum": rescaled,
        }
        for (rate, decay), parameters in groups.items()
    ]


def _detail_parameters(encoder: nn.Module) -> list[nn.Parameter]:
    """Parameters of an encoder's stem of its own, which no pretrained weights cover."""
    detail = getattr(encoder, "detail", None)
    return list(detail.parameters()) if isinstance(detail, nn.Module) else []


def _module(network: nn.Module, name: str, key: str) -> nn.Module:
    modules: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in modules:
        known = ", ".join(child for child, _ in network.named_children())
        raise ValueError(f"{key} names {name!r}, which the network does not have; it has {known}")
    return modules[name]
