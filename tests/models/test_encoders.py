"""Encoders keep their contract, and the names of the published backbones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from animatte.models.encoders.base import INPUT_SCALINGS, Encoder, InputScaling
from animatte.models.encoders.densenet import DENSENET201, dense_features, tapped
from animatte.models.encoders.mobilenet_v2 import MobileNetV2
from animatte.models.registry import ENCODERS

SHARED = Path(__file__).resolve().parents[3] / "shared"
KEYS_FILE = SHARED / "golden" / "gfm" / "state_dict_keys.json"
EVERY_ENCODER = pytest.mark.parametrize("name", list(ENCODERS))


@EVERY_ENCODER
def test_features_have_the_channels_and_strides_that_the_encoder_states(name: str) -> None:
    encoder = ENCODERS[name]().eval()
    with torch.inference_mode():
        features = encoder(torch.rand(1, 3, 64, 96))
    assert len(features) == len(encoder.channels) == len(encoder.strides)
    assert list(encoder.strides) == sorted(encoder.strides)
    for feature, channels, stride in zip(features, encoder.channels, encoder.strides, strict=True):
        assert feature.shape == (1, channels, 64 // stride, 96 // stride)


@EVERY_ENCODER
def test_no_feature_is_changed_by_the_layers_after_it(name: str) -> None:
    """An operation in place on a tapped feature would spoil it for the decoders."""
    encoder, image = ENCODERS[name]().eval(), torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        features = encoder(image)
        for module in encoder.modules():
            if isinstance(module, nn.ReLU | nn.ReLU6):
                module.inplace = False
        expected = encoder(image)
    assert all(torch.equal(*pair) for pair in zip(features, expected, strict=True))


@EVERY_ENCODER
def test_every_parameter_of_an_encoder_is_used(name: str) -> None:
    encoder = ENCODERS[name]().train()
    features = encoder(torch.rand(2, 3, 64, 64))
    total = torch.stack([feature.square().mean() for feature in features]).sum()
    names, parameters = zip(*encoder.named_parameters(), strict=True)
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    unused = [key for key, value in zip(names, gradients, strict=True) if value is None]
    assert unused == []


@EVERY_ENCODER
def test_batch_norm_in_evaluation_does_not_depend_on_the_batch(name: str) -> None:
    encoder = ENCODERS[name]().eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        together, alone = encoder(images), encoder(images[:1])
    for pair, single in zip(together, alone, strict=True):
        torch.testing.assert_close(pair[:1], single, rtol=1e-4, atol=1e-5)


def test_dense_features_can_be_tapped_before_the_transitions() -> None:
    taps = ("relu0", "denseblock1", "denseblock2", "denseblock3", "norm5")
    features = dense_features(DENSENET201).eval()
    with torch.inference_mode():
        results = tapped(features, torch.rand(1, 3, 64, 64), taps)
    assert [result.shape[1] for result in results] == [64, 256, 512, 1792, 1920]
    assert [64 // result.shape[2] for result in results] == [2, 4, 8, 16, 32]
    assert results[-1].min() < 0  # norm5 without ReLU


@pytest.mark.skipif(not KEYS_FILE.exists(), reason=f"{KEYS_FILE} is not here")
@pytest.mark.parametrize(
    ("name", "listing", "prefix"),
    [
        ("resnet34", "r34_TT", "resnet."),
        ("resnet34_2b", "r34_2b_TT", "resnet."),
        ("resnet101", "r101_TT", "resnet."),
        ("densenet121", "d121_TT", "densenet."),
    ],
)
def test_names_and_shapes_are_those_of_the_published_backbone(
    name: str, listing: str, prefix: str
) -> None:
    published = {
        key.removeprefix(prefix): tuple(shape)
        for key, shape, _ in json.loads(KEYS_FILE.read_text())[listing]
        if key.startswith(prefix)
    }
    encoder = ENCODERS[name]()
    shapes = {key: tuple(value.shape) for key, value in encoder.state_dict().items()}
    own = {key: shape for key, shape in shapes.items() if not key.startswith(encoder.added)}
    expected = {
        key: shape for key, shape in published.items() if not key.startswith(encoder.unused)
    }
    assert own == expected


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_norm_stays_in_evaluation_while_training(frozen: bool) -> None:
    encoder = MobileNetV2(detail_channels=4, frozen_norm=frozen).train()
    norms = [module for module in encoder.features.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert {norm.training for norm in norms} == {not frozen}
    assert encoder.detail is not None
    assert encoder.detail.training
    before = norms[0].running_mean
    assert before is not None
    before = before.clone()
    encoder(torch.rand(2, 3, 32, 32) + 3)
    after = norms[0].running_mean
    assert after is not None
    assert torch.equal(before, after) == frozen


def test_frozen_batch_norm_is_in_evaluation_also_inside_another_module() -> None:
    network = nn.Sequential(ENCODERS["mobilenet_v2_detail"]()).train()
    encoder = network[0]
    assert isinstance(encoder, MobileNetV2)
    assert not any(
        module.training
        for module in encoder.features.modules()
        if isinstance(module, nn.BatchNorm2d)
    )


@pytest.mark.parametrize(
    ("name", "black", "white"),
    [("bytes", 0, 255), ("symmetric", -1, 1), ("unit", 0, 1)],
)
def test_input_scaling_brings_black_and_white_where_it_says(
    name: str, black: float, white: float
) -> None:
    scaling = InputScaling(name)
    torch.testing.assert_close(
        scaling(torch.zeros(1, 3, 2, 2)), torch.full((1, 3, 2, 2), black * 1.0)
    )
    torch.testing.assert_close(
        scaling(torch.ones(1, 3, 2, 2)), torch.full((1, 3, 2, 2), white * 1.0)
    )


def test_an_unknown_input_scaling_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="'caffe' is unknown; choose one of " + ", ".join(sorted(INPUT_SCALINGS))
    ):
        InputScaling("caffe")


def test_an_encoder_must_say_how_it_runs() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Encoder()  # type: ignore[abstract]
