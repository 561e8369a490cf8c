"""GFM's own promises, on networks with fresh weights; the published ones are in test_checkpoint."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from torch import nn

from animatte.models.decoders import DecoderConfig, stage_strides
from animatte.models.gfm import GFM, GFMOutput, IntegratedGFM, RIMOutput
from animatte.models.registry import GFM_CONFIGS, GFMConfig, built_gfm, gfm_config, is_published
from animatte.models.rosta import Rosta, collaborative_matting

ROSTAS = ("TT", "FT", "BT")
EVERY_ROSTA = pytest.mark.parametrize("rosta", ROSTAS)
EVERY_CONFIG = pytest.mark.parametrize(
    "config",
    [gfm_config(name, rosta) for name in GFM_CONFIGS for rosta in (*ROSTAS, "RIM")],
    ids=lambda config: f"{config.encoder}-{config.rosta}",
)


def slim(rosta: str) -> GFM | IntegratedGFM:
    torch.manual_seed(0)
    return built_gfm(gfm_config("animatte-s", rosta)).eval()


def slim_gfm(rosta: str) -> GFM:
    network = slim(rosta)
    assert isinstance(network, GFM)
    return network


@EVERY_ROSTA
def test_outputs_have_the_image_s_size_and_lie_in_zero_to_one(rosta: str) -> None:
    network = slim_gfm(rosta)
    with torch.inference_mode():
        output = network(torch.rand(2, 3, 64, 96))
    assert isinstance(output, GFMOutput)
    assert output.glance.shape == (2, network.rosta.num_classes, 64, 96)
    assert output.glance_logits.shape == output.glance.shape
    assert output.focus.shape == output.alpha.shape == (2, 1, 64, 96)
    for values in (output.glance, output.focus, output.alpha):
        assert values.min() >= 0
        assert values.max() <= 1


@EVERY_ROSTA
def test_glance_alone_and_focus_alone_equal_the_full_forward_s(rosta: str) -> None:
    network, image = slim_gfm(rosta), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        output = network(image)
        torch.testing.assert_close(network.glance(image), output.glance)
        torch.testing.assert_close(network.focus(image), output.focus)


@pytest.mark.parametrize(("path", "resting"), [("glance", "focus_decoder"), ("focus", "context")])
def test_the_other_path_rests(path: str, resting: str) -> None:
    network = slim_gfm("TT")

    def awake(*_: object) -> None:
        raise AssertionError(f"{resting} ran")

    network.trunk.get_submodule(resting).register_forward_hook(awake)
    with torch.inference_mode():
        assert getattr(network, path)(torch.rand(1, 3, 32, 32)).shape[-2:] == (32, 32)
        with pytest.raises(AssertionError, match="ran"):
            network(torch.rand(1, 3, 32, 32))


@EVERY_ROSTA
def test_alpha_is_glance_and_focus_merged(rosta: str) -> None:
    network = slim_gfm(rosta)
    with torch.inference_mode():
        output = network(torch.rand(1, 3, 32, 64))
    expected = collaborative_matting(output.glance, output.focus, Rosta(rosta))
    assert torch.equal(output.alpha, expected)


def test_a_glance_with_softmax_sums_to_one_and_one_with_sigmoids_does_not() -> None:
    image = torch.rand(1, 3, 32, 32)
    config = gfm_config("animatte-s")
    with torch.inference_mode():
        soft = built_gfm(config).eval()(image).glance.sum(dim=1)
        loose = built_gfm(dataclasses.replace(config, glance_softmax=False)).eval()(image)
    torch.testing.assert_close(soft, torch.ones_like(soft))
    assert not torch.allclose(loose.glance.sum(dim=1), soft)
    torch.testing.assert_close(loose.glance, loose.glance_logits.sigmoid())


def test_integration_runs_the_trunk_once_and_every_pair_of_heads() -> None:
    network, image = slim("RIM"), torch.rand(1, 3, 64, 64)
    assert isinstance(network, IntegratedGFM)
    calls: list[str] = []
    network.trunk.encoder.register_forward_hook(lambda *_: calls.append("encoder"))
    with torch.inference_mode():
        output = network(image)
        merged = network.integration(
            torch.cat([output.tt.alpha, output.ft.alpha, output.bt.alpha], dim=1)
        )
    assert isinstance(output, RIMOutput)
    assert calls == ["encoder"]
    assert [part.glance.shape[1] for part in (output.tt, output.ft, output.bt)] == [3, 2, 2]
    assert output.glance is output.tt.glance
    assert output.focus is output.tt.focus
    torch.testing.assert_close(output.alpha, merged)


def test_integration_does_not_clip() -> None:
    network = slim("RIM")
    assert isinstance(network, IntegratedGFM)
    nn.init.constant_(network.integration.merge.bias, 5.0)  # type: ignore[arg-type]
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 32, 32)).alpha.max() > 1


def test_batch_norm_in_evaluation_does_not_depend_on_the_batch() -> None:
    network, images = slim_gfm("TT"), torch.rand(3, 3, 32, 32)
    with torch.inference_mode():
        together, alone = network(images), network(images[:1])
    torch.testing.assert_close(together.focus[:1], alone.focus, rtol=1e-4, atol=1e-5)


@EVERY_ROSTA
def test_training_reaches_every_parameter(rosta: str) -> None:
    network = slim_gfm(rosta).train()
    output = network(torch.rand(2, 3, 64, 64))
    (output.glance_logits.square().mean() + output.focus.mean()).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


@EVERY_CONFIG
def test_a_configuration_survives_json(config: GFMConfig) -> None:
    assert GFMConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


@EVERY_CONFIG
def test_every_known_configuration_builds_a_network_of_its_rosta(config: GFMConfig) -> None:
    with torch.device("meta"):
        network = built_gfm(config)
    assert isinstance(network, IntegratedGFM if config.rosta == "RIM" else GFM)
    assert network.stride == 32
    if isinstance(network, GFM):
        assert network.rosta == Rosta(config.rosta)


@pytest.mark.parametrize(("name", "published"), [("animatte-s", False), ("r34", True)])
@pytest.mark.parametrize("rosta", ["TT", "RIM"])
def test_ours_are_told_from_published_ones(name: str, published: bool, rosta: str) -> None:
    assert is_published(built_gfm(gfm_config(name, rosta))) is published


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_wider_network_has_the_same_encoder_and_sees_the_same_sizes(factor: float) -> None:
    plain = gfm_config("animatte-s")
    wide = plain.widened(factor)
    assert (wide.encoder, wide.rosta) == (plain.encoder, plain.rosta)
    assert plain.focus.stages[0] == (48, 48)
    assert wide.focus.stages[0] == (int(48 * factor),) * 2
    assert wide.focus.head == (round(16 * factor),)
    assert all(each % 8 == 0 for stage in wide.glance.stages for each in stage)
    network, image = built_gfm(wide).eval(), torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        assert network(image).alpha.shape == (1, 1, 32, 64)
    counts = [sum(each.numel() for each in built_gfm(of).parameters()) for of in (plain, wide)]
    assert (counts[1] > counts[0]) == (factor > 1)


def test_a_configuration_with_a_field_too_few_or_too_many_is_refused() -> None:
    values = gfm_config("animatte-s").as_dict()
    with pytest.raises(ValueError, match="colour"):
        GFMConfig.from_dict({**values, "colour": "red"})
    del values["focus"]
    with pytest.raises(ValueError, match="not a GFM configuration: 'focus'"):
        GFMConfig.from_dict(values)


@pytest.mark.parametrize(
    ("name", "rosta", "message"),
    [
        ("r18", "TT", "network 'r18' is unknown; choose one of r34"),
        ("r34", "TF", "RoSTa 'TF' is unknown; choose one of TT, FT, BT, RIM"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(
    name: str, rosta: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gfm_config(name, rosta)


def test_an_unknown_encoder_is_refused_with_the_known_ones() -> None:
    config = dataclasses.replace(gfm_config("r34"), encoder="vgg16")
    with pytest.raises(ValueError, match="encoder 'vgg16' is unknown; choose one of mobilenet_v2"):
        built_gfm(config)


@pytest.mark.parametrize("num_stages", [0, 5])
def test_a_decoder_that_does_not_fit_the_encoder_is_refused(num_stages: int) -> None:
    with pytest.raises(ValueError, match=f"a decoder of {num_stages} stages .* use 1 to 4 stages"):
        stage_strides((2, 4, 8, 16, 32), num_stages)


def test_a_head_knows_its_channels_with_and_without_a_skip() -> None:
    assert DecoderConfig(((8, 4),), head_skip=True).head_channels(3) == 7
    assert DecoderConfig(((8, 4),), head_skip=False).head_channels(3) == 4


def test_a_sure_focus_still_learns_in_bfloat16() -> None:
    heads = slim_gfm("TT").heads
    score = torch.full((1, 1, 2, 2), 8.0, requires_grad=True)
    heads.focus_head = nn.Identity()  # type: ignore[assignment]
    with torch.autocast("cpu", torch.bfloat16):
        focus = heads.focus(score.bfloat16())
    focus.sum().backward()  # type: ignore[no-untyped-call]
    assert score.grad is not None
    assert score.grad.min() > 1e-4
