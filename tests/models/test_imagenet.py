"""Encoders take torchvision's weights by its names; torchvision itself is not needed."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, hub, nn

from animatte.models.encoders.densenet import DENSENET121, DENSENET201, dense_features
from animatte.models.encoders.imagenet import IMAGENET_PACKAGES, IMAGENET_URLS, imagenet_state
from animatte.models.encoders.mobilenet_v2 import MobileNetV2
from animatte.models.registry import ENCODERS
from animatte.models.state_dicts import weights

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
    address = IMAGENET_URLS.get(name, "")
    assert address.startswith("https://download.pytorch.org/models/") != (name in IMAGENET_PACKAGES)


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
