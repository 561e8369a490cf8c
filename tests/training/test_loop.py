"""The trainer: what it learns, what it leaves alone, what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from animatte.checkpoint import load_checkpoint
from animatte.models.encoders.efficientnet_lite import EfficientNetLite
from animatte.models.registry import gfm_config
from animatte.training.devices import learner_of
from animatte.training.loading import batches
from animatte.training.loop import train, training_step
from animatte.training.recipe import read_recipe
from animatte.training.runs import opened_run
from animatte.training.sources import network_of, state_to_share, stream_of

STEADY = (
    "stages.0.optimiser={rate: 3e-3, encoder_rate: 3e-3, schedule: {kind: polynomial, warmup: 0}}"
)


def trained(
    recipe_file: Path, folder: Path, *overrides: str, last_step: int | None = None
) -> dict[str, Tensor]:
    return load_file(train(read_recipe(recipe_file, overrides), folder, last_step))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_loader_processes_change_nothing(recipe_file: Path, tmp_path: Path) -> None:
    alone = trained(recipe_file, tmp_path / "alone")
    assert same(alone, trained(recipe_file, tmp_path / "helped", "data.workers=2"))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_is_named_in_one_line(
    recipe_file: Path, tmp_path: Path, discs: Path, workers: int
) -> None:
    for path in (discs / "image").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    recipe = read_recipe(recipe_file, [f"data.workers={workers}"])
    with pytest.raises(ValueError, match=r"^/.*discs/image/\d\.png") as caught:
        train(recipe, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_an_epoch_counts_pictures_as_often_as_the_recipe_says(recipe_file: Path) -> None:
    plain = read_recipe(recipe_file)
    many = read_recipe(recipe_file, ["data.sources.0.per_epoch=100"])
    assert stream_of(plain.data, 0).epoch_length == 8
    assert stream_of(many.data, 0).epoch_length == 800


def test_another_seed_gives_another_model(recipe_file: Path, tmp_path: Path) -> None:
    first = trained(recipe_file, tmp_path / "first", last_step=1)
    assert not same(first, trained(recipe_file, tmp_path / "other", "seed=1", last_step=1))


def test_a_batch_that_is_seen_again_and_again_is_learned(recipe_file: Path, tmp_path: Path) -> None:
    totals = []
    with opened_run(read_recipe(recipe_file, [STEADY]), tmp_path / "run") as run:
        (plan,) = run.plans
        learner = learner_of(run.state, run.accelerator)
        requests = plan.requests(0, 1)
        (parts,) = batches(run.stream, requests, run.accelerator, workers=0, pace=run.pace)
        for _ in range(20):
            losses, _, _ = training_step(run, learner, plan, parts)
            totals.append(losses["total"])
            run.state.step = 0  # the rate stays
    assert totals[-1] < 0.5 * totals[0]


def test_the_model_that_comes_out_holds_the_averaged_weights(
    recipe_file: Path, tmp_path: Path
) -> None:
    model = train(read_recipe(recipe_file), tmp_path / "run")
    network, config = load_checkpoint(model)
    state = torch.load(tmp_path / "run/checkpoints/step-00000006.pt", weights_only=True)
    assert config == gfm_config("animatte-s")
    name = "trunk.context.bottleneck.weight"
    own = dict(network.named_parameters())[name]
    assert torch.equal(own, state["average"][f"module.{name}"])
    assert not torch.equal(own, state["network"][name])


def test_frozen_modules_keep_their_weights(recipe_file: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    encoder = EfficientNetLite(1.0, 1.1).state_dict()
    weights = {name: value for name, value in encoder.items() if "num_batches" not in name}
    save_file(weights, tmp_path / "encoder.safetensors")
    result = trained(
        recipe_file,
        tmp_path / "run",
        f"network.encoder_weights={tmp_path / 'encoder.safetensors'}",
        "network.frozen=[features.0, features.1]",
    )
    for name in ("features.0.0.weight", "features.1.0.block.0.0.weight"):
        assert torch.equal(result[f"trunk.encoder.{name}"], encoder[name])
    name = "features.2.0.block.0.0.weight"
    assert not torch.equal(result[f"trunk.encoder.{name}"], encoder[name])


def test_a_training_can_begin_from_a_model(recipe_file: Path, tmp_path: Path) -> None:
    model = train(read_recipe(recipe_file), tmp_path / "first")
    still = "stages.0.optimiser={rate: 1e-12, encoder_rate: 1e-12}"
    initial = f"network.initial={model}"
    unread = "network.encoder_weights=imagenet"
    result = trained(recipe_file, tmp_path / "second", initial, unread, still, last_step=1)
    name = "trunk.context.bottleneck.weight"
    torch.testing.assert_close(result[name], load_file(model)[name])
    with pytest.raises(ValueError, match="holds another network"):
        trained(recipe_file, tmp_path / "third", initial, "network.rosta=FT")


def fresh_encoder(recipe_file: Path, file: Path) -> dict[str, Tensor]:
    """Write other weights of the recipe's encoder, with torchvision's names."""
    torch.manual_seed(5)
    encoder = network_of(read_recipe(recipe_file).network)[0].encoder
    state = encoder.state_dict()
    fresh = {name: state[name] for name in state if not name.startswith("detail.")}
    save_file(fresh, file)
    return fresh


def anew(model: Path, encoder: Path) -> list[str]:
    return [
        f"network.initial={model}",
        f"network.encoder_weights={encoder}",
        "network.encoder_anew=true",
    ]


def test_the_encoder_can_begin_anew_beside_decoders_that_were_trained(
    recipe_file: Path, tmp_path: Path
) -> None:
    model = train(read_recipe(recipe_file), tmp_path / "first")
    fresh = fresh_encoder(recipe_file, tmp_path / "encoder.safetensors")
    overrides = anew(model, tmp_path / "encoder.safetensors")
    network, _ = network_of(read_recipe(recipe_file, overrides).network)
    state, before = network.state_dict(), load_file(model)
    for name in ("trunk.context.bottleneck.weight", "heads.glance_head.last.weight"):
        assert torch.equal(state[name], before[name])
    weights = {name: value for name, value in fresh.items() if value.ndim == 4}
    for name, value in weights.items():
        assert torch.equal(state[f"trunk.encoder.{name}"], value)
        assert not torch.equal(before[f"trunk.encoder.{name}"], value)
    still = "stages.0.optimiser={rate: 1e-12, encoder_rate: 1e-12}"
    share = "network.initial_share=0.25"
    kept = trained(recipe_file, tmp_path / "kept", *overrides, still, share, last_step=1)
    for name, value in weights.items():
        whole = f"trunk.encoder.{name}"
        torch.testing.assert_close(kept[whole], 0.75 * value + 0.25 * before[whole])


def test_of_a_grown_network_whose_encoder_begins_anew_only_the_encoder_is_shared_as_it_was(
    shared_recipe: Path, tmp_path: Path
) -> None:
    model = train(read_recipe(shared_recipe), tmp_path / "narrow", last_step=1)
    fresh_encoder(shared_recipe, tmp_path / "encoder.safetensors")
    overrides = [*anew(model, tmp_path / "encoder.safetensors"), "network.initial_share=0.5"]
    section = read_recipe(shared_recipe, [*overrides, "network.width=2"]).network
    network, _ = network_of(section)
    begun, shared = network.state_dict(), state_to_share(section, network)
    differing = {name for name in begun if not torch.equal(begun[name], shared[name])}
    assert differing
    assert all(name.startswith("trunk.encoder.") for name in differing)


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
