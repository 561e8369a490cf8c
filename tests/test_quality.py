"""The comparison with other programs, on two tiny pictures."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import peers, quality, views
from onnx import TensorProto, helper, save
from PIL import Image

from animatte.evaluation.cases import folder_pictures
from animatte.strategies import named_strategy

SIZE = (48, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of a red disc on green, near the middle, with their alphas."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    for part in ("image", "alpha"):
        (tmp_path / "discs" / part).mkdir(parents=True)
    for number, middle in enumerate((28, 36)):
        disc = np.hypot(rows - 24, columns - middle) < 14
        noise = np.random.default_rng(number).integers(0, 30, (*SIZE, 3))
        colours = np.where(disc[:, :, None], [200, 40, 30], [30, 160, 60]) + noise
        image, alpha = (tmp_path / "discs" / part / f"{number}.png" for part in ("image", "alpha"))
        Image.fromarray(colours.astype(np.uint8)).save(image)
        Image.fromarray(np.where(disc, 255, 0).astype(np.uint8)).save(alpha)
    return tmp_path / "discs"


@pytest.fixture
def red_model(tmp_path: Path) -> Path:
    """A network whose output is its input's first plane, of 32 × 32."""
    path = tmp_path / "red.onnx"
    sides = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])]
    out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 32, 32])]
    first = helper.make_tensor("first", TensorProto.INT64, [1], [0])
    gather = helper.make_node("Gather", ["x", "first"], ["y"], axis=1)
    graph = helper.make_graph([gather], "red", sides, out, [first])
    opset = helper.make_opsetid("", 17)
    save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


def test_every_contestant_is_scored_and_who_is_missing_is_named(
    folder: Path,
    red_model: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    red = f"onnx={red_model},size=32,mean=0,deviation=1,stretched=yes"
    arguments = [str(folder), "--model", str(tiny_model), "--peer", "grabcut", "--peer", red]
    arguments += ["--peer", "modnet", "--peer", "rvm=none.onnx"]
    monkeypatch.setattr(sys, "argv", ["quality.py", *arguments])
    quality.main()
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in lines if "(" in line}
    assert set(rows) >= {"tiny", "grabcut", "red"}
    overlap = {name: float(rows[name][0].split()[0]) for name in ("tiny", "grabcut", "red")}
    assert overlap["grabcut"] > 0.95
    assert overlap["red"] > 0.9
    assert overlap["tiny"] < 0.9
    assert float(rows["tiny"][-1]) == 1
    missing = [line for line in lines if line.startswith("skipped: ")]
    assert [line.split(": ")[1] for line in missing] == ["modnet", "rvm"]


def test_all_take_their_turn_at_every_picture(folder: Path) -> None:
    """The first picture warms up; then who begins changes from picture to picture."""
    called: list[str] = []

    def named(name: str) -> peers.Peer:
        def peer(image: peers.Array) -> peers.Array:
            called.append(name)
            return np.ones(image.shape[:2], np.float32)

        return peer

    cases = folder_pictures(folder).cases
    found = quality.turns({"a": named("a"), "b": named("b")}, cases)
    assert called == ["a", "b", "a", "b", "b", "a"]
    assert [turn.scores["iou"] for turn in found["a"]] == [
        turn.scores["iou"] for turn in found["b"]
    ]


def test_a_photo_is_prepared_as_declared() -> None:
    image = np.full((20, 40, 3), 0.5, np.float32)
    whole = peers.Preparation(size=32, mean=(0.25,) * 3, deviation=(0.5,) * 3)
    np.testing.assert_allclose(whole.planes(image), np.full((1, 3, 32, 32), 0.5))
    kept = peers.Preparation(longer_side=128)
    assert kept.planes(image).shape == (1, 3, 64, 128)
    ramp = np.linspace(2, 4, 32 * 32, dtype=np.float32).reshape(1, 1, 32, 32)
    assert np.ptp(peers.Preparation(stretched=True).alpha(ramp, (32, 32))) == 1


@pytest.mark.parametrize("name", ["u2net", "isnet-general-use"])
def test_rembg_without_weights_is_skipped_and_not_downloaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    for variable in ("U2NET_HOME", "REMBG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(peers.SkippedError, match=f"{name}.onnx is in none of"):
        peers.peer_named(f"rembg:{name}", 1)


@pytest.mark.parametrize("text", ["magic", "onnx=FILE,colour=blue"])
def test_what_is_unknown_is_refused(text: str, red_model: Path) -> None:
    with pytest.raises(ValueError, match="is unknown; choose"):
        peers.peer_named(text.replace("FILE", str(red_model)), 1)


def test_models_of_one_name_are_told_apart(tiny_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(tiny_model.read_bytes())
    peer = f"onnx={other},size=32"
    contestants, _ = quality.entered([str(tiny_model), str(other)], [peer, peer + "0"], threads=1)
    first, second, third, fourth = contestants
    assert second == f"{first}, {other}"
    assert fourth == f"{third}, {peer}0"


def test_views_are_compared_in_one_run(
    folder: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["64/0/96", "64/96/96+cubic+sharpness=2"]
    flags = [part for text in asked for part in ("--view", text)]
    monkeypatch.setattr(
        sys, "argv", ["views.py", str(folder), "--model", str(tiny_model), "--count", "1", *flags]
    )
    views.main()
    printed = capsys.readouterr().out
    assert "discs, 1 of 2 pictures" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| 64")]
    assert [row.split(" | ")[0] for row in rows] == [f"| {text}" for text in asked]
    assert rows[0].endswith("| 1.00 |")


def test_a_view_says_how_glance_and_focus_merge() -> None:
    plain, other = (
        views.strategy_of("320/384/704"),
        views.strategy_of("320/0/512+cubic+sharpness=2"),
    )
    assert plain == replace(named_strategy("view"), name="320/384/704")
    assert (other.mirrored, other.guided, other.sharpness) == (None, False, 2)


@pytest.mark.parametrize("text", ["320", "320/448/wide", "320/448/704+round", "1/2/3+sharpness=a"])
def test_what_is_no_view_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is none .*; write it as 320/384/704"):
        views.strategy_of(text)
