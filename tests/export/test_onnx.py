from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from tests.conftest import lively_network
from torch import Tensor, nn
from torch.nn import functional

from animatte.export import onnx as export
from animatte.export.parity import NamedOutputs
from animatte.models.gfm import GFM
from animatte.models.layers import pooling_matrix
from animatte.onnx_file import model_card
from animatte.strategies import views


def smooth_pictures(batch: int, height: int, width: int) -> Tensor:
    coarse = torch.rand(batch, 3, 5, 7, generator=torch.Generator().manual_seed(3))
    return functional.interpolate(coarse, (height, width), mode="bilinear")


def run(path: Path, pictures: Tensor) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": pictures.numpy()}), strict=True))


@pytest.fixture(scope="module")
def full_weights(tiny_network: GFM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "full.onnx"
    report = export.export_onnx(tiny_network, path, card={}, half_weights=False)
    assert report.program < 1e-3
    assert report.rounding == 0
    return path


@pytest.mark.parametrize(
    "size", [(1, 32, 32), (1, 64, 32), (3, 96, 256), (2, 352, 192), (1, 32, 416), (1, 160, 160)]
)
def test_onnx_runtime_computes_what_torch_does_at_sizes_not_traced(
    tiny_network: GFM, full_weights: Path, size: tuple[int, int, int]
) -> None:
    pictures = smooth_pictures(*size)
    outputs = run(full_weights, pictures)
    with torch.inference_mode():
        expected = tiny_network(pictures)
    assert list(outputs) == ["glance", "focus"]
    np.testing.assert_allclose(outputs["glance"], expected.glance, atol=2e-4)
    np.testing.assert_allclose(outputs["focus"], expected.focus, atol=2e-4)
    assert expected.glance.std() > 0.02  # or the comparison would say nothing


def test_uneven_padding_is_followed_at_sizes_not_traced(tmp_path: Path) -> None:
    network = lively_network("animatte-m")
    report = export.export_onnx(network, tmp_path / "m.onnx", card={}, half_weights=False)
    assert report.program < 1e-3
    pictures = smooth_pictures(1, 96, 160)
    with torch.inference_mode():
        expected = network(pictures)
    outputs = run(tmp_path / "m.onnx", pictures)
    np.testing.assert_allclose(outputs["glance"], expected.glance, atol=2e-4)
    np.testing.assert_allclose(outputs["focus"], expected.focus, atol=2e-4)


def test_half_weights_halve_the_file_and_barely_change_the_outputs(
    tiny_network: GFM, full_weights: Path, tiny_model: Path
) -> None:
    assert tiny_model.stat().st_size < 0.53 * full_weights.stat().st_size
    pictures = smooth_pictures(1, 128, 192)
    with torch.inference_mode():
        expected = tiny_network(pictures)
    outputs = run(tiny_model, pictures)
    assert {output.dtype for output in outputs.values()} == {np.dtype(np.float32)}
    differences = np.abs(outputs["glance"] - expected.glance.numpy())
    assert differences.max() < export.ROUNDING_TOLERANCE
    assert 0 < differences.mean() < 1e-3


def test_the_file_is_valid_and_its_batch_norm_is_folded(tiny_model: Path) -> None:
    model = onnx.load(tiny_model)
    onnx.checker.check_model(model, full_check=True)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert [entry.version for entry in model.opset_import] == [export.OPSET]


def test_the_card_says_what_the_network_is_and_takes_what_it_is_given(
    tiny_network: GFM, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "cat.onnx"
    card = {"licence": "CC0", "scores": {"SAD": 1.5}, "strategy": views().as_dict()}
    export.export_onnx(tiny_network, path, card=card)
    written = model_card(path)
    assert {key: written[key] for key in card} == json.loads(json.dumps(card))
    assert (written["format"], written["name"], written["rosta"], written["stride"]) == (
        1, "cat", "TT", 32,
    )  # fmt: skip
    assert written["parameters"] == sum(each.numel() for each in tiny_network.parameters())


def test_rosta_integration_gives_alpha_alone(tiny_rim_model: Path) -> None:
    outputs = run(tiny_rim_model, smooth_pictures(2, 64, 96))
    assert {name: values.shape for name, values in outputs.items()} == {"alpha": (2, 1, 64, 96)}
    assert model_card(tiny_rim_model)["strategy"]["name"] == "whole"


class Spoilt(nn.Module):
    """A network with something added to its outputs, to be traced in its place."""

    def __init__(self, wrapped: NamedOutputs, error: float) -> None:
        super().__init__()
        self.network, self.names = wrapped.network, wrapped.names
        self.wrapped, self.error = wrapped, error

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(output + self.error for output in self.wrapped(image))


@pytest.mark.parametrize("error", [2e-3, float("nan")])
def test_a_file_that_computes_something_else_is_not_left(
    tiny_network: GFM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    honest = export._trace
    # In evaluation, as torch's exporter gives back the mode it found, also to the shared network.
    monkeypatch.setattr(
        export,
        "_trace",
        lambda net, path: honest(Spoilt(net, error).eval(), path),  # type: ignore[arg-type]
    )
    path = tmp_path / "cat.onnx"
    path.write_bytes(b"the one before")
    with pytest.raises(ValueError, match="differs from torch by"):
        export.export_onnx(tiny_network, path, card={})
    assert path.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [path]


def test_where_half_weights_change_too_much_whole_ones_are_stored(
    tiny_network: GFM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROUNDING_TOLERANCE", 1e-7)
    report = export.export_onnx(tiny_network, tmp_path / "cat.onnx", card={})
    assert not report.is_half
    assert report.rounding > 1e-7
    asked = export.export_onnx(tiny_network, tmp_path / "asked.onnx", card={}, half_weights=False)
    assert asked.program == report.program
    sizes = [(tmp_path / name).stat().st_size for name in ("cat.onnx", "asked.onnx")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


def test_the_program_with_half_weights_is_held_to_what_one_with_float_weights_is(
    tiny_network: GFM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = export._halve_weights

    def with_another_sigmoid(model: onnx.ModelProto) -> None:
        honest(model)
        next(node for node in model.graph.node if node.op_type == "Sigmoid").op_type = "HardSigmoid"

    report = export.export_onnx(tiny_network, tmp_path / "cat.onnx", card={})
    assert report.program < 1e-4 < report.rounding < export.ROUNDING_TOLERANCE
    monkeypatch.setattr(export, "_halve_weights", with_another_sigmoid)
    with pytest.raises(ValueError, match="ONNX Runtime with half weights differs from torch"):
        export.export_onnx(tiny_network, tmp_path / "dog.onnx", card={})
    assert [path.name for path in tmp_path.iterdir()] == ["cat.onnx"]


def test_exporting_leaves_the_training_mode_as_it_was(tiny_network: GFM, tmp_path: Path) -> None:
    tiny_network.train()
    try:
        export.export_onnx(tiny_network, tmp_path / "cat.onnx", card={}, half_weights=False)
        assert tiny_network.training
        assert tiny_network.heads.glance_head.hidden.training
    finally:
        tiny_network.eval()


@pytest.mark.parametrize("side", [1, 3, 5])
def test_pooling_by_matrices_is_adaptive_pooling(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for height, width in [(1, 1), (2, 5), (3, 7), (13, 28), (50, 4)]:
        features = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
        rows = pooling_matrix(height, side, features)
        columns = pooling_matrix(width, side, features)
        expected = functional.adaptive_avg_pool2d(features, side)
        torch.testing.assert_close(rows @ features @ columns.transpose(0, 1), expected)
