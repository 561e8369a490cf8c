"""Encoders keep their contract and torchvision's names; torchvision itself is not needed."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, hub, nn

from animatte.models.encoders.base import INPUT_SCALINGS, Encoder, InputScaling
from animatte.models.encoders.densenet import DENSENET121, DENSENET201, dense_features, tapped
from animatte.models.encoders.imagenet import IMAGENET_URLS, imagenet_state
from animatte.models.encoders.mobilenet_v2 import MobileNetV2
from animatte.models.registry import ENCODERS
from animatte.models.state_dicts import weights

SHARED = Path(__file__).resolve().parents[3] / "shared"
KEYS_FILE = SHARED / "golden" / "gfm" / "state_dict_keys.json"
EVERY_ENCODER = pytest.mark.parametrize("name", list(ENCODERS))
# What torchvision's network has beyond the encoder: shapes of its last parameters.
CLASSIFIERS = {
    "mobilenet_v2": {
        "features.18.0.weight": (1280, 320, 1, 1),
        "features.18.1.weight": (1280,),
        "features.18.1.bias": (1280,),
        "classifier.1.weight": (1000, 1280),
        "classifier.1.bias": (1000,),
    },
    "resnet34": {"fc.weight": (1000, 512), "fc.bias": (1000,)},
    "resnet101": {"fc.weight": (1000, 2048), "fc.bias": (1000,)},
    "densenet121": {
        "features.norm5.weight": (1024,),
        "features.norm5.bias": (1024,),
        "classifier.weight": (1000, 1024),
        "classifier.bias": (1000,),
    },
}
# As torchvision's documentation states them.
NUM_PARAMETERS = {
    "mobilenet_v2": 3_504_872,
    "resnet34": 21_797_672,
    "resnet101": 44_549_160,
    "densenet121": 7_978_856,
}


def torchvision_state(name: str) -> dict[str, Tensor]:
    """A state dict like torchvision's, other than the fresh encoder's in every value."""
    encoder = ENCODERS[name]()
    own = {
        key: value for key, value in weights(encoder).items() if not key.startswith(encoder.added)
    }
    added = {key: torch.zeros(shape) for key, shape in CLASSIFIERS[name].items()}
    return {key: value + 0.5 for key, value in own.items()} | added


def num_parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


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


@pytest.mark.parametrize("name", list(NUM_PARAMETERS))
def test_an_encoder_and_its_classifier_have_as_many_parameters_as_torchvision_states(
    name: str,
) -> None:
    encoder = ENCODERS[name]()
    added = sum(
        value.numel() for key, value in encoder.named_parameters() if key.startswith(encoder.added)
    )
    classifier = sum(prod(shape) for shape in CLASSIFIERS[name].values())
    assert num_parameters(encoder) - added + classifier == NUM_PARAMETERS[name]


def test_dense_features_have_as_many_parameters_as_torchvision_states() -> None:
    with torch.device("meta"):
        assert num_parameters(dense_features(DENSENET121)) == 7_978_856 - 1025 * 1000
        assert num_parameters(dense_features(DENSENET201)) == 20_013_928 - 1921 * 1000


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


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_loading_torchvision_weights_gives_every_parameter_its_value(name: str) -> None:
    encoder, state = ENCODERS[name](), torchvision_state(name)
    encoder.load_torchvision(state)
    own = weights(encoder)
    for key, value in state.items():
        assert key.startswith(encoder.unused) or torch.equal(own[key], value)


@pytest.mark.parametrize(
    ("name", "of"), [("resnet34_2b", "resnet34"), ("mobilenet_v2_detail", "mobilenet_v2")]
)
def test_an_encoder_with_parts_of_its_own_keeps_them_when_torchvision_weights_come(
    name: str, of: str
) -> None:
    encoder = ENCODERS[name]()
    before = {
        key: value.clone()
        for key, value in weights(encoder).items()
        if key.startswith(encoder.added)
    }
    state = torchvision_state(of)
    encoder.load_torchvision(state)
    after = weights(encoder)
    assert before
    assert all(torch.equal(after[key], value) for key, value in before.items())
    loaded = [key for key in after if key not in before]
    assert all(torch.equal(after[key], state[key]) for key in loaded)


def test_old_densenet_names_are_understood() -> None:
    state = torchvision_state("densenet121")
    old = {
        key.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for key, value in state.items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    encoder = ENCODERS["densenet121"]()
    encoder.load_torchvision(old)
    key = "features.denseblock2.denselayer3.conv2.weight"
    assert torch.equal(weights(encoder)[key], state[key])


def test_half_precision_weights_and_step_counters_are_welcome() -> None:
    state = {key: value.half() for key, value in torchvision_state("mobilenet_v2").items()}
    state["features.0.1.num_batches_tracked"] = torch.tensor(7)
    encoder = MobileNetV2()
    encoder.load_torchvision(state)
    assert {value.dtype for value in encoder.parameters()} == {torch.float32}


def test_a_missing_parameter_is_named() -> None:
    state = torchvision_state("resnet34")
    del state["layer3.4.bn2.running_mean"]
    with pytest.raises(ValueError, match=r"1 of \d+ .* missing .*layer3\.4\.bn2\.running_mean"):
        ENCODERS["resnet34"]().load_torchvision(state)


def test_a_parameter_of_another_shape_is_named() -> None:
    state = torchvision_state("resnet34")
    state["conv1.weight"] = torch.zeros(64, 3, 3, 3)
    with pytest.raises(ValueError, match=r"'conv1\.weight' is 64.3.3.3 instead of 64.3.7.7"):
        ENCODERS["resnet34"]().load_torchvision(state)


def test_a_deeper_network_of_the_same_widths_is_not_taken() -> None:
    """ResNet-152 has every parameter of ResNet-101, and more: names alone would let it in."""
    state = torchvision_state("resnet34")
    state["layer3.6.conv1.weight"] = torch.zeros(256, 256, 3, 3)
    with pytest.raises(ValueError, match=r"unknown .*layer3\.6\.conv1\.weight"):
        ENCODERS["resnet34"]().load_torchvision(state)


@pytest.mark.parametrize(
    "state", [{}, {"weight": torch.zeros(3)}, {"epoch": 3}, [1, 2], torch.zeros(3)]
)
def test_what_is_no_state_dict_of_the_network_is_refused_in_one_line(state: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|not torchvision's weights") as raised:
        ENCODERS["mobilenet_v2"]().load_torchvision(state)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"resnet_tiny"}))  # ours, for tests
def test_imagenet_weights_are_known_for_every_published_encoder(name: str) -> None:
    assert IMAGENET_URLS[name].startswith("https://download.pytorch.org/models/")


def test_imagenet_weights_are_downloaded_with_their_hash_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {}

    def download(url: str, **options: Any) -> dict[str, Tensor]:
        asked.update(options, url=url)
        return {"conv1.weight": torch.ones(1)}

    monkeypatch.setattr(hub, "load_state_dict_from_url", download)
    assert set(imagenet_state("resnet101")) == {"conv1.weight"}
    assert asked["url"].endswith("resnet101-63fe2227.pth")
    assert asked["check_hash"] is True
    assert asked["weights_only"] is True


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(url: str, **options: Any) -> dict[str, Tensor]:
        raise URLError("no network")

    monkeypatch.setattr(hub, "load_state_dict_from_url", download)
    with pytest.raises(ValueError, match=r"resnet34-b627a593\.pth .*no network.*name it instead"):
        imagenet_state("resnet34")


def test_imagenet_weights_of_an_unknown_encoder_are_refused() -> None:
    with pytest.raises(ValueError, match="'vgg16'; choose one of mobilenet_v2"):
        imagenet_state("vgg16")


@pytest.fixture(params=["weights.safetensors", "weights.pth", "legacy.pth"])
def weights_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    state = {"conv1.weight": torch.arange(4.0)}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=path.stem != "legacy")
    return path


def test_imagenet_weights_can_come_from_a_file_instead(weights_file: Path) -> None:
    state = imagenet_state("resnet34", weights_file)
    assert state["conv1.weight"].tolist() == [0, 1, 2, 3]


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
