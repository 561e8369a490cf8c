import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import lively_network
from typer.testing import CliRunner

from animatte.catalogue import WEIGHTS
from animatte.checkpoint import save_checkpoint
from animatte.cli import app
from animatte.engine import load_network
from animatte.models.late_fusion import LFM
from animatte.models.registry import built_network, gfm_config, network_config
from animatte.onnx_file import model_card


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "cat.safetensors"
    save_checkpoint(path, lively_network("tiny", "FT"), gfm_config("tiny", "FT"))
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (70, 45, 3), np.uint8)
    Image.fromarray(pixels).resize((450, 700)).save(path)
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    return result.exit_code, result.output


def test_onnx_is_compared_on_a_photo_too_and_says_opset_and_difference(
    model: Path, photo: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("licence: CC0\n")
    path = tmp_path / "cat.onnx"
    # Of untrained weights float16 makes more than the gate lets pass.
    options = ["--picture", photo, "--card", card, "--full-weights"]
    code, said = run("onnx", model, "-o", path, *options)
    assert code == 0, said
    assert "opset 17, at most" in said
    assert model_card(path)["licence"] == "CC0"


@pytest.mark.parametrize("kind", ["TT", "FT", "BT", "RIM", "lfm-s"])
def test_any_network_as_onnx_cuts_without_torch(
    kind: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = network_config("lfm-s") if kind == "lfm-s" else network_config("tiny", kind)
    torch.manual_seed(0)
    network = built_network(config)
    assert isinstance(network, LFM) is (kind == "lfm-s")
    save_checkpoint(tmp_path / "mine.safetensors", network, config)
    code, said = run("onnx", tmp_path / "mine.safetensors", "-o", tmp_path / "mine.onnx")
    assert code == 0, said
    monkeypatch.setitem(sys.modules, "animatte.torch_engine", None)  # importing it would fail
    arguments = ["cut", str(photo), "--model", str(tmp_path / "mine.onnx")]
    result = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "cut.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "cut.png") as cut:
        assert cut.size == (450, 700)


def test_a_model_that_comes_along_is_exported_by_its_name_with_its_card(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    code, said = run("onnx", "animatte-s", "-o", path)
    assert code == 0, said
    shipped = model_card(WEIGHTS / "animatte-s.onnx")
    assert model_card(path) == shipped
    pixels = np.random.default_rng(0).random((64, 96, 3), np.float32)
    for ours, theirs in zip(
        load_network(path).glance_and_focus(pixels),
        load_network("animatte-s").glance_and_focus(pixels),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_coreml_takes_a_name_too(tmp_path: Path) -> None:
    ct = pytest.importorskip("coremltools")
    path = tmp_path / "Animatte.mlpackage"
    code, said = run("coreml", "animatte-s", "-o", path, "--size", "64x96")
    assert code == 0, said
    description = ct.models.MLModel(str(path), skip_model_load=True).get_spec().description
    assert description.metadata.license == "MIT"


@pytest.mark.parametrize("engine", ["onnx", "coreml"])
def test_a_name_that_is_not_known_is_one_line(engine: str, tmp_path: Path) -> None:
    if engine == "coreml":
        pytest.importorskip("coremltools")
    output = tmp_path / ("a.onnx" if engine == "onnx" else "a.mlpackage")
    code, said = run(engine, "animatte-xl", "-o", output)
    assert (code, said.count("\n")) == (1, 1), said
    assert "model 'animatte-xl' is unknown; choose one of animatte-s" in said
    assert list(tmp_path.iterdir()) == []


def test_coreml_writes_a_package_and_prints_what_was_compared(
    model: Path, photo: Path, tmp_path: Path
) -> None:
    ct = pytest.importorskip("coremltools")
    path = tmp_path / "Cat.mlpackage"
    card = tmp_path / "card.yaml"
    card.write_text("licence: CC0\nsummary: a cat\n")
    code, said = run(
        "coreml", model, "-o", path, "--size", "64x96", "--picture", photo, "--card", card
    )
    assert code == 0, said
    assert "64x96" in said
    assert "conv " in said
    assert "weights and biases, at most" in said
    description = ct.models.MLModel(str(path), skip_model_load=True).get_spec().description
    assert description.metadata.license == "CC0"
    assert description.metadata.shortDescription == "a cat"
    assert json.loads(description.metadata.userDefined["animatte"])["rosta"] == "FT"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "64"], "size '64' is no HEIGHTxWIDTH; write it like 512x704"),
        (["--size", "64x70"], "size 64x70 does not fit the network"),
        (["--size", "32x64"], "from 64 on"),
        (["--size", "64x64", "--size", "64x64"], "each once"),
        (["--quantize", "4bit"], "quantization '4bit' is unknown; choose 8bit or none"),
    ],
)
def test_what_cannot_be_had_is_one_line(
    model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    pytest.importorskip("coremltools")
    code, said = run("coreml", model, "-o", tmp_path / "Cat.mlpackage", *arguments)
    assert (code, said.count("\n")) == (1, 1), said
    assert message in said
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card to be refused before a network is loaded."""
    monkeypatch.setattr("animatte.cli.export._network", lambda _: pytest.fail("the network"))
    return tmp_path / "card.yaml"


@pytest.mark.parametrize("engine", ["onnx", "coreml"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"licence: 'CC0\n", " is not YAML: while scanning a quoted scalar"),
        (b"licence: [CC0\n", " is not YAML: while parsing a flow sequence"),
        (b"author: J\xf6rg\n", " is not YAML: 'utf-8' codec"),
        (b"just words\n", " holds no mapping"),
        (b"trained: 2025-01-31\n", ": 2025-01-31 is a date, which no card can hold; write it in q"),
        (b"sources: [{seen: 2025-01-31 10:00:00}]\n", ": 2025-01-31 10:00:00 is a datetime"),
        (b"2025-01-31: trained\n", ": keys must be str"),
        (b"scores: !!set {a}\n", ": {'a'} is a set, which no card can hold"),
    ],
)
def test_a_card_that_cannot_be_stored_is_one_line(
    card: Path, model: Path, engine: str, content: bytes, message: str
) -> None:
    if engine == "coreml":
        pytest.importorskip("coremltools")
    card.write_bytes(content)
    output = card.with_name("a.onnx" if engine == "onnx" else "a.mlpackage")
    code, said = run(engine, model, "-o", output, "--card", card)
    assert (code, said.count("\n")) == (1, 1), said
    assert said.startswith(f"error: {card}{message}")
    assert list(card.parent.iterdir()) == [card]


def test_what_a_card_says_in_quotes_is_stored(model: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("trained: '2025-01-31'\nscores: {sad: 5.5, none: null}\n")
    code, said = run("onnx", model, "-o", tmp_path / "a.onnx", "--card", card, "--full-weights")
    assert code == 0, said
    stored = model_card(tmp_path / "a.onnx")
    assert (stored["trained"], stored["scores"]) == ("2025-01-31", {"sad": 5.5, "none": None})


def test_a_folder_that_is_no_package_is_not_replaced(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("coremltools")
    folder = tmp_path / "Photos.mlpackage"
    folder.mkdir()
    (folder / "dear.jpg").write_bytes(b"dear")
    code, said = run("coreml", model, "-o", folder)
    assert (code, said.count("\n")) == (1, 1)
    assert "is no Core ML package" in said
    assert (folder / "dear.jpg").read_bytes() == b"dear"


def test_without_coremltools_the_extra_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = __import__("animatte.extras", fromlist=["find_spec"]).find_spec
    monkeypatch.setattr(
        "animatte.extras.find_spec", lambda name: None if name == "coremltools" else honest(name)
    )
    code, said = run("coreml", model, "-o", tmp_path / "Cat.mlpackage")
    assert code == 1
    assert "pip install 'animatte[coreml]'" in said
