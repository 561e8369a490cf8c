from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from animatte import engine
from animatte.catalogue import shipped_models
from animatte.engine import Network, OnnxNetwork, load_network
from animatte.onnx_file import model_card, subgraph

if TYPE_CHECKING:
    from animatte.models.gfm import GFM


@pytest.fixture(scope="module")
def picture() -> NDArray[np.float32]:
    rows, columns = np.mgrid[:96, :160].astype(np.float32) / 100
    return np.stack([rows / 2, columns / 2, np.abs(np.sin(7 * rows + 5 * columns))], axis=2)


@pytest.fixture(scope="module")
def network(tiny_model: Path) -> OnnxNetwork:
    return OnnxNetwork(tiny_model, device="cpu", threads=1)


def test_it_knows_what_is_stored_with_the_weights(network: Network) -> None:
    assert (network.name, network.rosta, network.stride) == ("tiny", "TT", 32)
    assert network.device == "cpu"
    assert network.card["licence"] == "MIT"


def test_both_engines_compute_the_same(
    network: Network, tiny_network: GFM, picture: NDArray[np.float32]
) -> None:
    from animatte.torch_engine import TorchNetwork  # noqa: PLC0415

    by_torch: Network = TorchNetwork(tiny_network, "cpu")
    assert (by_torch.rosta, by_torch.stride) == (network.rosta, network.stride)
    assert network.glance(picture).shape == (3, 96, 160)
    assert network.focus(picture).shape == (96, 160)
    np.testing.assert_allclose(network.glance(picture), by_torch.glance(picture), atol=0.02)
    np.testing.assert_allclose(network.focus(picture), by_torch.focus(picture), atol=0.02)
    for ours, theirs in zip(
        network.glance_and_focus(picture), by_torch.glance_and_focus(picture), strict=True
    ):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_one_path_alone_computes_what_it_does_in_the_whole(
    network: OnnxNetwork, picture: NDArray[np.float32]
) -> None:
    glance, focus = network.glance_and_focus(picture)
    np.testing.assert_allclose(network.glance(picture), glance, atol=1e-6)
    np.testing.assert_allclose(network.focus(picture), focus, atol=1e-6)


def test_one_path_alone_leaves_out_the_other_decoder(tiny_model: Path) -> None:
    """ONNX Runtime would run it: its option to execute only the path to an output does nothing."""
    whole = tiny_model.read_bytes()
    models = {name: onnx.load_from_string(subgraph(whole, [name])) for name in ("glance", "focus")}
    weights = {
        name: {tensor.name.removesuffix("_half") for tensor in model.graph.initializer}
        for name, model in models.items()
    }
    all_weights = {
        tensor.name.removesuffix("_half")
        for tensor in onnx.load_from_string(whole).graph.initializer
    }
    for name, model in models.items():
        onnx.checker.check_model(model, full_check=True)
        assert [output.name for output in model.graph.output] == [name]
        assert model_card(subgraph(whole, [name])) == model_card(whole)
    assert weights["glance"] | weights["focus"] == all_weights
    heads = {part: f"network.heads.{part}_head.last.weight" for part in ("glance", "focus")}
    assert heads["glance"] in weights["glance"] - weights["focus"]
    assert heads["focus"] in weights["focus"] - weights["glance"]


def test_the_whole_as_a_subgraph_is_the_whole(tiny_model: Path) -> None:
    whole = tiny_model.read_bytes()
    part = onnx.load_from_string(subgraph(whole, ["glance", "focus"]))
    assert len(part.graph.node) == len(onnx.load_from_string(whole).graph.node)


def test_content_in_memory_does_as_well_as_a_file(
    network: Network, tiny_model: Path, picture: NDArray[np.float32]
) -> None:
    from_bytes = OnnxNetwork(tiny_model.read_bytes(), device="cpu", threads=1)
    np.testing.assert_array_equal(from_bytes.focus(picture), network.focus(picture))


def test_integration_gives_alpha(tiny_rim_model: Path, picture: NDArray[np.float32]) -> None:
    integrated = OnnxNetwork(tiny_rim_model, device="cpu", threads=1)
    assert integrated.rosta == "RIM"
    assert integrated.alpha(picture).shape == (96, 160)


