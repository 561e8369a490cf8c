"""`animatte models`: the list, and published checkpoints brought in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from animatte.catalogue import ModelCard
from animatte.checkpoint import PUBLISHED_ENCODERS, published_names
from animatte.cli import app
from animatte.models.registry import built_gfm, gfm_config


def models(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["models", *arguments])


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """The only model there is."""
    path = tmp_path / "lynx.onnx"
    path.write_bytes(bytes(5_200_000))
    card = ModelCard(
        name="lynx",
        path=path,
        rosta="TT",
        parameters=2_610_000,
        summary="finds [lynx] ears",
        licence="MIT",
        sources=({"name": "lynxes of the Alps", "licence": "CC BY 4.0"},),
        scores={"pets IoU": 0.946, "MAD": 0.015},
    )
    monkeypatch.setattr("animatte.catalogue.shipped_models", lambda: [card])
    return card


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_the_list_shows_size_licences_and_scores(card: ModelCard, arguments: list[str]) -> None:
    result = models(*arguments)
    assert result.exit_code == 0
    for expected in (
        "lynx: finds [lynx] ears",
        "2.6 M parameters, 5.2 MB",
        "MIT",
        "lynxes of the Alps, CC BY 4.0",
        "pets IoU 0.946",
        "MAD 0.015",
    ):
        assert expected in result.stdout


@pytest.mark.parametrize("arguments", [["--json"], ["list", "--json"]])
def test_the_list_as_json(card: ModelCard, arguments: list[str]) -> None:
    (values,) = json.loads(models(*arguments).stdout)
    assert values["name"] == "lynx"
    assert values["parameters"] == 2_610_000
    assert values["bytes"] == 5_200_000
    assert values["licence"] == "MIT"
    assert values["scores"] == {"pets IoU": 0.946, "MAD": 0.015}
    assert values["sources"] == [{"name": "lynxes of the Alps", "licence": "CC BY 4.0"}]


def stand_in(path: Path) -> int:
    """A published r34 TT checkpoint of zeros, with next to nothing on disk; its parameters."""
    config = gfm_config("r34", "TT")
    with torch.device("meta"):
        network = built_gfm(config)
    starts = published_names(config, PUBLISHED_ENCODERS["r34"].names)
    state = {}
    for name, value in network.state_dict().items():
        if not name.endswith(("num_batches_tracked", "offset", "scale")):
            start = next((ours for ours in starts if name.startswith(ours)), "")
            published = starts.get(start, "") + name.removeprefix(start)
            state[published] = torch.zeros(()).expand(value.shape)
    torch.save(state, path)
    return sum(parameter.numel() for parameter in network.parameters())


def test_a_published_checkpoint_becomes_a_model_file(tmp_path: Path) -> None:
    num_parameters = stand_in(tmp_path / "gfm.pth")
    output = tmp_path / "gfm.safetensors"
    try:
        result = models("import", str(tmp_path / "gfm.pth"), "--backbone", "r34")
        assert result.exit_code == 0, result.output
        assert f"gfm.safetensors  {num_parameters / 1e6:.1f} M parameters, " in result.stdout
        with safe_open(output, "pt") as file:
            config = json.loads(file.metadata()["animatte"])["config"]
        assert (config["encoder"], config["rosta"]) == ("resnet34", "TT")
    finally:
        output.unlink(missing_ok=True)  # it has 200 MB


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pth", "--backbone", "r34"], "missing.pth"),
        (["notes.pth", "--backbone", "r34"], "notes.pth"),
        (["notes.pth", "--backbone", "r99"], "r99"),
        (["notes.pth", "--backbone", "r34", "--rosta", "XX"], "XX"),
        (["notes.pth", "--backbone", "r34", "-o", "x.onnx"], ".safetensors"),
        (["a.safetensors", "--backbone", "r34"], "is the checkpoint itself"),
        (["a.safetensors", "--backbone", "r34", "-o", "./a.safetensors"], "checkpoint itself"),
    ],
)
def test_mistakes_end_in_one_line_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.pth").write_text("not a checkpoint")
    Path("a.safetensors").write_text("not a checkpoint")
    result = models("import", *arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "notes.pth"]


def test_without_torch_one_line_names_the_installation() -> None:
    program = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from animatte.cli import app\n"
        "app(['models', 'import', 'gfm.pth', '--backbone', 'r34'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == ("error: torch is not installed; run: pip install 'animatte[train]'\n")
