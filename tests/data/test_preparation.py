"""Trimaps, colours and denoised pictures made ahead of time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.data.preparation import (
    ColourMethod,
    Outcome,
    Task,
    colour_tasks,
    colours_of,
    denoised,
    prepared,
    single_tasks,
    trimap_of,
)
from animatte.images import read_alpha, read_photo

Draw: TypeAlias = Callable[..., None]


def done(tasks: list[Task], make: Callable[[Task], Any]) -> list[Outcome]:
    return list(prepared(tasks, make, jobs=1))


def test_a_trimap_widens_the_edge_by_half_the_kernel(tmp_path: Path) -> None:
    alpha = np.zeros((40, 60), np.uint8)
    alpha[:, 30:] = 255
    cv2.imwrite(str(tmp_path / "a.png"), alpha)
    tasks = single_tasks(tmp_path, tmp_path / "out")
    assert done(tasks, partial(trimap_of, kernel_size=11)) == [
        Outcome(tmp_path / "a.png", "written")
    ]
    trimap = cv2.imread(str(tmp_path / "out/a.png"), cv2.IMREAD_UNCHANGED)
    assert trimap is not None
    assert trimap[20].tolist() == [0] * 25 + [128] * 10 + [255] * 25


def composite(folder: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Write a soft disc of one colour on another; return alpha and the colour."""
    disc = np.zeros((64, 64), np.float64)
    cv2.circle(disc, (32, 32), 18, 1.0, -1)
    alpha = np.asarray(cv2.GaussianBlur(disc, (0, 0), 3))
    foreground, background = np.array([0.9, 0.5, 0.1]), np.array([0.1, 0.2, 0.7])
    image = alpha[..., None] * foreground + (1 - alpha[..., None]) * background
    for name, array in (("image", image[..., ::-1]), ("alpha", alpha)):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "a.png"), np.rint(array * 255).astype(np.uint8))
    return alpha, foreground


@pytest.mark.parametrize("method", ["closed-form", "multi-level"])
def test_colours_are_the_ones_that_were_composited(tmp_path: Path, method: ColourMethod) -> None:
    alpha, colour = composite(tmp_path)
    tasks = colour_tasks(tmp_path / "image", tmp_path / "alpha", tmp_path / "fg", tmp_path / "bg")
    (outcome,) = done(tasks, partial(colours_of, method=method))
    assert outcome.error is None
    foreground = read_photo(tmp_path / "fg/a.png").image
    background = read_photo(tmp_path / "bg/a.png").image
    assert np.abs(foreground[alpha > 0.3] - colour).max() < 0.05
    stored = read_alpha(tmp_path / "alpha/a.png")[..., None]
    again = stored * foreground + (1 - stored) * background
    assert np.abs(again - read_photo(tmp_path / "image/a.png").image).mean() < 0.01


def test_non_local_means_take_noise_out_and_leave_colours_in_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clean = np.zeros((48, 48, 3)) + np.array([40.0, 90.0, 180.0])  # blue, green, red
    clean[:, 24:] = [160, 60, 30]
    noisy = np.clip(clean + rng.normal(0, 12, clean.shape), 0, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), noisy)
    (outcome,) = done(
        single_tasks(tmp_path, tmp_path / "out"), partial(denoised, method="nlm", strength=12)
    )
    assert outcome.state == "written"
    result = cv2.imread(str(tmp_path / "out/a.png"))
    assert result is not None
    inner = np.s_[8:40, 4:20]
    left = np.abs(result[inner].astype(float) - clean[inner]).mean()
    assert left < 0.4 * np.abs(noisy[inner].astype(float) - clean[inner]).mean()


def test_bm3d_is_given_unit_colours_and_a_unit_sigma(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    given: list[tuple[NDArray[Any], float]] = []

    def bm3d_rgb(image: NDArray[Any], sigma: float) -> NDArray[Any]:
        given.append((image, sigma))
        return image + 0.001

    stand_in = ModuleType("bm3d")
    stand_in.bm3d_rgb = bm3d_rgb  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bm3d", stand_in)
    monkeypatch.setattr("animatte.data.preparation.check_bm3d", lambda: None)
    draw(tmp_path / "a.png")
    tasks = single_tasks(tmp_path, tmp_path / "out")
    assert done(tasks, partial(denoised, method="bm3d", strength=51))[0].error is None
    ((image, sigma),) = given
    assert sigma == pytest.approx(0.2)
    assert np.array_equal(image, read_photo(tmp_path / "a.png").image)


def test_what_is_there_is_kept_and_what_is_not_is_made(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b"):
        draw(tmp_path / f"in/{name}.png", -1)
    tasks = single_tasks(tmp_path / "in", tmp_path / "out")
    make = partial(trimap_of, kernel_size=5)
    assert [outcome.state for outcome in done(tasks, make)] == ["written", "written"]
    (tmp_path / "out/a.png").unlink()
    (tmp_path / "out/b.png").write_bytes(b"mine")
    assert [outcome.state for outcome in done(tasks, make)] == ["written", "kept"]
    assert (tmp_path / "out/b.png").read_bytes() == b"mine"


def test_a_bad_picture_is_reported_and_the_rest_is_made(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b", "c"):
        draw(tmp_path / f"in/{name}.png", -1)
    (tmp_path / "in/b.png").write_bytes(b"no picture")
    tasks = single_tasks(tmp_path / "in", tmp_path / "out")
    outcomes = list(prepared(tasks, partial(trimap_of, kernel_size=5), jobs=2))
    assert [outcome.state for outcome in outcomes] == ["written", "failed", "written"]
    assert outcomes[1].error is not None
    assert "b.png is not an image" in outcomes[1].error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


def test_sizes_that_differ_fail_that_picture(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "image/a.png")
    draw(tmp_path / "alpha/a.png", -1, shape=(48, 50))
    tasks = colour_tasks(tmp_path / "image", tmp_path / "alpha", tmp_path / "f", tmp_path / "b")
    (outcome,) = done(tasks, partial(colours_of, method="multi-level"))
    assert "both must have one height and width" in str(outcome.error)


def test_results_never_replace_a_picture_or_each_other(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "in/a.png", -1)
    with pytest.raises(ValueError, match="choose another folder"):
        single_tasks(tmp_path / "in", tmp_path / "in")
    draw(tmp_path / "in/a.jpg", -1)
    with pytest.raises(ValueError, match="or rename one"):
        single_tasks(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in/a.jpg").unlink()
    draw(tmp_path / "alpha/a.png", -1)
    with pytest.raises(ValueError, match=r"alpha/a\.png is or becomes"):
        colour_tasks(tmp_path / "in", tmp_path / "alpha", tmp_path / "out", tmp_path / "alpha")
    draw(tmp_path / "in/b.png")
    with pytest.raises(ValueError, match=r"b\.png has no partner"):
        colour_tasks(tmp_path / "in", tmp_path / "alpha", tmp_path / "f", tmp_path / "b")
