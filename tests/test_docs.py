"""What README and guides show is run here, so that it works as shown."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.video.conftest import Film, write_film
from typer.testing import CliRunner

import animatte
from animatte.checkpoint import save_checkpoint
from animatte.cli import app
from animatte.data.registry import DATASETS
from animatte.models.registry import built_gfm, gfm_config
from animatte.predictor import load
from animatte.strategies import STRATEGIES
from animatte.training.recipe import read_recipe
from animatte.training.schedule import plans

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Short enough to be run as they are; of the others, only verb and options are looked up.
RUN = (("cut",), ("video",), ("doctor",), ("models",), ("models", "list"))


def blocks(page: Path, *languages: str) -> list[str]:
    fenced = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [text for language, text in fenced if language in languages]


def commands() -> list[str]:
    lines = [
        line.strip().removeprefix("$ ")
        for page in PAGES
        for block in blocks(page, "bash", "console")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line.startswith("animatte ")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> Path:
    """The files that the guides speak of, tiny."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trip").mkdir()
    for name in ("dog.jpg", "cat.jpg", "beach.jpg", "trip/goat.jpg"):
        noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    (tmp_path / "frames").mkdir()
    for number in range(3):
        Image.fromarray(noise).save(tmp_path / "frames" / f"{number}.png")
    write_film(tmp_path / "clip.mp4", Film(stamps=(0, 40, 66_000, 66_040, 100_000)))
    for name in ("my-model.onnx", "mine.onnx"):
        shutil.copy(tiny_model, tmp_path / name)
    return tmp_path


def save_small_model(path: Path) -> None:
    torch.manual_seed(0)
    config = gfm_config("animatte-s")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, built_gfm(config), config)


def is_run(arguments: list[str]) -> bool:
    if "ray" in arguments:
        return False  # tests/scale runs such, where the extra is there
    words = tuple(word for word in arguments[:2] if not word.startswith("-"))
    return words[:1] in RUN if words[0] != "models" else words in RUN


@pytest.mark.parametrize("command", commands())
def test_a_command_works_as_shown(command: str, folder: Path, tiny_model: Path) -> None:
    arguments = shlex.split(command.partition(" > ")[0], comments=True)[1:]
    if not is_run(arguments):
        arguments.append("--help")
    elif arguments[0] in ("cut", "doctor", "video") and "--model" not in arguments:
        arguments += ["--model", str(tiny_model)]
    elif arguments[-1].endswith(".safetensors"):
        save_small_model(folder / arguments[-1])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output


TRAININGS = [shlex.split(line)[2:] for line in commands() if line.startswith("animatte train ")]


@pytest.mark.parametrize("words", TRAININGS, ids=" ".join)
def test_a_training_as_shown_has_a_recipe_that_takes_what_is_put_into_it(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words[0].startswith("-"):
        return  # asks for no training
    (example,) = [text for text in blocks(ROOT / "docs/recipes.md", "yaml") if "mine-{" in text]
    (tmp_path / "mine.yaml").write_text(example)
    monkeypatch.chdir(tmp_path if words[0] == "mine.yaml" else ROOT)
    recipe = read_recipe(Path(words[0]), [word for word in words[1:] if "=" in word])
    assert plans(recipe.stages, 100)[-1].end > 0


def test_the_guide_names_every_strategy() -> None:
    guide = (ROOT / "docs/cut.md").read_text(encoding="utf-8")
    assert [name for name in STRATEGIES if f"`{name}`" not in guide] == []


@pytest.mark.usefixtures("folder")
def test_the_readme_s_python_works_as_shown(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path
) -> None:
    monkeypatch.setattr(animatte, "load", lambda: load(tiny_model))
    (example,) = blocks(ROOT / "README.md", "python")
    names: dict[str, object] = {}
    exec(example, names)
    assert isinstance(names["cutout"], np.ndarray)
    assert names["cutout"].shape == (32, 48, 4)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("verb", ["cut", "video"])
def test_the_guide_names_every_option(verb: str) -> None:
    shown = CliRunner().invoke(app, [verb, "--help"], terminal_width=200).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help", "--output"}
    guide = (ROOT / "docs" / f"{verb}.md").read_text(encoding="utf-8")
    assert {option for option in options if f"`{option}" not in guide} == set()


@pytest.mark.parametrize("engine", ["onnx", "coreml"])
def test_the_guide_names_every_option_of_export(engine: str) -> None:
    shown = CliRunner().invoke(app, ["export", engine, "--help"], env={"COLUMNS": "200"}).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help", "--model"}
    _, onnx, coreml = (ROOT / "docs" / "export.md").read_text(encoding="utf-8").split("\n## ")
    guide = {"onnx": onnx, "coreml": coreml}[engine]
    assert "--picture" in options
    assert {option for option in options if f"`{option}`" not in guide} == set()


@pytest.mark.parametrize(
    "verb",
    ["list", "verify", "download", "preview"]
    + [f"prepare {what}" for what in ("trimaps", "foregrounds", "denoise", "mattes")],
)
def test_the_guide_names_every_option_of_data(verb: str) -> None:
    shown = (
        CliRunner().invoke(app, ["data", *verb.split(), "--help"], env={"COLUMNS": "200"}).stdout
    )
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help"}
    guide = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert {option for option in options if f"`{option}" not in guide} == set()


def test_the_guide_s_table_of_data_sets_is_the_registry() -> None:
    guide = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for known in DATASETS.values():
        title = f"[{known.title}]({known.link})" if known.link else known.title
        splits = ", ".join(
            f"`{name}`" + (f" {split.count:,}" if split.count else "")
            for name, split in known.splits.items()
        )
        assert f"| `{known.name}` | {title} | {splits} | {known.licence} |\n" in guide
