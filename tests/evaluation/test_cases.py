"""Which pictures are scored, and what is missing among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from animatte.data.folders import Pair
from animatte.evaluation.cases import (
    Case,
    dataset_pictures,
    distinct,
    evenly,
    folder_pictures,
    given_pictures,
)
from animatte.evaluation.evaluating import picture_sets


def test_a_folder_s_pictures_come_with_alpha_trimap_and_the_class_of_their_name(
    folder: Path,
) -> None:
    found = folder_pictures(folder)
    assert found.name == "set"
    assert [case.group for case in found.cases] == ["cat"] * 3 + ["dog"] * 3
    assert all(case.pair.alpha and case.pair.trimap and not case.is_hard for case in found.cases)
    assert found.faults == ()


def test_names_that_sort_nothing_are_no_classes(folder: Path) -> None:
    for part in ("image", "alpha", "trimap"):
        for number, path in enumerate(sorted((folder / part).iterdir())):
            path.rename(path.with_name(f"{number}.png"))
    assert {case.group for case in folder_pictures(folder).cases} == {""}


def test_every_missing_partner_is_listed_and_the_rest_is_there(folder: Path) -> None:
    (folder / "alpha/cat_1.png").unlink()
    (folder / "alpha/dog_2.png").unlink()
    (folder / "image/dog_3.png").unlink()
    found = given_pictures(folder / "image", folder / "alpha", None)
    assert [case.pair.name for case in found.cases] == ["cat_2", "cat_3", "dog_1"]
    assert len(found.faults) == 3
    for name in ("cat_1", "dog_2", "dog_3"):
        assert any(name in fault for fault in found.faults)


def test_a_data_set_s_test_pictures_are_taken_with_its_classes(tmp_path: Path) -> None:
    for part in ("images", "annotations/trimaps"):
        (tmp_path / part).mkdir(parents=True)
    for list_name, name in (("trainval", "Abyssinian_1"), ("test", "basset_hound_2")):
        (tmp_path / f"annotations/{list_name}.txt").write_text(f"{name} 1 1 1\n")
        (tmp_path / f"images/{name}.jpg").touch()
        (tmp_path / f"annotations/trimaps/{name}.png").touch()
    found = dataset_pictures("pets", tmp_path)
    assert found.name == "pets test"
    (case,) = found.cases
    assert (case.group, case.is_hard) == ("basset_hound", True)


def test_masks_of_a_data_set_are_hard_labels(tmp_path: Path) -> None:
    for part in ("images", "ground_truth_mask"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "1.png").touch()
    assert dataset_pictures("ecssd", tmp_path).cases[0].is_hard


def test_without_test_pictures_others_are_taken(folder: Path) -> None:
    assert dataset_pictures("folders", folder).name == "folders all"
    with pytest.raises(ValueError, match="no split 'validate'"):
        dataset_pictures("folders", folder, "validate")


def test_sets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("a/set", "b/set"):
        for part in ("image", "alpha"):
            (tmp_path / name / part).mkdir(parents=True)
            (tmp_path / name / part / "1.png").touch()
    first, second = distinct([folder_pictures(tmp_path / name) for name in ("a/set", "b/set")])
    assert first.name == first.cases[0].picture_set == f"{tmp_path / 'a/set'}"
    assert second.name == f"{tmp_path / 'b/set'}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "no pictures are given"),
        ({"alphas": Path("a")}, "give --images"),
        ({"split": "test", "images": Path("a")}, "give --data"),
        ({"data": ("nonsense", Path())}, "is unknown"),
        ({"data": ("bg20k", Path())}, "no alphas"),
        ({"images": Path("missing"), "alphas": Path("a")}, "missing is no folder"),
    ],
)
def test_what_cannot_be_listed_is_one_line(arguments: dict[str, Path], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        picture_sets(**arguments)  # type: ignore[arg-type]


def test_a_folder_given_twice_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="given twice"):
        picture_sets([folder, folder])


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [3]),
        (2, [1, 5]),
        (3, [1, 3, 5]),
        (5, [0, 2, 3, 4, 6]),
        (7, [0, 1, 2, 3, 4, 5, 6]),
        (9, [0, 1, 2, 3, 4, 5, 6]),
        (None, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_some_of_the_pictures_are_taken_from_everywhere(
    count: int | None, expected: list[int]
) -> None:
    cases = [Case("set", Pair(Path(f"{number}.png"), None), False, "") for number in range(7)]
    assert [int(case.pair.name) for case in evenly(cases, count)] == expected
