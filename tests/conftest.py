"""Fixtures that more than one test module uses. Torch is imported inside: inference needs none."""
# ruff: noqa: PLC0415

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from animatte.models.gfm import GFM
    from animatte.models.registry import MattingNetwork

CHECKPOINTS = Path(__file__).parents[1] / "recipes" / "weights"


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_reaches_children() -> Iterator[None]:
    """A shell that runs the tests in the background ignores SIGINT, and children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lively_network(name: str = "animatte-s", rosta: str | None = None) -> MattingNetwork:
    """An untrained network whose outputs vary: its batch norm has seen smooth pictures.

    Fresh weights alone give nearly the same value everywhere, and every test would pass.
    """
    import torch
    from torch import nn

    from animatte.models.registry import built_network, network_config

    random_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = built_network(network_config(name, rosta))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5
            module.train()
    with torch.no_grad():
        for _ in range(4):
            coarse = torch.rand(4, 3, 8, 8)
            network(nn.functional.interpolate(coarse, size=(128, 128), mode="bilinear"))
    torch.random.set_rng_state(random_state)
    return network.eval()


@pytest.fixture(scope="session")
def tiny_network() -> GFM:
    """An untrained network, in torch; `tiny_model` is the same one."""
    from animatte.models.gfm import GFM

    network = lively_network()
    assert isinstance(network, GFM)
    return network


@pytest.fixture(scope="session")
def tiny_model(tiny_network: GFM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of an untrained network: its alpha is deterministic nonsense."""
    from animatte.export.onnx import export_onnx

    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    card = {
        "summary": "untrained, for tests",
        "licence": "MIT",
        "sources": [{"name": "nothing", "licence": "none"}],
        "scores": {"SAD": 12.5},
    }
    export_onnx(tiny_network, path, card=card)
    return path


@pytest.fixture(scope="session")
def tiny_rim_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of an untrained network with RoSTa integration."""
    from animatte.export.onnx import export_onnx

    path = tmp_path_factory.mktemp("models") / "tiny-rim.onnx"
    export_onnx(lively_network(rosta="RIM"), path, card={})
    return path
