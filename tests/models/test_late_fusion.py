"""The late fusion network: its size, its figure, and its way to ONNX and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import lively_network
from torch import Tensor, nn
from torch.nn import functional

import animatte
from animatte.checkpoint import load_checkpoint, save_checkpoint
from animatte.engine import OnnxNetwork
from animatte.export.onnx import export_onnx
from animatte.models.encoders.densenet import DenseNet201
from animatte.models.late_fusion import LFM, BranchDecoder, LFMConfig
from animatte.models.registry import LFM_CONFIGS, built_lfm, network_config
from animatte.scales import LongerSide
from animatte.strategies import Strategy, whole
from animatte.torch_engine import TorchNetwork
from animatte.trimap import trimap_from_branches

PUBLISHED_PARAMETERS = 37_667_913


@pytest.fixture(scope="module")
def network() -> LFM:
    lively = lively_network("lfm-s")
    assert isinstance(lively, LFM)
    return lively


@pytest.fixture(scope="module")
def onnx_file(network: LFM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "lfm.onnx"
    assert export_onnx(network, path, card={}, half_weights=False).program < 1e-3
    return path


def smooth(batch: int, side: int) -> Tensor:
    coarse = torch.rand(batch, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    return functional.interpolate(coarse, size=(side, side), mode="bilinear")


def test_the_published_network_has_exactly_its_published_number_of_parameters() -> None:
    with torch.device("meta"):
        network = built_lfm(LFM_CONFIGS["lfm"])
    assert sum(parameter.numel() for parameter in network.parameters()) == PUBLISHED_PARAMETERS


def test_densenet_201_gives_the_features_it_states() -> None:
    with torch.device("meta"):
        encoder = DenseNet201()
        features = encoder(torch.zeros(1, 3, 64, 96))
    shapes = [tuple(feature.shape[1:]) for feature in features]
    stated = zip(encoder.channels, encoder.strides, strict=True)
    assert shapes == [(channels, 64 // stride, 96 // stride) for channels, stride in stated]


def test_densenet_201_ends_in_a_norm_without_relu() -> None:
    torch.manual_seed(0)
    encoder = DenseNet201().eval()
    with torch.inference_mode():
        *finer, deepest = encoder(smooth(1, 64))
    assert deepest.min() < 0
    assert finer[0].min() >= 0  # relu0


def test_norms_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = built_lfm(LFM_CONFIGS["lfm"])
    epsilons = {
        part: {module.eps for module in getattr(network, part).modules() if is_norm(module)}
        for part in ("encoder", "foreground_decoder", "background_decoder", "fusion")
    }
    assert epsilons == {
        "encoder": {1.001e-5},
        "foreground_decoder": {1.001e-5},
        "background_decoder": {1.001e-5},
        "fusion": {1e-3},
    }
    assert {module.momentum for module in network.modules() if is_norm(module)} == {0.01}


def is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.BatchNorm2d)


def test_alpha_is_the_late_fusion_of_both_branches(network: LFM) -> None:
    with torch.inference_mode():
        output = network(smooth(2, 96))
    fused = output.beta * output.foreground + (1 - output.beta) * (1 - output.background)
    torch.testing.assert_close(output.alpha, fused)
    assert output.alpha.std() > 0.02
    for side in (*output.foreground_sides, *output.background_sides, output.beta):
        assert side.shape == (2, 1, 96, 96)
        assert 0 <= side.min() <= side.max() <= 1
    assert torch.equal(output.foreground_sides[-1], output.foreground)
    assert torch.equal(output.background_sides[-1], output.background)


def test_both_branches_have_weights_of_their_own(network: LFM) -> None:
    ours, theirs = network.foreground_decoder.parameters(), network.background_decoder.parameters()
    assert not set(map(id, ours)) & set(map(id, theirs))


def test_the_decoder_is_the_figure_written_out() -> None:
    """Against the published table, line by line, with plain functions."""
    torch.manual_seed(0)
    channels = (4, 6, 8, 10, 12)
    decoder = BranchDecoder(channels, (11, 9, 7, 5, 5), 5).eval()
    r1, r2, r3, r4, x = (
        torch.rand(1, width, 64 >> n, 32 >> n) for n, width in enumerate(channels, start=1)
    )
    state = decoder.state_dict()

    def up(features: Tensor) -> Tensor:
        return features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    def block(index: int, features: Tensor) -> Tensor:
        norm = f"blocks.{index}.norm."
        out = functional.conv2d(features, state[f"blocks.{index}.conv.weight"])
        mean, variance = (state[f"{norm}running_{name}"][:, None, None] for name in ("mean", "var"))
        weight, bias = (state[norm + name][:, None, None] for name in ("weight", "bias"))
        return torch.relu((out - mean) / (variance + 1.001e-5).sqrt() * weight + bias)

    def conv(name: str, features: Tensor, padding: int = 0) -> Tensor:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.conv2d(features, weight, bias, padding=padding)

    d5 = block(0, torch.cat([up(x), r4], 1))
    d4 = block(1, torch.cat([up(d5), r3], 1))
    d3 = block(2, torch.cat([up(d4), r2], 1))
    d2 = block(3, torch.cat([up(d3), r1], 1))
    d1 = block(4, up(d2))
    s3 = conv("smoothings.0", conv("laterals.1", d4) + up(conv("laterals.0", d5).relu()), 1)
    s2 = conv("smoothings.1", conv("laterals.2", d3) + up(s3), 1)
    s1 = conv("smoothings.2", d2 + up(s2), 1)
    s0 = conv("smoothings.3", d1 + up(s1), 1)
    with torch.inference_mode():
        output = decoder((r1, r2, r3, r4, x))
    torch.testing.assert_close(output.features, s0)
    for index, level in enumerate((s3, s2, s1, s0)):
        side = functional.interpolate(
            conv(f"heads.{index}", level).sigmoid(), (64, 32), mode="bilinear", align_corners=True
        )
        torch.testing.assert_close(output.sides[index], side)


def test_a_checkpoint_brings_the_network_back(network: LFM, tmp_path: Path) -> None:
    path = tmp_path / "lfm.safetensors"
    save_checkpoint(path, network, LFM_CONFIGS["lfm-s"])
    loaded, config = load_checkpoint(path)
    assert config == LFM_CONFIGS["lfm-s"]
    picture = smooth(1, 64)
    with torch.inference_mode():
        assert torch.equal(loaded(picture).alpha, network(picture).alpha)


def test_it_cuts_photos_under_both_engines(network: LFM, onnx_file: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "lfm.safetensors"
    save_checkpoint(checkpoint, network, LFM_CONFIGS["lfm-s"])
    photo = smooth(1, 128)[0, :, :90, :].permute(1, 2, 0).numpy()
    assert animatte.load(onnx_file).strategy.name == "late-fusion"
    smaller = whole(160)  # than late fusion's own 800, which takes a minute
    by_onnx = animatte.load(onnx_file, strategy=smaller)
    by_torch = animatte.load(checkpoint, strategy=smaller)
    alpha = by_onnx.alpha(photo)
    assert alpha.shape == (90, 128)
    np.testing.assert_allclose(alpha, by_torch.alpha(photo), atol=2e-3)


def test_both_engines_give_the_branches(network: LFM, onnx_file: Path) -> None:
    image = smooth(1, 64)[0].permute(1, 2, 0).contiguous().numpy()
    ours, theirs = (
        OnnxNetwork(onnx_file, "cpu").branches(image),
        TorchNetwork(network).branches(image),
    )
    for own, other in zip(ours, theirs, strict=True):
        assert own.shape == (64, 64)
        np.testing.assert_allclose(own, other, atol=1e-3)


def test_a_trimap_is_made_of_the_two_branches(onnx_file: Path) -> None:
    same = Strategy("same", LongerSide(128), LongerSide(128))
    predictor = animatte.load(onnx_file, strategy=same)
    photo = smooth(1, 128)[0].permute(1, 2, 0).contiguous().numpy()
    foreground, background = predictor.network.branches(photo)
    expected = trimap_from_branches(foreground, background, radius=3)
    np.testing.assert_array_equal(predictor.trimap(photo, radius=3), expected)
    assert len(np.unique(expected)) > 1


def test_two_sizes_are_refused_as_the_network_merges_by_itself(onnx_file: Path) -> None:
    with pytest.raises(ValueError, match="gives alpha alone"):
        animatte.load(onnx_file, strategy="hybrid").alpha(np.zeros((200, 300, 3), np.float32))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"blocks": (8, 8, 8, 8)}, "must be 5"),
        ({"blocks": (8, 8, 8, 8, 9)}, "as wide as the pyramid"),
        ({"whiskers": 1}, "not an LFM configuration"),
    ],
)
def test_a_wrong_configuration_is_refused(change: dict[str, object], complaint: str) -> None:
    values = {**LFM_CONFIGS["lfm-s"].as_dict(), **change}
    with pytest.raises(ValueError, match=complaint):
        LFMConfig.from_dict(values)


def test_late_fusion_has_no_rosta() -> None:
    with pytest.raises(ValueError, match="has no RoSTa"):
        network_config("lfm-s", "TT")
