"""Published checkpoints: GFM gives its golden outputs, and every bad file gets one clear line."""

from __future__ import annotations

import gc
import json
import pickle
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.torch_files import cut, with_bytes, written
from torch import Tensor, nn

from animatte.checkpoint import CheckpointError, gfm_from_published, load_published

ROSTAS = ("TT", "FT", "BT", "RIM")

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden" / "gfm"
NEEDS_GOLDEN = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"{GOLDEN} is not here")
BACKBONES = ("r34", "r34_2b", "d121", "r101")
Listing = list[tuple[str, list[int], str | None]]


def golden_value(key: str, shape: list[int], seed: int = 0) -> Tensor:
    """The weights that the golden outputs were made with (golden/gfm/README.md)."""
    rng = np.random.default_rng([zlib.crc32(key.encode()), seed])
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if key.endswith("running_var"):
        return torch.from_numpy(rng.uniform(0.5, 1.5, shape).astype(np.float32))
    normal = rng.standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        normal *= np.float32((1.0 / np.prod(shape[1:])) ** 0.5)
        return torch.from_numpy(normal)
    scaled = np.float32(0.1) * normal
    return torch.from_numpy(1 + scaled if key.endswith("weight") else scaled)


class GoldenWeights:
    """Golden state dicts of one backbone; the four RoSTa share most tensors."""

    def __init__(self, backbone: str) -> None:
        self.backbone = backbone
        self.made: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def listing(self, rosta: str) -> Listing:
        keys = json.loads((GOLDEN / "state_dict_keys.json").read_text())
        listing: Listing = keys[f"{self.backbone}_{rosta}"]
        return listing

    def value(self, key: str, shape: list[int]) -> Tensor:
        if (key, tuple(shape)) not in self.made:
            self.made[key, tuple(shape)] = golden_value(key, shape)
        return self.made[key, tuple(shape)]

    def state(self, rosta: str) -> dict[str, Tensor]:
        return {key: self.value(owner or key, shape) for key, shape, owner in self.listing(rosta)}


@pytest.fixture(scope="module", params=BACKBONES)
def golden(request: pytest.FixtureRequest) -> Iterator[GoldenWeights]:
    weights_of = GoldenWeights(request.param)
    yield weights_of
    weights_of.made.clear()
    gc.collect()


@pytest.fixture(scope="module")
def small() -> GoldenWeights:
    return GoldenWeights("r34")


def golden_image() -> Tensor:
    values = np.random.default_rng(0).uniform(0, 2.0, (1, 3, 64, 96)).astype(np.float32)
    return torch.from_numpy(values) / 255  # the published network takes 0-255


def named_output(output: Any, name: str) -> Tensor:
    """`output.tt.alpha` for "tt_fusion", `output.alpha` for "fusion"."""
    *head, kind = name.split("_")
    value = getattr(getattr(output, head[0]) if head else output, kind.replace("fusion", "alpha"))
    assert isinstance(value, Tensor)
    return value


@NEEDS_GOLDEN
@pytest.mark.parametrize("rosta", ROSTAS)
def test_published_weights_give_the_published_network_s_outputs(
    golden: GoldenWeights, rosta: str
) -> None:
    network = gfm_from_published(golden.state(rosta), golden.backbone, rosta)
    with torch.inference_mode():
        output = network(golden_image())
    with np.load(GOLDEN / f"{golden.backbone}_{rosta}.npz") as expected:
        assert len(expected.files) == (10 if rosta == "RIM" else 3)
        for name in expected.files:
            predicted = named_output(output, name).numpy()
            np.testing.assert_allclose(predicted, expected[name], rtol=0, atol=1e-4, err_msg=name)


def outputs_of(state: object, backbone: str = "r34") -> Tensor:
    with torch.inference_mode():
        alpha = gfm_from_published(state, backbone, "TT")(golden_image()).alpha
    assert isinstance(alpha, Tensor)
    return alpha


@NEEDS_GOLDEN
@pytest.mark.parametrize("golden", ["r34", "r34_2b", "d121"], indirect=True)
def test_either_of_two_names_for_the_same_layer_is_enough(golden: GoldenWeights) -> None:
    backbone, state = golden.backbone, golden.state("TT")
    doubled = {key: owner for key, _, owner in golden.listing("TT") if owner}
    assert doubled
    firsts = {key: value for key, value in state.items() if key not in doubled}
    seconds = {key: value for key, value in state.items() if key not in doubled.values()}
    expected = outputs_of(state, backbone)
    assert torch.equal(outputs_of(firsts, backbone), expected)
    assert torch.equal(outputs_of(seconds, backbone), expected)


@NEEDS_GOLDEN
def test_wrappings_of_a_state_dict_are_taken_off(small: GoldenWeights) -> None:
    state = small.state("TT")
    parallel = {f"module.{key}": value for key, value in state.items()}
    expected = outputs_of(state)
    assert torch.equal(outputs_of({"epoch": 3, "state_dict": parallel}), expected)


@NEEDS_GOLDEN
def test_step_counters_may_be_absent_and_half_precision_is_read_as_float32(
    small: GoldenWeights,
) -> None:
    state = {
        key: value.half()
        for key, value in small.state("TT").items()
        if not key.endswith("num_batches_tracked")
    }
    network = gfm_from_published(state, "r34", "TT")
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert not network.training


