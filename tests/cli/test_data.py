"""`animatte data`: what is known, what is wrong, and what is made."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from animatte.cli import app
from animatte.data.download import Archive
from animatte.data.registry import DATASETS


def data(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def write_pictures(root: Path, names: str = "ab", hard: bool = False) -> Path:
    for number, name in enumerate(names):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3)).astype(np.uint8)
        image = cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC)
        alpha = np.zeros((48, 64), np.uint8)
        cv2.circle(alpha, (32, 24), 12, 255, -1)
        if not hard:
            alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 2), np.uint8)
        for folder, array in (("image", image), ("alpha", alpha)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / folder / f"{name}.png"), array)
    return root


def test_the_list_shows_splits_licence_and_publisher() -> None:
    result = data("list")
    assert result.exit_code == 0
    for known in DATASETS.values():
        assert known.title in result.stdout
        assert known.link in result.stdout
    assert "train 1,800, validation 200" in result.stdout


def test_the_list_as_json() -> None:
    values = {each["name"]: each for each in json.loads(data("list", "--json").stdout)}
    assert set(values) == set(DATASETS)
    assert values["pets"]["splits"] == {"trainval": 3680, "test": 3669}
    assert values["pets"]["licence"].startswith("CC BY-SA 4.0")
    assert values["duts"]["licence"] == "not stated"


def test_verify_says_that_nothing_is_wrong(tmp_path: Path) -> None:
    result = data("verify", "folders", write_pictures(tmp_path), "--jobs", "1")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["all: 2 pictures", "nothing is wrong"]


def test_verify_lists_what_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    write_pictures(tmp_path, hard=True)
    (tmp_path / "image/b.png").write_bytes(b"")
    result = data("verify", "folders", tmp_path, "--jobs", "1")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "all: 2 pictures"
    assert [line.split(":")[0] for line in lines[1:]] == ["binary", "unreadable"]
    result = data("verify", "folders", tmp_path, "--jobs", "1", "--json")
    assert result.exit_code == 1
    faults = json.loads(result.stdout)["faults"]
    assert [fault["kind"] for fault in faults] == ["binary", "unreadable"]


def test_a_long_list_is_cut_short_and_says_so(tmp_path: Path) -> None:
    write_pictures(tmp_path, "abcdefghijklmnopqrstuvwxyz", hard=True)
    lines = data("verify", "folders", tmp_path, "--jobs", "1").stdout.splitlines()
    assert sum(line.startswith("binary: all: /") for line in lines) == 20
    assert lines[-1] == "binary: all: and 6 more; --json lists all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "am3k", "."], "'am3k' is unknown; choose one of am2k"),
        (["verify", "am2k", "nowhere"], "nowhere is no folder"),
        (["download", "am2k", "."], "get it from its publisher: https://github.com"),
        (["download", "am3k", "."], "'am3k' is unknown"),
        (["prepare", "trimaps", "nowhere", "out"], "nowhere is no folder"),
        (["prepare", "denoise", "nowhere", "out", "--method", "x"], "choose one of nlm, bm3d"),
        (["prepare", "foregrounds", ".", "out", "--method", "x"], "closed-form, multi-level"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = data(*arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_prepare_makes_trimaps_and_keeps_them(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    arguments = ("prepare", "trimaps", tmp_path / "alpha", tmp_path / "trimap", "--jobs", "1")
    assert data(*arguments).stdout == "2 written\n"
    assert data(*arguments).stdout == "2 kept\n"
    narrow, wide = tmp_path / "narrow", tmp_path / "wide"
    for folder, kernel in ((narrow, "3"), (wide, "15")):
        data("prepare", "trimaps", tmp_path / "alpha", folder, "--kernel", kernel, "--jobs", "1")
    areas = []
    for folder in (narrow, wide):
        trimap = cv2.imread(str(folder / "a.png"), cv2.IMREAD_UNCHANGED)
        areas.append(int((np.asarray(trimap) == 128).sum()))
    assert areas[0] < areas[1]


def test_prepare_makes_foregrounds_under_the_names_asked_for(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "image").rename(tmp_path / "original")
    (tmp_path / "alpha").rename(tmp_path / "mask")
    names = ["--images", "original", "--alphas", "mask"]
    names += ["--foreground", "fg", "--background", "bg"]
    result = data("prepare", "foregrounds", tmp_path, tmp_path, *names, "--jobs", "1")
    assert result.stdout == "2 written\n", result.output
    assert sorted(path.name for path in (tmp_path / "bg").iterdir()) == ["a.png", "b.png"]


def test_prepare_writes_the_format_asked_for(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    out = tmp_path / "out"
    arguments = ("prepare", "denoise", tmp_path / "image", out, "--format", "jpg", "--jobs", "1")
    assert data(*arguments).stdout == "2 written\n"
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg", "b.jpg"]
    assert (out / "a.jpg").read_bytes().startswith(b"\xff\xd8")
    assert data(*arguments).stdout == "2 kept\n"
    result = data("prepare", "foregrounds", tmp_path, tmp_path, "--format", "jpg", "--jobs", "1")
    assert result.stdout == "2 written\n", result.output
    assert sorted(path.name for path in (tmp_path / "foreground").iterdir()) == ["a.jpg", "b.jpg"]
    result = data("prepare", "denoise", tmp_path / "image", out, "--format", "gif")
    assert result.stderr == "error: format 'gif' is unknown; choose one of png, jpg\n"


def test_prepare_reports_a_bad_picture_and_exits_with_1(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "image/a.png").write_bytes(b"no picture")
    result = data("prepare", "denoise", tmp_path / "image", tmp_path / "out", "--jobs", "1")
    assert result.exit_code == 1
    assert result.stdout == "1 failed, 1 written\n"
    assert "a.png is not an image" in result.stderr


def test_bm3d_that_is_missing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "animatte.extras.find_spec",
        lambda name: None if name == "bm3d" else found(name),
    )
    out = tmp_path / "out"
    result = data("prepare", "denoise", tmp_path / "image", out, "--method", "bm3d")
    assert result.exit_code == 1
    assert result.stderr == "error: bm3d is not installed; run: pip install 'animatte[bm3d]'\n"
    assert not out.exists()


def test_preview_of_a_data_set(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    sheet = tmp_path / "sheet.png"
    result = data("preview", "folders", tmp_path, "-o", sheet, "--count", "3", "--size", "64")
    assert result.stdout.strip() == str(sheet), result.output
    picture = cv2.imread(str(sheet))
    assert picture is not None
    assert picture.shape == (18 + 3 * (64 + 24), 4 * 70 + 6, 3)


def test_preview_of_a_recipe_takes_its_views_and_its_seed(tmp_path: Path) -> None:
    write_pictures(tmp_path / "mine")
    recipe = tmp_path / "small.yaml"
    phases = "[{steps: 1, size: 96, batch: 1}]"
    recipe.write_text(
        "name: small\nnetwork: {name: animatte-s}\n"
        f"data: {{root: nowhere, sources: [{{folder: mine, dataset: folders}}]}}\n"
        f"stages: [{{phases: {phases}, loss: {{glance: 1}}}}]\n"
    )
    sheets = []
    for seed in ("3", "3", "4"):
        sheet = tmp_path / "sheet.png"
        override = f"data.root={tmp_path}"
        result = data("preview", recipe, override, f"seed={seed}", "-o", sheet, "--count", "2")
        assert result.exit_code == 0, result.output
        sheets.append(np.asarray(cv2.imread(str(sheet))))
    assert sheets[0].shape == (18 + 2 * (96 + 24), 4 * 102 + 6, 3)
    assert np.array_equal(sheets[0], sheets[1])
    assert not np.array_equal(sheets[0], sheets[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["folders"], "0 folders are given for folders"),
        (["folders", "a", "b"], "2 folders are given"),
        (["folders", "nowhere"], "nowhere/image is no folder"),
        (["folders", ".", "--split", "x"], "no split 'x'; choose one of all"),
        (["wrong.yaml"], "wrong.yaml is no file"),
        (["wrong.yaml", "--split", "x"], "wrong.yaml is a recipe"),
    ],
)
def test_preview_s_mistakes_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = data("preview", *arguments, "-o", "sheet.png")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_download_says_whose_it_is_and_unpacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "images.tar.gz"
    write_pictures(tmp_path / "site")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "site/image", "images")
    checksum = hashlib.md5(path.read_bytes()).hexdigest()
    published = {"pets": (Archive(path.as_uri(), checksum, "images"),)}
    monkeypatch.setattr("animatte.data.download.DOWNLOADS", published)
    result = data("download", "pets", tmp_path / "pets")
    assert result.stdout.strip() == str(tmp_path / "pets/images"), result.output
    assert "licence: CC BY-SA 4.0" in result.stderr
    assert [path.name for path in sorted((tmp_path / "pets/images").iterdir())] == [
        "a.png",
        "b.png",
    ]
