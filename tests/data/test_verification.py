"""`verify`: each kind of planted fault is found, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pytest

from animatte.data.published import Dataset
from animatte.data.registry import named_dataset
from animatte.data.verification import is_hard, verified

Draw: TypeAlias = Callable[..., None]


@pytest.fixture
def small() -> Dataset:
    """AM-2k of three and two pictures."""
    known = named_dataset("am2k")
    splits = {
        "train": replace(known.splits["train"], count=3),
        "validation": replace(known.splits["validation"], count=2),
        "train_denoise": known.splits["train_denoise"],
    }
    return replace(known, splits=splits)


@pytest.fixture
def root(tmp_path: Path, draw: Draw) -> Path:
    """Without a fault."""
    for number, split in enumerate(("train", "train", "train", "validation", "validation")):
        name = f"m_{number}"
        draw(tmp_path / split / f"original/{name}.jpg", seed=number)
        draw(tmp_path / split / f"mask/{name}.png", -1)
        if split == "validation":
            draw(tmp_path / split / f"trimap/{name}.png", 128)
    return tmp_path


def faults(dataset: Dataset, root: Path) -> list[tuple[str, str]]:
    return [(fault.split, fault.kind) for fault in verified(dataset, root, jobs=1).faults]


def test_a_sound_data_set_has_no_faults(small: Dataset, root: Path) -> None:
    report = verified(small, root, jobs=1)
    assert report.faults == ()
    assert report.counts == {"train": 3, "validation": 2}


def test_several_processes_find_the_same(small: Dataset, root: Path) -> None:
    (root / "train/mask/m_1.png").write_bytes(b"no picture")
    seen: list[tuple[int, int]] = []
    report = verified(small, root, 2, lambda done, total: seen.append((done, total)))
    assert report == verified(small, root, 1)
    assert seen == [(done, 5) for done in range(1, 6)]


def test_a_missing_partner_is_found_and_counted(small: Dataset, root: Path) -> None:
    (root / "train/mask/m_1.png").unlink()
    report = verified(small, root, jobs=1)
    assert [fault.kind for fault in report.faults] == ["missing", "count"]
    assert "m_1.jpg has no partner in train/mask" in report.faults[0].text
    assert "2 pictures; 3 were published" in report.faults[1].text


def test_a_missing_split_is_a_fault_but_not_an_extra_one(small: Dataset, root: Path) -> None:
    shutil.rmtree(root / "validation")
    assert faults(small, root) == [("validation", "missing")]
    shutil.rmtree(root / "train")
    (fault,) = verified(small, root, jobs=1).faults
    assert "nor is any other split there" in fault.text


def test_a_damaged_file_is_found(small: Dataset, root: Path) -> None:
    path = root / "train/original/m_0.jpg"
    path.write_bytes(path.read_bytes()[:400])
    (fault,) = verified(small, root, jobs=1).faults
    assert fault.kind == "unreadable"
    assert f"{path} is truncated" in fault.text


def test_a_trimap_of_other_labels_is_found(small: Dataset, root: Path, draw: Draw) -> None:
    draw(root / "validation/trimap/m_3.png", 77)
    (fault,) = verified(small, root, jobs=1).faults
    assert fault.kind == "unreadable"
    assert "m_3.png: trimap holds 77" in fault.text


def test_sizes_that_differ_are_found(small: Dataset, root: Path, draw: Draw) -> None:
    draw(root / "train/mask/m_2.png", -1, shape=(48, 63))
    draw(root / "validation/trimap/m_4.png", 128, shape=(20, 20))
    assert faults(small, root) == [("train", "size"), ("validation", "size")]


def test_hard_masks_and_empty_alphas_are_found(small: Dataset, root: Path, draw: Draw) -> None:
    disc = np.zeros((48, 64), np.uint8)
    cv2.circle(disc, (32, 24), 12, 255, -1)
    cv2.imwrite(str(root / "train/mask/m_0.png"), disc)
    draw(root / "validation/mask/m_4.png", 3)
    assert faults(small, root) == [("train", "binary"), ("validation", "empty")]
    assert faults(replace(small, truth="mask"), root) == [("validation", "empty")]


def test_a_test_picture_that_is_trained_on_is_found(small: Dataset, root: Path) -> None:
    picture = cv2.imread(str(root / "train/original/m_2.jpg"))
    assert picture is not None
    copied = root / "validation/original/m_3.jpg"
    cv2.imwrite(str(copied), cv2.resize(picture, (64, 48)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    (fault,) = verified(small, root, jobs=1).faults
    assert (fault.split, fault.kind) == ("validation", "duplicate")
    assert f"{copied} looks like {root / 'train/original/m_2.jpg'}" in fault.text


def test_a_root_that_is_no_folder_is_refused(small: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere is no folder; give the folder that am2k"):
        verified(small, tmp_path / "nowhere")


def test_an_antialiased_edge_is_no_hard_mask_and_one_soft_pixel_does_not_save_one() -> None:
    disc = np.zeros((100, 100), np.float32)
    cv2.circle(disc, (50, 50), 30, 1.0, -1)
    assert is_hard(disc)
    disc[50, 20] = 0.5
    assert is_hard(disc)
    assert not is_hard(np.asarray(cv2.GaussianBlur(disc, (0, 0), 0.7), np.float32))
    assert not is_hard(np.ones((8, 8), np.float32))  # no contour, nothing to be told
