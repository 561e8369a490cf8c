"""The mean of several mattes, and how far they agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.data.consensus import Models, mean_and_agreement, models_of, read_record
from animatte.images import Photo, photo_from_array
from animatte.metrics.differences import intersection_over_union

Array = NDArray[np.float32]


def test_agreement_is_the_least_overlap_with_the_mean() -> None:
    rng = np.random.default_rng(0)
    shared = rng.random((30, 40))
    views = [
        np.clip(shared + rng.normal(0, spread, shared.shape), 0, 1).astype(np.float32)
        for spread in (0.05, 0.1, 0.4)
    ]
    mean, agreement = mean_and_agreement(iter(views))
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, np.mean(views, axis=0), atol=1e-6)
    overlaps = [intersection_over_union(view, mean) for view in views]
    assert agreement == pytest.approx(min(overlaps))
    assert min(overlaps) == overlaps[2] < overlaps[0]


def test_an_empty_mean_agrees_with_empty_views_alone() -> None:
    nothing, faint = np.zeros((4, 4), np.float32), np.full((4, 4), 0.5, np.float32)
    corner = nothing.copy()
    corner[0, 0] = 0.9
    assert mean_and_agreement([nothing, faint])[1] == 1
    assert mean_and_agreement([nothing, corner])[1] == 0
    assert mean_and_agreement([corner, corner])[1] == 1


class Left:
    """Finds whatever lies left of the middle, and keeps what it was shown."""

    device = "cpu"

    def __init__(self, shown: list[Photo]) -> None:
        self.shown = shown

    def alpha(self, image: Photo) -> Array:
        self.shown.append(image)
        alpha = np.zeros(image.size, np.float32)
        alpha[:, : image.size[1] // 2] = 1
        return alpha


def models(shown: list[Photo], loaded: list[Any], *files: Path) -> Models:
    def load(model: Path, *, threads: int | None = None) -> Left:
        loaded.append((model, threads))
        return Left(shown)

    return models_of(load, files)


def test_every_model_sees_the_picture_and_its_mirror_image_and_is_loaded_once(
    tmp_path: Path,
) -> None:
    files = tmp_path / "a.onnx", tmp_path / "b.onnx"
    for path in files:
        path.write_bytes(path.name.encode())
    shown: list[Photo] = []
    loaded: list[Any] = []
    both = models(shown, loaded, *files)
    rgba = np.random.default_rng(0).integers(0, 256, (6, 8, 4)).astype(np.uint8)
    for _ in range(2):
        views = list(both.views(photo_from_array(rgba)))
    assert loaded == [(files[0], None), (files[1], None)]
    left, right = np.zeros((2, 6, 8), np.float32)
    left[:, :4] = right[:, 4:] = 1
    for view, expected in zip(views, (left, right, left, right), strict=True):
        np.testing.assert_array_equal(view, expected)
    for photo, pixels in zip(shown[:4], (rgba, rgba[:, ::-1]) * 2, strict=True):
        np.testing.assert_array_equal(photo.seen, pixels[:, :, :3])
        assert photo.own_alpha is not None
        np.testing.assert_array_equal(photo.own_alpha, pixels[:, :, 3])


def test_the_key_tells_models_and_pictures_apart(tmp_path: Path) -> None:
    files = tmp_path / "a.onnx", tmp_path / "b.onnx"
    for path in files:
        path.write_bytes(path.name.encode())
    sets = (files[:1], files[1:], files, files[::-1])
    keys = {models([], [], *each).key(content) for each in sets for content in (b"", b"x")}
    assert len(keys) == 8
    (tmp_path / "copy.onnx").write_bytes(b"a.onnx")
    assert models([], [], tmp_path / "copy.onnx").key(b"x") in keys


def test_a_record_is_read_past_lines_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "mattes.jsonl"
    assert read_record(path) == {}
    line = '{"name": "a", "key": "k", "agreement": %s, "sha256": "s"}\n'
    path.write_text(line % "0.25" + '[1]\n{"name": "b"}\n"a"\n' + line % "0.5" + '{"name": "a", ')
    assert {name: found.agreement for name, found in read_record(path).items()} == {"a": 0.5}
