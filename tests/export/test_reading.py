from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import pytest
import torch
from tests.conftest import CHECKPOINTS, lively_network

from animatte.catalogue import EXAMPLE, WEIGHTS
from animatte.checkpoint import load_checkpoint
from animatte.export import reading
from animatte.export.onnx import export_onnx
from animatte.export.wrapping import resized
from animatte.images import read_photo
from animatte.models.registry import built_network, network_config


@pytest.mark.parametrize(
    ("name", "rosta"), [("animatte-s", "BT"), ("tiny", "RIM"), ("d121", "TT"), ("lfm-s", None)]
)
def test_weights_read_back_compute_what_those_written_do(
    name: str, rosta: str | None, tmp_path: Path
) -> None:
    network = lively_network(name, rosta)
    export_onnx(network, tmp_path / "a.onnx", card={}, half_weights=False)
    other = built_network(network_config(name, rosta)).eval()
    stored = reading.stored_weights(onnx.load(tmp_path / "a.onnx"), other)
    other.load_state_dict(stored, strict=False)
    pictures = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours, theirs = network(pictures).alpha, other(pictures).alpha
    assert theirs.std() > 1e-3  # or the comparison would say nothing
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_a_shipped_model_comes_back_as_the_network_of_its_checkpoint() -> None:
    network, card = reading.network_from_onnx(WEIGHTS / "animatte-s.onnx")
    checkpoint, _ = load_checkpoint(CHECKPOINTS / "animatte-s.safetensors")
    assert card["licence"] == "MIT"
    picture = resized(read_photo(EXAMPLE).image, (192, 288))
    with torch.inference_mode():
        ours, theirs = network(picture).focus, checkpoint(picture).focus
    assert (ours - theirs).abs().max() < 0.02  # float16 weights
    assert theirs.std() > 0.02  # or the comparison would say nothing


def test_a_shipped_model_is_the_graph_that_is_exported_today(tmp_path: Path) -> None:
    """A graph of older code may compute the same and take longer."""
    network, _ = load_checkpoint(CHECKPOINTS / "animatte-s.safetensors")
    export_onnx(network, tmp_path / "a.onnx", card={})
    today, shipped = (
        Counter(node.op_type for node in onnx.load(path).graph.node)
        for path in (tmp_path / "a.onnx", WEIGHTS / "animatte-s.onnx")
    )
    assert shipped == today


def test_a_file_of_a_network_without_a_name_is_one_line(tmp_path: Path) -> None:
    export_onnx(lively_network("tiny"), tmp_path / "mine.onnx", card={})
    with pytest.raises(ValueError, match="'mine', no network that is known by name; give the"):
        reading.network_from_onnx(tmp_path / "mine.onnx")


def test_a_file_of_another_network_is_one_line(tmp_path: Path) -> None:
    export_onnx(lively_network("tiny"), tmp_path / "a.onnx", card={"name": "animatte-s"})
    with pytest.raises(ValueError, match="is of another network: "):
        reading.network_from_onnx(tmp_path / "a.onnx")


def test_a_file_that_computes_something_else_than_its_weights_say_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.onnx"
    export_onnx(lively_network("tiny"), path, card={"name": "tiny"})
    model = onnx.load(path)
    next(node for node in model.graph.node if node.op_type == "Sigmoid").op_type = "HardSigmoid"
    onnx.save(model, path)
    with pytest.raises(ValueError, match="as read differs from torch"):
        reading.network_from_onnx(path)


def test_late_fusion_cannot_come_back_whole(tmp_path: Path) -> None:
    export_onnx(lively_network("lfm-s"), tmp_path / "a.onnx", card={"name": "lfm-s"})
    with pytest.raises(ValueError, match="which inference does without; give the"):
        reading.network_from_onnx(tmp_path / "a.onnx")
