"""Labels and models' mattes, as a source to train on."""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.matte_world import HEIGHT, WIDTH, Draw, World, contents

from animatte.data.mattes import summary
from animatte.images import read_alpha


def test_labels_are_kept_and_the_rest_gets_mattes_where_views_agree(world: World) -> None:
    before = contents(world.root)
    outcomes = world.run()
    assert {name: each.state for name, each in outcomes.items()} == {
        "labelled": "label",
        "unclear-labelled": "label",
        "bare": "model",
        "unclear": "apart",
    }
    assert world.index == {
        "bare": ("model", "1.000"),
        "labelled": ("label", ""),
        "unclear-labelled": ("label", ""),
    }
    world.assert_consistent()
    for name in ("labelled", "unclear-labelled"):
        kept, label = (folder / f"alpha/{name}.png" for folder in (world.output, world.root))
        assert kept.read_bytes() == label.read_bytes()
    green = cv2.imread(str(world.root / "image/bare.png"))
    assert green is not None
    alpha = cv2.imread(str(world.output / "alpha/bare.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(np.asarray(alpha), green[:, :, 1])
    assert contents(world.root) == before
    assert set(world.seen) == {"bare", "unclear"}


def test_verdicts_overrule(world: World) -> None:
    world.run("labelled=model unclear-labelled=drop unclear=model bare=drop")
    assert world.index == {"labelled": ("model", "1.000"), "unclear": ("model", "0.000")}
    world.assert_consistent()
    left = np.zeros((HEIGHT, WIDTH), np.float32)
    left[:, : WIDTH // 2] = 1
    mean = read_alpha(world.output / "alpha/unclear.png")
    np.testing.assert_allclose(mean, (left + left[:, ::-1]) / 2, atol=1 / 255)
    label = (world.root / "alpha/labelled.png").read_bytes()
    assert (world.output / "alpha/labelled.png").read_bytes() != label
    world.run("unclear-labelled=label")
    assert world.index["unclear-labelled"] == ("label", "")


def test_without_labels_all_is_the_models(world: World) -> None:
    for path in (world.root / "alpha").iterdir():
        path.unlink()
    (world.root / "alpha").rmdir()
    outcomes = world.run()
    assert sorted(world.index) == ["bare", "labelled"]
    states = Counter(each.state for each in outcomes.values())
    assert summary(states) == "0 labels, 2 mattes, 0 dropped, 2 where views disagree"


def test_a_second_run_asks_no_model_and_changes_nothing(world: World) -> None:
    world.run("labelled=model")
    before = contents(world.output)
    stamps = {path: path.stat().st_mtime_ns for path in world.output.rglob("a*/*")}
    world.run("labelled=model")
    assert world.seen == []
    assert contents(world.output) == before
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_an_interrupted_run_goes_on_and_its_index_is_complete(world: World) -> None:
    world.run()
    whole = contents(world.output)
    shutil.rmtree(world.output)
    began = world.outcomes()
    assert [each.name for each in islice(began, 2)] == ["bare", "labelled"]
    began.close()
    assert not (world.output / "index.csv").exists()
    world.run()
    assert set(world.seen) == {"unclear"}
    assert contents(world.output) == whole


def test_a_matte_that_is_not_what_was_written_is_made_again(world: World) -> None:
    world.run()
    (world.output / "alpha/bare.png").write_bytes(b"half a file")
    world.run()
    assert set(world.seen) == {"bare"}
    world.assert_consistent()


def test_changed_verdicts_change_the_output(world: World) -> None:
    world.run()
    world.run("labelled=drop bare=drop")
    assert sorted(world.index) == ["unclear-labelled"]
    world.assert_consistent()
    world.run("labelled=model")
    assert world.index["labelled"] == ("model", "1.000")
    matte = (world.output / "alpha/labelled.png").read_bytes()
    world.run()
    assert world.seen == []
    label = (world.root / "alpha/labelled.png").read_bytes()
    assert (world.output / "alpha/labelled.png").read_bytes() == label
    world.run("labelled=model")
    assert (world.output / "alpha/labelled.png").read_bytes() == matte
    world.assert_consistent()


def test_an_alpha_of_another_suffix_gives_way(world: World, draw: Draw) -> None:
    (world.root / "alpha/labelled.png").unlink()
    draw(world.root / "alpha/labelled.webp", -1, shape=(HEIGHT, WIDTH))
    for verdict, suffix in (("label", "webp"), ("model", "png"), ("label", "webp")):
        world.run(f"labelled={verdict}")
        assert (world.output / f"alpha/labelled.{suffix}").is_file()
        world.assert_consistent()


def test_another_threshold_asks_models_for_what_is_missing_alone(world: World) -> None:
    world.run()
    world.run(agreement=0.0)
    assert set(world.seen) == {"unclear"}
    assert world.index["unclear"] == ("model", "0.000")
    world.run(agreement=0.5)
    assert world.seen == []
    assert "unclear" not in world.index
    world.assert_consistent()


def test_other_models_labels_and_pictures_are_noticed(world: World) -> None:
    world.run()
    world.learn("two")
    world.run()
    assert set(world.seen) == {"bare", "unclear"}
    world.picture("bare", is_clear=False)
    world.label("labelled", shape=(HEIGHT, WIDTH))
    label = np.full((HEIGHT, WIDTH), 200, np.uint8)
    cv2.imwrite(str(world.root / "alpha/labelled.png"), label)
    world.run()
    assert set(world.seen) == {"bare"}
    assert "bare" not in world.index
    assert read_alpha(world.output / "alpha/labelled.png")[0, 0] == pytest.approx(200 / 255)
    world.assert_consistent()


def test_bad_files_are_reported_and_leave_nothing_behind(world: World) -> None:
    world.run()
    (world.root / "image/bare.png").write_bytes(b"no picture")
    world.label("labelled", shape=(HEIGHT, WIDTH + 1))
    outcomes = world.run()
    assert [name for name, each in outcomes.items() if each.state == "failed"] == [
        "bare",
        "labelled",
    ]
    assert "bare.png is not an image" in str(outcomes["bare"].error)
    assert f"{world.root}/image/labelled.png" in str(outcomes["labelled"].error)
    assert sorted(world.index) == ["unclear-labelled"]
    world.assert_consistent()
    counts = {"label": 1, "apart": 1, "failed": 2}
    expected = "1 label, 0 mattes, 0 dropped, 1 where views disagree, 2 failed"
    assert summary(counts) == expected


def test_what_is_read_is_never_written_to(world: World, tmp_path: Path) -> None:
    before = contents(tmp_path)
    (tmp_path / "link").symlink_to(world.root)
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed/alpha").symlink_to(world.root / "alpha")
    for folder in (world.root, tmp_path / "link", tmp_path / "mixed"):
        world.output = folder
        with pytest.raises(ValueError, match="is read from; choose another folder"):
            world.run()
    world.output = tmp_path / "other"
    (tmp_path / "other/alpha").mkdir(parents=True)
    (tmp_path / "other/alpha/bare.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"holds pictures, but no mattes\.jsonl"):
        world.run()
    assert (tmp_path / "other/alpha/bare.png").read_bytes() == b"mine"
    assert {path: text for path, text in contents(tmp_path).items() if path in before} == before


def test_a_picture_that_has_left_the_input_is_told(world: World) -> None:
    world.run()
    (world.root / "image/bare.png").unlink()
    with pytest.raises(ValueError, match=r"holds 1 pictures that are not in .*image/bare\.png"):
        world.run()


def test_folders_and_names_are_checked_first(world: World) -> None:
    with pytest.raises(ValueError, match="mask is no folder"):
        world.run(alphas="mask")
    with pytest.raises(ValueError, match="original is no folder"):
        world.run(images="original")
    with pytest.raises(ValueError, match="no picture in"):
        world.run("zebra=drop")
    world.picture("bare", suffix=".bmp")
    with pytest.raises(ValueError, match=r"bare\.bmp and bare\.png have one name"):
        world.run()
    assert not world.output.exists()
