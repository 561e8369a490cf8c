"""Stages, phases and epochs laid out in steps; learning rates on the way."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from animatte.training.schedule import StagePlan, plans
from animatte.training.stage_sections import StageSection
from animatte.training.state import TrainingState, parameter_groups

PHASES = [{"steps": 3, "size": 64, "batch": 4}, {"steps": 2, "size": 96, "batch": 2}]


def stage(**values: Any) -> StageSection:
    return StageSection.model_validate({"phases": PHASES, "loss": {"glance": 1}, **values})


def only(**values: Any) -> StagePlan:
    (plan,) = plans([stage(**values)], epoch_length=10)
    return plan


def test_no_position_is_asked_for_twice_and_none_is_left_out() -> None:
    laid = plans([stage(), stage(name="second")], epoch_length=10)
    asked = [request for plan in laid for step in plan.requests(0, 99) for request in step]
    assert [request.position for request in asked] == list(range(32))
    assert [request.size for request in asked[:16]] == [64] * 12 + [96] * 4
    assert [plan.end for plan in laid] == [5, 10]


@pytest.mark.parametrize("begin", range(6))
def test_a_later_start_asks_for_what_an_early_one_would_have(begin: int) -> None:
    whole = list(only().requests(0, 5))
    assert list(only().requests(begin, 5)) == whole[begin:]
    assert list(only().requests(0, begin)) == whole[:begin]


def test_an_epoch_is_as_many_examples_as_there_are_pictures() -> None:
    plan = only(phases=[{"epochs": 2, "size": 64, "batch": 4}])
    assert plan.lengths == [5]
    assert plan.epochs(5) == pytest.approx(2)
    mixed = only()
    assert mixed.epochs(4) == pytest.approx((3 * 4 + 2) / 10)


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    schedule = {"kind": "polynomial", "warmup": 9, "power": 1}
    plan = only(phases=[{"steps": 100, "size": 64, "batch": 1}], optimiser={"schedule": schedule})
    factors = [plan.rate_factor(step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors.index(max(factors)) == 9
    assert factors[50] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0.01)


def test_the_triangle_goes_up_and_down_by_epochs_and_anew_in_each_stage() -> None:
    schedule = {"kind": "triangular", "lowest": 0.2, "half_cycle": 2}
    section = stage(
        phases=[{"epochs": 6, "size": 64, "batch": 5}], optimiser={"schedule": schedule}
    )
    for plan in plans([section, section], epoch_length=10):  # half a cycle is four steps
        factors = [plan.rate_factor(plan.start + step) for step in range(12)]
        expected = [0.2, 0.4, 0.6, 0.8, 1, 0.8, 0.6, 0.4, 0.2, 0.4, 0.6, 0.8]
        assert factors == pytest.approx(expected)


@pytest.mark.parametrize("rescaled", [True, False])
def test_momentum_takes_the_new_rate_or_keeps_the_one_of_its_step(rescaled: bool) -> None:
    network = torch.nn.Module()
    network.encoder = torch.nn.Module()
    network.weight = torch.nn.Parameter(torch.zeros(1))
    config = stage(
        optimiser={"kind": "sgd", "momentum": 0.5, "rate": 1, "rescaled_momentum": rescaled}
    ).optimiser
    groups = parameter_groups(network, config)  # type: ignore[arg-type]
    state = TrainingState(None, None, torch.optim.SGD(groups, momentum=0.5))  # type: ignore[arg-type]
    for factor in (0.1, 0.4):
        state.set_rates(factor)
        network.weight.grad = torch.ones(1)
        state.optimiser.step()
    # First step: -0.1. Second: the new gradient at 0.4, the old one's half at 0.4 or 0.1.
    carried = 0.5 * (0.4 if rescaled else 0.1)
    assert network.weight.item() == pytest.approx(-(0.1 + 0.4 + carried))


def test_the_cosine_falls_from_the_rate_to_the_lowest() -> None:
    schedule = {"kind": "cosine", "warmup": 0, "lowest": 0.2}
    plan = only(phases=[{"steps": 100, "size": 64, "batch": 1}], optimiser={"schedule": schedule})
    factors = [plan.rate_factor(step) for step in range(101)]
    assert factors[0] == 1
    assert factors[50] == pytest.approx(0.6)
    assert factors[25] == pytest.approx(0.6 + 0.4 / 2**0.5)
    assert factors[100] == pytest.approx(0.2)
    assert factors == sorted(factors, reverse=True)


def test_a_constant_rate_stays_after_its_warm_up() -> None:
    schedule = {"kind": "constant", "warmup": 3}
    factors = [only(optimiser={"schedule": schedule}).rate_factor(step) for step in range(5)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1, 1])


def test_a_triangle_can_warm_up_too() -> None:
    schedule = {"kind": "triangular", "lowest": 1, "warmup": 1}
    factors = [only(optimiser={"schedule": schedule}).rate_factor(step) for step in range(3)]
    assert factors == pytest.approx([0.5, 1, 1])


def test_a_step_is_in_the_phase_that_asks_for_its_examples() -> None:
    plan = plans([stage(), stage(name="second")], epoch_length=10)[1]
    for step, (request, *_) in enumerate(plan.requests(5, 10), start=5):
        assert plan.phase(step).size == request.size