def test_threads_start_sessions_one_at_a_time_and_leave_stdout_as_it_was(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout, started = sys.stdout, []

    def slow_session(*_: object, **__: object) -> object:
        started.append(sys.stdout)
        time.sleep(0.02)
        return object()

    monkeypatch.setattr(onnxruntime, "InferenceSession", slow_session)
    network = OnnxNetwork(tiny_model, device="cpu")
    with ThreadPoolExecutor(4) as pool:
        sessions = list(pool.map(network._session, [("glance",), ("focus",)] * 2))
    assert sys.stdout is stdout
    assert len(started) == 2
    assert sessions[:2] == sessions[2:]


def test_sides_that_the_stride_does_not_divide_are_refused(network: Network) -> None:
    with pytest.raises(ValueError, match=r"30.64; both sides must be divisible by 32"):
        network.focus(np.zeros((30, 64, 3), np.float32))


def test_a_device_that_is_not_there_is_refused_with_what_mends_it(tiny_model: Path) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(ValueError, match=r"'cuda' is not available.*: cpu; .*onnxruntime-gpu"):
        OnnxNetwork(tiny_model, device="cuda")


def test_a_device_that_onnx_runtime_silently_drops_is_refused_too(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pretend_cuda(monkeypatch)
    with pytest.raises(ValueError, match=r"'cuda' is not available: ONNX Runtime could not start"):
        OnnxNetwork(tiny_model, device="cuda")
    assert capfd.readouterr() == ("", "")


def test_auto_takes_what_works_and_says_so(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, picture: NDArray[np.float32]
) -> None:
    pretend_cuda(monkeypatch)
    network = OnnxNetwork(tiny_model, device="auto", threads=1)
    assert network.device == "cpu"
    assert network.focus(picture).shape == (96, 160)


def pretend_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ONNX Runtime say that it has CUDA; sessions still know that it has not."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)


def test_an_unknown_device_is_answered_with_the_known(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="'gpu' is unknown; choose one of auto, cuda"):
        OnnxNetwork(tiny_model, device="gpu")


def test_no_threads_are_refused(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="threads is 0; it must be at least 1"):
        OnnxNetwork(tiny_model, threads=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"this is no model at all", "broken, or not an ONNX file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "broken, or not an ONNX file"),
        (b"\x70\x01", "broken, or not an ONNX file"),  # metadata that is a number
        (b"\x72\x02\x12\x00", "broken, or not an ONNX file"),  # metadata without a key
        (b"\x8a" + bytes([0x80] * 20) + b"\0\0", "broken, or not an ONNX file"),
        (b"", "not an animatte model"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load_network(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    content = tiny_model.read_bytes()
    path = tmp_path / "model.onnx"
    for length in (len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="broken, or not an ONNX file"):
            load_network(path)


def foreign_model(**metadata: str) -> bytes:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")
    )
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [x], [y]))
    onnx.helper.set_model_props(model, metadata)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not an animatte model: its metadata has no 'animatte' entry"),
        ({"author": "somebody"}, "not an animatte model"),
        ({"animatte": '{"format": 2}'}, "has format 2, and this version reads 1"),
        ({"animatte": "{"}, "card cannot be read"),
        ({"animatte": "[3]"}, "card cannot be read"),
        ({"animatte": '{"format": 1}'}, "its card has no name, rosta, stride, licence, parameters"),
    ],
)
def test_an_onnx_file_of_another_program_is_refused(metadata: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OnnxNetwork(foreign_model(**metadata))


def test_a_graph_that_onnx_runtime_refuses_is_one_line() -> None:
    card = (
        '{"format": 1, "name": "odd", "rosta": "TT", "stride": 1, "licence": "", "parameters": 1}'
    )
    odd = OnnxNetwork(foreign_model(animatte=card), device="cpu")
    with pytest.raises(ValueError, match="ONNX Runtime cannot load it") as caught:
        odd.focus(np.zeros((1, 1, 3), np.float32))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cat\.onnx: there is no such file"):
        load_network(tmp_path / "cat.onnx")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
def test_a_pickle_is_sent_to_the_import(suffix: str) -> None:
    with pytest.raises(ValueError, match="animatte models import"):
        load_network(f"r34_TT{suffix}")


def test_an_unknown_model_is_answered_with_the_known(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = shipped_models(tiny_model.parent)
    monkeypatch.setattr(engine, "shipped_models", lambda: cards)
    assert load_network("tiny", "cpu").name == "tiny"
    with pytest.raises(ValueError, match="model 'u2net' is unknown; choose one of tiny, or give"):
        load_network("u2net")


def test_a_checkpoint_is_run_by_torch(
    tiny_network: GFM, tmp_path: Path, picture: NDArray[np.float32], network: Network
) -> None:
    from animatte.checkpoint import save_checkpoint  # noqa: PLC0415
    from animatte.models.registry import gfm_config  # noqa: PLC0415

    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, tiny_network, gfm_config("animatte-s"))
    loaded = load_network(path, "cpu")
    assert (loaded.name, loaded.rosta, loaded.device) == ("mine", "TT", "cpu")
    np.testing.assert_allclose(loaded.focus(picture), network.focus(picture), atol=0.02)
    with pytest.raises(ValueError, match="'tpu' is unknown; choose one of auto, cuda, mps, cpu"):
        load_network(path, "tpu")


def test_a_checkpoint_without_torch_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "animatte.torch_engine", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"'torch' is not installed; pip install 'animatte\[train"):
        load_network("mine.safetensors")


def test_inference_imports_no_torch_and_no_onnx(tiny_model: Path) -> None:
    program = f"""
import sys, numpy, animatte
heavy = [name for name in ("onnxruntime", "cv2", "numpy.fft", "PIL") if name in sys.modules]
assert not set(heavy) & {{"onnxruntime", "cv2", "PIL"}}, heavy
animatte.load({str(tiny_model)!r}, device="cpu").cutout(numpy.zeros((20, 30, 3), numpy.uint8))
print([name for name in ("torch", "onnx", "safetensors", "typer") if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_threads_and_severity_reach_the_session(tiny_model: Path) -> None:
    options: Any = OnnxNetwork(tiny_model, device="cpu", threads=2)._options
    assert (options.intra_op_num_threads, options.log_severity_level) == (2, 3)
