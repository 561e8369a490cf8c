"""What a training is at a moment, and how it comes back from a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
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
        usual_loss: running mean of the stage's loss; None before its first step.
        best: best validation score so far.
    """

    network: MattingNetwork
    average: AveragedModel
    optimiser: Optimizer
    stage: int = 0
    step: int = 0
    usual_loss: float | None = None
    best: float | None = None

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

    def contents(self, recipe: Recipe) -> dict[str, Any]:
        """Return all that `restore` wants, in tensors and plain values."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "stage": self.stage,
            "step": self.step,
            "usual_loss": self.usual_loss,
            "best": self.best,
            "judged": recipe.judged,
            "recipe": json.dumps(recipe.decisive),
        }

    def restore(self, contents: Mapping[str, Any], recipe: Recipe) -> None:
        """Take over what `contents` gave.

        Raises:
            ValueError: if it is of another recipe or network.
        """
        try:
            begun = json.loads(contents["recipe"])
            if changes := differences(begun, recipe.decisive):
                raise ValueError(f"begun with another recipe: {'; '.join(changes)}")
            self.begin(contents["stage"], recipe)
            self.network.load_state_dict(contents["network"])
            self.average.load_state_dict(contents["average"])
            self.optimiser.load_state_dict(contents["optimiser"])
            self.step = contents["step"]
            self.usual_loss = contents["usual_loss"]
            if contents.get("judged", recipe.judged) == recipe.judged:
                self.best = contents["best"]  # else by another score, or on other pictures
        except (RuntimeError, KeyError, TypeError) as error:
            first = next(iter(str(error).splitlines()), "nothing in it")
            raise ValueError(f"no state of this training ({first})") from error

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
        self.usual_loss = None


def differences(before: Mapping[str, Any], now: Mapping[str, Any], key: str = "") -> list[str]:
    """Say which of a recipe's values have changed, one a line of plain text, by their keys."""
    changes = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            changes += differences(old, new, f"{key}{name}.")
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            changes += differences(_numbered(old), _numbered(new), f"{key}{name}.")
        elif old != new:
            changes.append(f"{key}{name} was {old}, is {new}")
    return changes


def _numbered(values: Sequence[Any]) -> dict[str, Any]:
    return {str(number): value for number, value in enumerate(values)}


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
        if isinstance(module, _BatchNorm) and not inside:
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
