"""`animatte doctor`: what it finds, and that it says so when something is broken."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from animatte import __version__
from animatte.catalogue import DEFAULT_MODEL, shipped_models
from animatte.cli import app, doctor


def test_a_working_model_is_reported_with_versions_engine_and_time(tiny_model: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--model", str(tiny_model), "--json"])
    report = json.loads(result.stdout)
    assert report["versions"]["animatte"] == __version__
    assert {"python", "platform", "numpy", "onnxruntime", "torch"} <= set(report["versions"])
    assert "CPUExecutionProvider" in report["providers"]
    assert report["cpus"] >= 1
    assert report["run"]["device"] == "cpu"
    assert report["run"]["seconds"] >= 0


def test_the_plain_report_has_a_line_for_each_finding(tiny_model: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--model", str(tiny_model)])
    first_words = {line.split()[0] for line in result.stdout.splitlines()}
    assert {"animatte", "python", "onnxruntime", "providers", "CPUs", "test"} <= first_words


@pytest.mark.skipif(not shipped_models(), reason="this checkout has no weights")
def test_the_default_model_runs_here() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["ok"]
    assert report["run"]["model"] == DEFAULT_MODEL
    assert report["models"][DEFAULT_MODEL].startswith("ok")


def test_a_model_that_does_not_run_is_exit_code_one(tmp_path: Path) -> None:
    (tmp_path / "notes.onnx").write_text("not a model")
    result = CliRunner().invoke(app, ["doctor", "--model", str(tmp_path / "notes.onnx")])
    assert result.exit_code == 1
    assert "test picture" in result.stdout
    assert "FAILED" in result.stdout
    assert "notes.onnx" in result.stdout


def test_a_device_that_is_not_there_is_exit_code_one(tiny_model: Path) -> None:
    arguments = ["doctor", "--model", str(tiny_model), "--device", "abacus", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert not report["ok"]
    assert "abacus" in report["run"]["error"]


def test_a_damaged_model_file_is_found_by_the_installer_s_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"animatte")
    # printf animatte | openssl dgst -sha256 -binary | basenc --base64url
    checksum = "Nb3KdZYObD97i1ZLfQPGYIw6fY_xTp-V66LzlUvQXcI"
    monkeypatch.setattr(doctor, "_recorded_checksum", lambda _: checksum)
    assert doctor.state_of_file(path) == "ok"
    path.write_bytes(b"animatto")
    assert doctor.state_of_file(path).startswith("damaged")


def test_a_development_install_has_no_checksum_to_compare_with(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    assert doctor.state_of_file(path).startswith("ok (development install")
