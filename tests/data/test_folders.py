"""Folders of pictures and alphas."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animatte.data.folders import labelled, paired


def write(path: Path, shape: tuple[int, ...] = (6, 8), value: int = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(shape, value, np.uint8))


def test_pairs_go_by_name_whatever_the_suffix(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path / f"image/{name}.jpg", (6, 8, 3))
        write(tmp_path / f"alpha/{name}.png")
    pairs = paired(tmp_path)
    assert [pair.name for pair in pairs] == ["a", "b"]
    assert pairs[0].read().alpha.tolist() == np.full((6, 8), 200).tolist()


def test_colours_are_read_as_red_green_blue(tmp_path: Path) -> None:
    write(tmp_path / "alpha/a.png")
    (tmp_path / "image").mkdir()
    blue_first = np.zeros((6, 8, 3), np.uint8)
    blue_first[..., 0] = 250
    cv2.imwrite(str(tmp_path / "image/a.png"), blue_first)
    assert paired(tmp_path)[0].read().image[0, 0].tolist() == [0, 0, 250]


def test_a_picture_without_an_alpha_is_named(tmp_path: Path) -> None:
    write(tmp_path / "image/a.png", (6, 8, 3))
    write(tmp_path / "image/lonely.png", (6, 8, 3))
    write(tmp_path / "alpha/a.png")
    with pytest.raises(ValueError, match=r"1 of 2 .* lonely\.png"):
        paired(tmp_path)


def test_missing_and_empty_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no folder"):
        paired(tmp_path)
    (tmp_path / "alpha").mkdir()
    with pytest.raises(ValueError, match="holds no picture"):
        paired(tmp_path)


def test_sizes_that_differ_and_broken_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "image/a.png", (6, 9, 3))
    write(tmp_path / "alpha/a.png")
    with pytest.raises(ValueError, match="one height and width"):
        paired(tmp_path)[0].read()
    (tmp_path / "image/a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="not an image"):
        paired(tmp_path)[0].read()


def test_a_trimaps_grey_is_unknown_and_an_alphas_grey_is_not(tmp_path: Path) -> None:
    for name in ("alpha", "trimap"):
        write(tmp_path / f"set-{name}/image/a.png", (6, 8, 3))
        write(tmp_path / f"set-{name}/{name}/a.png", value=128)
    assert not labelled(tmp_path / "set-trimap")[0].truth().known.any()
    assert labelled(tmp_path / "set-alpha")[0].truth().known.all()


def test_a_trimap_of_other_labels_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "image/a.png", (6, 8, 3))
    write(tmp_path / "trimap/a.png", value=77)
    with pytest.raises(ValueError, match="77"):
        labelled(tmp_path)[0].truth()
