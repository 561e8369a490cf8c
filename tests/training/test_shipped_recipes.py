"""Every shipped recipe on a tiny tree in its data sets' published layout: it builds and steps."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from animatte.data.dataset import Request
from animatte.models.registry import built_network, gfm_config
from animatte.training.beginning import check_batches
from animatte.training.loop import train
from animatte.training.objective import asked_planes, term_names
from animatte.training.recipe import Recipe, read_recipe
from animatte.training.recipe_files import shipped_recipes
from animatte.training.schedule import plans
from animatte.training.sources import stream_of
from animatte.training.state import set_trained

GFM_NAMES = next(names for family, names in shipped_recipes().items() if family.startswith("gfm"))
OTHERS = [
    name
    for family, names in shipped_recipes().items()
    for name in names
    if not family.startswith("gfm")
]
SMALL = [
    "network.encoder_weights=null",
    "data.workers=0",
    "data.view.crops=[64]",
    "stages.0.phases=[{steps: 2, size: 64, batch: 2}]",
    "save_every=2",
]


def losses(folder: Path) -> list[dict[str, float]]:
    """The loss terms that a run logged, by and by."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return [record.get("loss", record) for record in records if "validation" not in record]


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AM-2k with four pictures, BG-20k with three and COCO with two, as they are unpacked."""
    root = tmp_path_factory.mktemp("published")
    rng = np.random.default_rng(0)
    for index in range(4):
        disc = np.zeros((90, 120), np.uint8)
        cv2.circle(disc, (60, 45), 24 + index, 255, -1)
        alpha = cv2.GaussianBlur(disc, (0, 0), 2)
        share = alpha[..., None] / 255
        layers = rng.integers(120, 256, (90, 120, 3)), rng.integers(0, 120, (90, 120, 3))
        image = share * layers[0] + (1 - share) * layers[1]
        folder = root / "AM-2k/train"
        write(folder / f"mask/m_{index}.png", alpha)
        for name, picture in (
            ("original", image),
            ("original_denoise", image),
            ("fg", layers[0]),
            ("fg_denoise", layers[0]),
            ("bg", layers[1]),
        ):
            write(folder / f"{name}/m_{index}.jpg", picture.astype(np.uint8))
    for place, count in (("BG-20k/train", 3), ("BG-20k/train_denoise", 3), ("coco/train2017", 2)):
        for index in range(count):
            write(root / place / f"h_{index}.jpg", rng.integers(0, 256, (100, 130, 3), np.uint8))
    return root


def beginning_of(recipe: Recipe, asked: frozenset[str]) -> None:
    """Build the network without memory for its weights, and look at its modules and losses."""
    with torch.device("meta"):
        network = built_network(recipe.network.config)
    for stage in recipe.stages:
        set_trained(network, (*stage.trained, *(stage.statistics or ())), ())
        assert set(stage.loss) <= set(term_names(recipe.network.config))
    assert asked <= {"foreground", "background", "wide_label"}


@pytest.mark.parametrize("name", GFM_NAMES)
def test_a_published_gfm_builds_its_network_and_makes_its_examples(
    name: str, published: Path
) -> None:
    recipe = read_recipe(Path(name), [f"root={published}"])
    asked = asked_planes(recipe.network.config, recipe.stages)
    beginning_of(recipe, asked)
    stream = stream_of(recipe.data, recipe.seed, asked)
    natural = name.endswith("ori")
    assert stream.epoch_length == (4 if natural else 20)
    # So many steps as 1800 pictures make: 500 epochs of them, or 100 of five composites each.
    assert plans(recipe.stages, 1800 * (1 if natural else 5))[-1].end == 28125
    with pytest.raises(ValueError, match="batch is 32"):
        check_batches(recipe.stages, stream.epoch_length)
    example = stream[Request(0, 320, (0.5, 1))]
    assert example.image.shape == example.foreground.shape == example.background.shape
    assert example.wide_label.size == (0 if "-tt-" in name else 320 * 320)
    composite = example.alpha * example.foreground + (1 - example.alpha) * example.background
    assert np.abs(composite - example.image).mean() < (0.05 if natural else 0.004)


@pytest.mark.parametrize("rosta", ["tt", "ft", "bt", "rim"])
@pytest.mark.parametrize("track", ["ori", "rssn", "coco"])
def test_the_published_training_makes_steps(
    rosta: str, track: str, published: Path, tmp_path: Path
) -> None:
    overrides = [f"root={published}", f"track={track}", "network.name=tiny", *SMALL]
    recipe = read_recipe(Path(f"gfm-{rosta}"), overrides)
    assert train(recipe, tmp_path / "run").is_file()
    (last,) = losses(tmp_path / "run")
    weights = recipe.stages[0].loss
    assert set(weights) | {"total"} <= set(last)
    weighted = sum(weight * last[term] for term, weight in weights.items())
    assert last["total"] == pytest.approx(weighted, abs=1e-3)


@pytest.mark.parametrize("encoder", ["r34", "d121"])
def test_a_network_as_large_as_published_makes_a_step(
    encoder: str, published: Path, tmp_path: Path
) -> None:
    recipe = read_recipe(Path(f"gfm-{encoder}-tt"), [f"root={published}", *SMALL])
    assert recipe.network.config == gfm_config(encoder, "TT")
    assert train(recipe, tmp_path / "run", last_step=1).is_file()


@pytest.mark.parametrize("name", OTHERS)
def test_another_recipe_builds_its_network(name: str) -> None:
    recipe = read_recipe(Path(name))
    beginning_of(recipe, asked_planes(recipe.network.config, recipe.stages))


def test_smoke_needs_no_data_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = ["data.workers=0", "data.sources.0.drawn=16", "validation=null"]
    short += ["stages.0.phases=[{steps: 100, size: 64, batch: 8, scale: [0.8, 1.2]}]"]
    train(read_recipe(Path("smoke"), short), tmp_path / "run")
    earlier, later = (record["total"] for record in losses(tmp_path / "run"))
    assert later < 0.85 * earlier
    assert len(list((tmp_path / "runs/drawings/image").iterdir())) == 16
