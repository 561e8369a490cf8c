"""A grown network computes what the narrower one did, and all that is new can learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from animatte.checkpoint import save_checkpoint
from animatte.models.gfm import GFM
from animatte.models.growth import can_grow, grown_state
from animatte.models.registry import GFMConfig, built_network, gfm_config
from animatte.training.recipe import NetworkSection
from animatte.training.sources import network_of

HEADLESS = replace(
    gfm_config("tiny"),
    focus=replace(gfm_config("tiny").focus, head=(), head_skip=False),
    glance=replace(gfm_config("tiny").glance, head=(), head_skip=False),
)


def fresh(config: GFMConfig, seed: int = 0) -> GFM:
    """A network with random weights and random statistics of its batch norms."""
    torch.manual_seed(seed)
    network = built_network(config)
    assert isinstance(network, GFM)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.rand(module.num_features) - 0.5
            module.running_var = torch.rand(module.num_features) + 0.5
    return network.eval()


def grown(config: GFMConfig, factor: float) -> tuple[GFM, GFM]:
    """A network, and the wider one grown of it."""
    narrow, wide = fresh(config), fresh(config.widened(factor), 1)
    wide.load_state_dict(grown_state(narrow.state_dict(), config, config.widened(factor)))
    return narrow, wide


@pytest.mark.parametrize("rosta", ["TT", "FT", "BT"])
@pytest.mark.parametrize("factor", [1.5, 2.5])
def test_a_grown_network_computes_the_same(rosta: str, factor: float) -> None:
    narrow, wide = grown(replace(gfm_config("tiny"), rosta=rosta), factor)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before, after = narrow(image), wide(image)
    torch.testing.assert_close(after.glance_logits, before.glance_logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after.alpha, before.alpha, rtol=1e-4, atol=1e-5)


def test_decoders_without_heads_grow_too() -> None:
    narrow, wide = grown(HEADLESS, 2.0)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(wide(image).alpha, narrow(image).alpha, rtol=1e-4, atol=1e-5)


def test_the_released_network_can_grow() -> None:
    narrow, wide = grown(gfm_config("animatte-s"), 2.0)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(wide(image).alpha, narrow(image).alpha, rtol=1e-4, atol=1e-5)
    count, before = (
        sum(value.numel() for name, value in net.named_parameters() if ".encoder." not in name)
        for net in (wide, narrow)
    )
    assert count > 2 * before


def test_what_is_new_learns() -> None:
    _, wide = grown(gfm_config("tiny"), 2.0)
    wide.train()
    before = {name: value.clone() for name, value in wide.state_dict().items()}
    optimiser = torch.optim.SGD(wide.parameters(), 0.1)
    for _ in range(2):  # first what leads out of the new channels moves, then what leads into them
        optimiser.zero_grad()
        output = wide(torch.rand(2, 3, 64, 64))
        (output.glance_logits.square().mean() + output.alpha.mean()).backward()
        optimiser.step()
    for name in (
        "trunk.glance_decoder.stages.1.0.0.weight",
        "trunk.focus_decoder.bridge.1.0.weight",
    ):
        moved = (wide.state_dict()[name] - before[name]).abs().flatten(1).sum(1) > 0
        assert moved.all(), name


@pytest.mark.parametrize(
    "other",
    [
        gfm_config("tiny"),
        replace(gfm_config("animatte-s").widened(2.0), rosta="FT"),
        replace(gfm_config("animatte-s").widened(2.0), encoder="mobilenet_v2_frozen"),
        gfm_config("animatte-s").widened(0.5),
    ],
)
def test_other_networks_do_not_fit(other: GFMConfig) -> None:
    assert not can_grow(gfm_config("animatte-s"), other)


def test_a_recipe_grows_a_narrower_checkpoint(tmp_path: Path) -> None:
    narrow = fresh(gfm_config("tiny"))
    save_checkpoint(tmp_path / "narrow.safetensors", narrow, gfm_config("tiny"))
    section = NetworkSection(name="tiny", width=1.5, initial=tmp_path / "narrow.safetensors")
    network, config = network_of(section)
    assert config == gfm_config("tiny").widened(1.5)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            network.eval()(image).alpha, narrow(image).alpha, rtol=1e-4, atol=1e-5
        )


def test_a_recipe_refuses_a_wider_checkpoint(tmp_path: Path) -> None:
    wide = gfm_config("tiny").widened(2.0)
    save_checkpoint(tmp_path / "wide.safetensors", fresh(wide), wide)
    with pytest.raises(ValueError, match="holds another network"):
        network_of(NetworkSection(name="tiny", initial=tmp_path / "wide.safetensors"))
