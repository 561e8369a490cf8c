"""Labels and models' mattes, as a source to train on."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.data.consensus import Models, models_of
from animatte.data.folders import paired
from animatte.data.mattes import Outcome, matte_tasks, prepared_mattes, summary
from animatte.data.outlines import OutlineTable, outlined
from animatte.data.verdicts import Table
from animatte.images import Photo, read_alpha

Draw: TypeAlias = Callable[..., None]
HEIGHT, WIDTH = 24, 32


class Green:
    """Finds what is green; where nothing is, the left half, which its mirror image gainsays."""

    device = "cpu"

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def alpha(self, image: Photo) -> NDArray[np.float32]:
        self._seen.append(Path(image.name).stem)
        alpha = image.image[:, :, 1].copy()
        if not alpha.any():
            alpha[:, : image.size[1] // 2] = 1
        return alpha


class World:
    """A folder `pets` of pictures, some with labels, and a model; results go to `out`."""

    def __init__(self, folder: Path, draw: Draw) -> None:
        self.root, self.output = folder / "pets", folder / "out"
        self.seen: list[str] = []
        self._draw, self._model = draw, folder / "model.onnx"
        self.learn("one")
        for name in ("labelled", "unclear-labelled", "bare", "unclear"):
            self.picture(name, is_clear="unclear" not in name)
        for name in ("labelled", "unclear-labelled"):
            self.label(name)

    def picture(self, name: str, is_clear: bool = True, suffix: str = ".png") -> None:
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        if is_clear:
            cv2.circle(picture, (10, 12), 6, (0, 255, 0), -1)
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.uint8)
        (self.root / "image").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self.root / f"image/{name}{suffix}"), picture)

    def label(self, name: str, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
        self._draw(self.root / f"alpha/{name}.png", -1, shape=shape)

    def learn(self, what: str) -> None:
        self._model.write_bytes(what.encode())

    @property
    def models(self) -> Models:
        def load(model: Path, *, threads: int | None = None) -> Green:
            return Green(self.seen)

        return models_of(load, [self._model])

    def outcomes(self, verdicts: str | None = None, **options: Any) -> Any:
        table = None
        if verdicts is not None:
            path = self.root.parent / "verdicts.csv"
            rows = (f"pets,{pair.replace('=', ',')}\n" for pair in verdicts.split())
            path.write_text("set,name,verdict\n" + "".join(rows))
            table = Table(path, "pets")
        tasks = matte_tasks(self.root, self.output, verdicts=table, **options)
        return prepared_mattes(tasks, self.models, jobs=1)

    def run(self, verdicts: str | None = None, **options: Any) -> dict[str, Outcome]:
        """By name; the models have seen what `seen` says, each as often as it was shown it."""
        self.seen.clear()
        return {each.name: each for each in self.outcomes(verdicts, **options)}

    @property
    def index(self) -> dict[str, tuple[str, str]]:
        with (self.output / "index.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [list(row) for row in rows] == [["name", "source", "agreement"]] * len(rows)
        return {row["name"]: (row["source"], row["agreement"]) for row in rows}

    def assert_consistent(self) -> None:
        """The output is a source, all that is in it is in the index, and no file is left over."""
        names = sorted(self.index)
        assert sorted(pair.name for pair in paired(self.output)) == names
        for folder in ("image", "alpha"):
            assert sorted(path.stem for path in (self.output / folder).iterdir()) == names
        left = sorted(path.name for path in self.output.iterdir())
        assert left == ["alpha", "image", "index.csv", "mattes.jsonl"]
        for pair in paired(self.output):
            assert pair.image.read_bytes() == (self.root / "image" / pair.image.name).read_bytes()


@pytest.fixture
def world(tmp_path: Path, draw: Draw) -> World:
    return World(tmp_path, draw)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


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


def drawn_on(world: World, name: str, kind: str) -> OutlineTable:
    path = world.root.parent / "outlines.csv"
    corner = "0 0 400 0 400 400 0 400"
    path.write_text(f"set,name,kind,points\npets,{name},{kind},{corner}\n")
    return OutlineTable(path, "pets")


def test_outlines_are_drawn_over_labels_and_mattes_and_noticed_when_they_change(
    world: World,
) -> None:
    world.run("bare=model")
    plain = {name: read_alpha(world.output / f"alpha/{name}.png") for name in ("labelled", "bare")}
    for name in plain:
        for kind, corner in (("add", 1), ("erase", 0)):
            world.run("bare=model", outlines=drawn_on(world, name, kind))
            alpha = read_alpha(world.output / f"alpha/{name}.png")
            assert (alpha[:8, :8] == corner).all()
            assert (alpha[16:] == plain[name][16:]).all()
            world.assert_consistent()
    before = contents(world.output)
    world.run("bare=model", outlines=drawn_on(world, "bare", "erase"))
    assert world.seen == []
    assert contents(world.output) == before
    world.run("bare=model")
    for name, alpha in plain.items():
        np.testing.assert_array_equal(read_alpha(world.output / f"alpha/{name}.png"), alpha)
    with pytest.raises(ValueError, match="bare has an outline in line 2, and its verdict is drop"):
        world.run("bare=drop", outlines=drawn_on(world, "bare", "add"))


def test_what_somebody_drew_on_is_kept_although_views_disagree(world: World) -> None:
    assert world.run()["unclear"].state == "apart"
    outcome = world.run(outlines=drawn_on(world, "unclear", "add"))["unclear"]
    assert (outcome.state, outcome.agreement) == ("model", 0.0)
    world.assert_consistent()


def test_a_label_with_outlines_is_drawn_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any) -> NDArray[np.float32]:
        calls.append(arguments)
        return outlined(*arguments)

    monkeypatch.setattr("animatte.data.mattes.outlined", counted)
    for runs in (1, 1):
        world.run(outlines=drawn_on(world, "labelled", "add"))
        assert len(calls) == runs
    world.label("labelled", shape=(HEIGHT, WIDTH))
    cv2.imwrite(str(world.root / "alpha/labelled.png"), np.full((HEIGHT, WIDTH), 9, np.uint8))
    world.run(outlines=drawn_on(world, "labelled", "add"))
    assert len(calls) == 2
    assert read_alpha(world.output / "alpha/labelled.png")[-1, -1] == pytest.approx(9 / 255)


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