@NEEDS_GOLDEN
def test_the_network_can_be_trained_on(small: GoldenWeights) -> None:
    network = gfm_from_published(small.state("TT"), "r34", "TT")
    assert all(value.requires_grad for value in network.parameters())
    assert all(not value.is_meta for value in (*network.parameters(), *network.buffers()))


@NEEDS_GOLDEN
def test_a_missing_a_foreign_and_a_misshapen_tensor_are_named(small: GoldenWeights) -> None:
    state = small.state("TT")
    missing = {key: value for key, value in state.items() if key != "decoder0_g.3.weight"}
    with pytest.raises(CheckpointError, match=r"1 of \d+ .* missing \(first 'decoder0_g\.3\.weig"):
        gfm_from_published(missing, "r34", "TT")
    with pytest.raises(CheckpointError, match=r"1 are unknown \(first 'encoder7\.weight'\)"):
        gfm_from_published({**state, "encoder7.weight": torch.zeros(1)}, "r34", "TT")
    flat = {**state, "psp3.0.bias": torch.zeros(64)}
    with pytest.raises(CheckpointError, match=r"'psp3\.0\.bias' is 64 instead of 128"):
        gfm_from_published(flat, "r34", "TT")


@NEEDS_GOLDEN
def test_quantised_weights_are_refused(small: GoldenWeights) -> None:
    state = {**small.state("TT"), "psp3.0.bias": torch.zeros(128, dtype=torch.int8)}
    with pytest.raises(CheckpointError, match=r"'psp3\.0\.bias' is 128 int8 instead of 128"):
        gfm_from_published(state, "r34", "TT")


@NEEDS_GOLDEN
def test_two_names_of_one_layer_with_different_values_are_refused(small: GoldenWeights) -> None:
    state = small.state("TT")
    state["encoder2.0.bn1.bias"] = state["encoder2.0.bn1.bias"] + 1
    with pytest.raises(CheckpointError, match=r"'encoder2\.0\.bn1\.bias' must be the same tensor"):
        gfm_from_published(state, "r34", "TT")


@NEEDS_GOLDEN
@pytest.mark.parametrize(
    ("backbone", "rosta"), [("r34", "FT"), ("r34", "RIM"), ("r34_2b", "TT"), ("r101", "TT")]
)
def test_weights_of_another_backbone_or_rosta_are_refused(
    small: GoldenWeights, backbone: str, rosta: str
) -> None:
    with pytest.raises(CheckpointError, match=f"not a published {backbone} {rosta} state dict"):
        gfm_from_published(small.state("TT"), backbone, rosta)


def test_an_unknown_backbone_or_rosta_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'animatte-s' was never published; choose one of r34"):
        gfm_from_published({}, "animatte-s", "TT")
    with pytest.raises(ValueError, match="'XX' is unknown; choose one of TT, FT, BT, RIM"):
        gfm_from_published({}, "r34", "XX")


class Foreign:
    """An object that a careless checkpoint might hold."""


BAD_PUBLISHED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda f: f / "none.pth", "none.pth: cannot be read: No such file"),
    "folder": (lambda f: f, "cannot be read: Is a directory"),
    "empty": (
        lambda f: with_bytes(f / "e.pth", b""),
        "expected a torch checkpoint, found an empty",
    ),
    "text": (lambda f: with_bytes(f / "t.pth", b"<html>404</html>"), "found another kind of file"),
    "cut": (lambda f: cut(written(f / "c.pth", {"a": torch.zeros(999)}), 0.7), "found a zip file"),
    "cut legacy": (
        lambda f: cut(written(f / "l.pth", {"a": torch.zeros(999)}, legacy=True), 0.7),
        "found a pickle that torch cannot read",
    ),
    "plain pickle": (
        lambda f: with_bytes(f / "p.pth", pickle.dumps({"a": 1}, protocol=2)),
        "found a pickle that torch cannot read",
    ),
    "object": (
        lambda f: written(f / "o.pth", {"a": Foreign()}),
        r"holds a pickled \S*Foreign, which could run code and is refused",
    ),
    "whole module": (
        lambda f: written(f / "m.pth", nn.Conv2d(1, 1, 1)),
        r"holds a pickled torch\.nn\.modules\.conv\.Conv2d, .* save its state_dict\(\) instead",
    ),
    "list": (lambda f: written(f / "i.pth", [1, 2]), "expected a state dict, found a list"),
    "numbers": (lambda f: written(f / "n.pth", {"a": 1}), "found a int at 'a'"),
}


@pytest.mark.parametrize("kind", list(BAD_PUBLISHED))
def test_a_bad_published_file_gets_one_clear_line(kind: str, tmp_path: Path) -> None:
    make, message = BAD_PUBLISHED[kind]
    path = make(tmp_path)
    with pytest.raises(CheckpointError, match=message) as raised:
        load_published(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_published_file_is_read_and_unwrapped(legacy: bool, tmp_path: Path) -> None:
    content = {"state_dict": {"module.a": nn.Parameter(torch.arange(3.0))}, "epoch": 7}
    state = load_published(written(tmp_path / "a.pth", content, legacy))
    assert state["a"].tolist() == [0, 1, 2]
    assert not state["a"].requires_grad
