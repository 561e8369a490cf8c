"""What a run leaves beside its weights: logs, curves, sample pictures, what it was made of."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from animatte.checkpoint import load_checkpoint
from animatte.training.loading import loaded
from animatte.training.logs import Record, Reporter
from animatte.training.loop import train
from animatte.training.provenance import data_manifest, git_commit
from animatte.training.recipe import Recipe, read_recipe
from animatte.training.schedule import plans
from animatte.training.sheets import sample_sheet
from animatte.training.sources import stream_of
from animatte.training.validation import is_better


class Finished(NamedTuple):
    """A run, what it logged, and what its reporter heard."""

    recipe: Recipe
    folder: Path
    records: list[dict[str, Any]]
    heard: list[Record]


class Listener(Reporter):
    def __init__(self) -> None:
        self.records: list[Record] = []

    def on_record(self, record: Record) -> None:
        self.records.append(record)


@pytest.fixture(scope="module")
def finished(shared_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    root = shared_recipe.parent / "data"
    section = f"{{root: {root}, folders: [discs], every: 2, pictures: 3, view: 64}}"
    recipe = read_recipe(shared_recipe, [f"validation={section}", "log_every=2", "save_every=3"])
    folder, listener = tmp_path_factory.mktemp("finished"), Listener()
    train(recipe, folder, reporter=listener)
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return Finished(recipe, folder, [json.loads(line) for line in lines], listener.records)


def test_records_reach_the_reporter_and_the_log(finished: Finished) -> None:
    assert finished.records == finished.heard
    steps = [record for record in finished.records if "loss" in record]
    assert [record["step"] for record in steps] == [2, 4, 6]
    for record in steps:
        weighted = finished.recipe.stages[0].loss
        total = sum(weight * record["loss"][name] for name, weight in weighted.items())
        assert record["loss"]["total"] == pytest.approx(total, rel=1e-4)
        assert record["samples_per_second"] > 0
        assert 0 <= record["waiting"] <= 1
    assert steps[1]["epoch"] == 1  # four batches of two, of eight pictures


def test_validation_is_logged_in_its_turn_and_the_best_model_kept(finished: Finished) -> None:
    watched = [record for record in finished.records if "validation" in record]
    assert [record["step"] for record in watched] == [2, 4, 6]
    assert set(watched[0]["validation"]) == {"discs", "all folders"}
    assert {"sad", "mse", "mad", "iou"} <= set(watched[0]["validation"]["discs"])
    best = min(watched, key=lambda record: record["validation"]["all folders"]["mad"])
    state = torch.load(finished.folder / "checkpoints/step-00000006.pt", weights_only=True)
    assert state["best"] == pytest.approx(best["validation"]["all folders"]["mad"], rel=1e-4)
    load_checkpoint(finished.folder / "tiny.best.safetensors")
    if best["step"] == 6:
        best_weights, last = (
            load_file(finished.folder / f"tiny{part}.safetensors") for part in (".best", "")
        )
        assert all(torch.equal(value, last[name]) for name, value in best_weights.items())


def test_iou_is_better_when_greater_and_errors_when_less() -> None:
    assert is_better(0.9, None, "iou")
    assert is_better(0.9, 0.8, "iou")
    assert not is_better(0.9, 0.8, "mad")
    assert is_better(0.1, 0.2, "sad")


def test_tensorboard_reads_the_curves_and_sample_pictures(finished: Finished) -> None:
    events = EventAccumulator(str(finished.folder / "tensorboard"))
    events.Reload()
    curve = {event.step: event.value for event in events.Scalars("loss/total")}
    logged = {each["step"]: each["loss"]["total"] for each in finished.records if "loss" in each}
    assert curve == pytest.approx(logged, rel=1e-4)
    assert len(events.Scalars("validation/discs/mad")) == 3
    assert [event.step for event in events.Images("samples")] == [3, 6]
    sheet = Image.open(io.BytesIO(events.Images("samples")[0].encoded_image_string))
    assert sheet.size == (5 * 64, 2 * 64)


def test_a_sheet_shows_photo_and_truth_beside_what_is_found(finished: Finished) -> None:
    recipe = finished.recipe
    stream = stream_of(recipe.data, recipe.seed)
    requests = next(plans(recipe.stages, 8)[0].requests(0, 1))
    batch = loaded([stream[request] for request in requests]).batch
    network, _ = load_checkpoint(finished.folder / "tiny.safetensors")
    sheet = sample_sheet(network, batch)
    photo = batch.image.permute(0, 2, 3, 1).flatten(0, 1).numpy() * 255
    truth = batch.alpha.flatten(0, 2).numpy() * 255
    np.testing.assert_allclose(sheet[:, :64], photo, atol=0.51)
    np.testing.assert_allclose(sheet[:, -64:, 0], truth, atol=0.51)


def test_the_recipe_in_the_folder_can_be_trained_by(finished: Finished) -> None:
    assert read_recipe(finished.folder / "recipe.yaml") == finished.recipe


def test_versions_and_device_are_written_at_each_start(finished: Finished) -> None:
    (start,) = json.loads((finished.folder / "starts.json").read_text())
    assert start["step"] == 0
    assert start["versions"]["torch"] == torch.__version__
    assert (start["device"], start["processes"]) == ("cpu", 1)


def test_the_manifest_names_each_file_and_tells_when_one_has_changed(
    recipe_file: Path, discs: Path
) -> None:
    recipe = read_recipe(recipe_file)
    stream = stream_of(recipe.data, recipe.seed)
    before = data_manifest(stream, recipe.data.root)
    files = sorted([*discs.rglob("*.png")])
    assert [name for name, _, _ in before["files"]] == [
        str(path.relative_to(recipe.data.root)) for path in files
    ]
    assert before["bytes"] == sum(path.stat().st_size for path in files)
    assert data_manifest(stream, recipe.data.root) == before
    content = bytearray(files[0].read_bytes())
    content[-1] ^= 1
    files[0].write_bytes(bytes(content))
    assert data_manifest(stream, recipe.data.root)["sha256"] != before["sha256"]


def test_the_commit_is_that_of_the_checkout_and_marked_where_files_have_changed(
    tmp_path: Path,
) -> None:
    def git(*arguments: str) -> str:
        person = ["-c", "user.name=n", "-c", "user.email=e"]
        command = ["git", "-C", str(tmp_path), *person, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    file = tmp_path / "code.py"
    file.write_text("one")
    assert git_commit(file) is None
    git("init", "-q")
    git("add", "code.py")
    git("commit", "-qm", "one")
    assert git_commit(file) == git("rev-parse", "HEAD")
    assert git_commit(tmp_path / "untracked.py") is None
    file.write_text("two")
    assert git_commit(file) == git("rev-parse", "HEAD") + "+"


def test_the_best_by_another_score_is_looked_for_anew(shared_recipe: Path, tmp_path: Path) -> None:
    root = shared_recipe.parent / "data"
    watched = f"validation={{root: {root}, folders: [discs], every: 1, pictures: 3, best: "
    train(read_recipe(shared_recipe, [f"{watched}mad}}"]), tmp_path, last_step=1)
    best = tmp_path / "tiny.best.safetensors"
    best.unlink()
    train(read_recipe(shared_recipe, [f"{watched}mad}}"]), tmp_path, last_step=1)
    assert not best.exists()
    train(read_recipe(shared_recipe, [f"{watched}sad}}"]), tmp_path, last_step=2)
    assert best.exists()
