"""The trainer: it learns, it resumes exactly, it stops in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from animatte.checkpoint import load_checkpoint
from animatte.models.encoders.mobilenet_v2 import MobileNetV2
from animatte.training.loop import batch_of, train, training_step
from animatte.training.recipe import read_recipe
from animatte.training.schedule import plans
from animatte.training.sources import network_of, stream_of
from animatte.training.state import fresh_state

STEADY = (
    "stages.0.optimiser={rate: 3e-3, encoder_rate: 3e-3, schedule: {kind: polynomial, warmup: 0}}"
)


def trained(
    recipe_file: Path, folder: Path, *overrides: str, last_step: int | None = None
) -> dict[str, Tensor]:
    return load_file(train(read_recipe(recipe_file, overrides), folder, last_step))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
def test_a_resumed_training_equals_an_unbroken_one_bit_for_bit(
    recipe_file: Path, tmp_path: Path, stop: int
) -> None:
    unbroken = trained(recipe_file, tmp_path / "unbroken")
    trained(recipe_file, tmp_path / "broken", last_step=stop)
    resumed = trained(recipe_file, tmp_path / "broken")
    assert same(unbroken, resumed)


def test_loader_processes_change_nothing(recipe_file: Path, tmp_path: Path) -> None:
    alone = trained(recipe_file, tmp_path / "alone")
    assert same(alone, trained(recipe_file, tmp_path / "helped", "data.workers=2"))


def test_an_epoch_counts_pictures_as_often_as_the_recipe_says(recipe_file: Path) -> None:
    plain = read_recipe(recipe_file)
    many = read_recipe(recipe_file, ["data.sources.0.per_epoch=100"])
    assert stream_of(plain.data, 0).epoch_length == 8
    assert stream_of(many.data, 0).epoch_length == 800


def test_another_seed_gives_another_model(recipe_file: Path, tmp_path: Path) -> None:
    first = trained(recipe_file, tmp_path / "first", last_step=1)
    assert not same(first, trained(recipe_file, tmp_path / "other", "seed=1", last_step=1))


def test_a_batch_that_is_seen_again_and_again_is_learned(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file, [STEADY])
    stream = stream_of(recipe.data, seed=0)
    state = fresh_state(network_of(recipe.network)[0], recipe)
    (plan,) = plans(recipe.stages, stream.epoch_length)
    batch = batch_of([stream[request] for request in next(plan.requests(0, 1))])
    totals = []
    for _ in range(20):
        totals.append(float(training_step(state, batch, recipe, plan)["total"].detach()))
        state.step = 0  # the rate stays
    assert totals[-1] < 0.5 * totals[0]


def test_validation_is_logged_in_its_turn(recipe_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    section = f"{{root: {tmp_path / 'data'}, folders: [discs], every: 2, pictures: 3, view: 64}}"
    trained(recipe_file, folder, f"validation={section}", last_step=4)
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    watched = [record for record in records if "validation" in record]
    assert [record["step"] for record in watched] == [2, 4]
    assert set(watched[0]["validation"]["discs"]) == {"mad", "iou"}


def test_the_model_that_comes_out_holds_the_averaged_weights(
    recipe_file: Path, tmp_path: Path
) -> None:
    model = train(read_recipe(recipe_file), tmp_path / "run")
    network, config = load_checkpoint(model)
    state = torch.load(tmp_path / "run/state.pt", weights_only=True)
    assert config.encoder == "mobilenet_v2_detail"
    name = "trunk.context.bottleneck.weight"
    own = dict(network.named_parameters())[name]
    assert torch.equal(own, state["average"][f"module.{name}"])
    assert not torch.equal(own, state["network"][name])


def test_frozen_modules_keep_their_weights(recipe_file: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    encoder = MobileNetV2().state_dict()
    weights = {name: value for name, value in encoder.items() if "num_batches" not in name}
    save_file(weights, tmp_path / "encoder.safetensors")
    result = trained(
        recipe_file,
        tmp_path / "run",
        f"network.encoder_weights={tmp_path / 'encoder.safetensors'}",
        "network.frozen=[features.0, features.1]",
    )
    for name in ("features.0.0.weight", "features.1.conv.0.0.weight"):
        assert torch.equal(result[f"trunk.encoder.{name}"], encoder[name])
    name = "features.2.conv.0.0.weight"
    assert not torch.equal(result[f"trunk.encoder.{name}"], encoder[name])


def test_a_training_can_begin_from_a_model(recipe_file: Path, tmp_path: Path) -> None:
    model = train(read_recipe(recipe_file), tmp_path / "first")
    still = "stages.0.optimiser={rate: 1e-12, encoder_rate: 1e-12}"
    initial = f"network.initial={model}"
    result = trained(recipe_file, tmp_path / "second", initial, still, last_step=1)
    name = "trunk.context.bottleneck.weight"
    torch.testing.assert_close(result[name], load_file(model)[name])
    with pytest.raises(ValueError, match="holds another network"):
        trained(recipe_file, tmp_path / "third", initial, "network.rosta=FT")


def test_a_training_can_begin_from_the_mean_of_models(recipe_file: Path, tmp_path: Path) -> None:
    models = [
        train(read_recipe(recipe_file, [f"seed={seed}"]), tmp_path / f"run{seed}", last_step=1)
        for seed in (0, 1)
    ]
    section = read_recipe(recipe_file, [f"network.initial=[{models[0]}, {models[1]}]"]).network
    network, _ = network_of(section)
    first, second = (load_file(model) for model in models)
    name = "trunk.context.bottleneck.weight"
    own = dict(network.named_parameters())[name]
    torch.testing.assert_close(own, (first[name] + second[name]) / 2)
    assert not torch.equal(first[name], second[name])


def test_what_is_kept_can_hold_a_share_of_the_first_weights(
    recipe_file: Path, tmp_path: Path
) -> None:
    first = train(read_recipe(recipe_file), tmp_path / "first")
    initial = f"network.initial={first}"
    after = trained(recipe_file, tmp_path / "after", initial, "seed=1")
    kept = trained(recipe_file, tmp_path / "kept", initial, "seed=1", "network.initial_share=0.25")
    name = "trunk.context.bottleneck.weight"
    before = load_file(first)[name]
    assert not torch.equal(before, after[name])
    torch.testing.assert_close(kept[name], 0.75 * after[name] + 0.25 * before)


def test_bfloat16_trains_too(recipe_file: Path, tmp_path: Path) -> None:
    result = trained(recipe_file, tmp_path / "run", "precision=bf16", last_step=2)
    assert all(torch.isfinite(value).all() for value in result.values())


def test_a_loss_that_is_no_number_stops_the_training(recipe_file: Path, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf) at step"):
        trained(recipe_file, tmp_path / "run", "stages.0.loss.glance=1e300")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_refused(recipe_file: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/state.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"state\.pt is no training state of this recipe"):
        trained(recipe_file, tmp_path / "run")


def test_a_training_is_not_resumed_by_another_recipe(recipe_file: Path, tmp_path: Path) -> None:
    trained(recipe_file, tmp_path / "run", last_step=1)
    with pytest.raises(ValueError, match="begun with another one"):
        trained(recipe_file, tmp_path / "run", "stages.0.optimiser.rate=1e-5")
    trained(recipe_file, tmp_path / "run", "data.workers=1", "save_every=3", last_step=2)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("data.root=nowhere", "nowhere.discs.* is no folder"),
        ("network.encoder_weights=gone.safetensors", r"gone\.safetensors"),
        ("network.frozen=[features.99]", "features.99"),
        ("network.name=resnet9000", "'resnet9000' is unknown"),
        ("data.sources=[{folder: discs, exclude: ['']}]", "leaves no picture"),
        ("stages.0.loss={whiskers: 1}", "whiskers"),
        ("stages.0.trained=[whiskers]", "names 'whiskers'"),
        ("stages.0.statistics=[whiskers]", "names 'whiskers'"),
        ("network={name: lfm-s, rosta: TT}", "has no RoSTa"),
    ],
)
def test_what_is_missing_is_named_before_any_work(
    recipe_file: Path, tmp_path: Path, override: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        trained(recipe_file, tmp_path / "run", override)


def test_records_reach_the_caller_and_the_log(recipe_file: Path, tmp_path: Path) -> None:
    records: list[Any] = []
    train(read_recipe(recipe_file), tmp_path / "run", on_record=records.append)
    logged = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in logged] == records
    assert records[-1]["step"] == 6
    terms = [records[-1][name] for name in ("glance", "focus_l1", "merged_l1", "merged_laplacian")]
    assert records[-1]["total"] == pytest.approx(np.sum(terms), abs=1e-4)
