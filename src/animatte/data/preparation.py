"""What training wants made ahead of time: trimaps, foreground colours, denoised pictures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.closed_form import check_pymatting
from animatte.data.folders import pictures
from animatte.data.parallel import mapped
from animatte.extras import check_installed
from animatte.images import ImageError, read_alpha, read_photo, write_image
from animatte.images.arrays import levels, size_text
from animatte.trimap import trimap_from_alpha

Pixels: TypeAlias = NDArray[Any]
ColourMethod: TypeAlias = Literal["closed-form", "multi-level"]
DenoiseMethod: TypeAlias = Literal["nlm", "bm3d"]
Format: TypeAlias = Literal["png", "jpg"]

FORMATS: tuple[Format, ...] = ("png", "jpg")
COLOUR_METHODS: tuple[ColourMethod, ...] = ("closed-form", "multi-level")
DENOISE_METHODS: tuple[DenoiseMethod, ...] = ("nlm", "bm3d")
_SEARCH, _PATCH = 21, 7  # pixels, of non-local means, as OpenCV recommends


@dataclass(frozen=True)
class Task:
    """One picture to be prepared.

    Attributes:
        image: the picture, or the alpha where that is all that is needed.
        alpha: the alpha that goes with it.
        outputs: what is written, in the order that the maker gives it.
    """

    image: Path
    alpha: Path | None
    outputs: tuple[Path, ...]


class Outcome(NamedTuple):
    """What became of a picture.

    Attributes:
        image: which one.
        state: "kept" if its results were there already.
        error: one line if it failed.
    """

    image: Path
    state: Literal["written", "kept", "failed"]
    error: str | None = None


Maker: TypeAlias = Callable[[Task], Sequence[Pixels]]


def prepared(tasks: Sequence[Task], make: Maker, jobs: int | None = None) -> Iterator[Outcome]:
    """Make what is not there yet; whatever fails in one picture does not stop the rest.

    Every file appears whole or not at all, so an interrupted run goes on with the next.

    Args:
        tasks: whose outputs' folders are made if missing.
        make: can be pickled; one array an output.
        jobs: processes; None for one a core.
    """
    for folder in {output.parent for task in tasks for output in task.outputs}:
        folder.mkdir(parents=True, exist_ok=True)
    return mapped(partial(_prepared_one, make=make), tasks, jobs)


def _prepared_one(task: Task, make: Maker) -> Outcome:
    if all(output.exists() for output in task.outputs):
        return Outcome(task.image, "kept")
    try:
        for output, pixels in zip(task.outputs, make(task), strict=True):
            write_image(output, pixels)
    except Exception as error:  # reported, not swallowed: a batch must go on
        line = " ".join(str(error).split()) or type(error).__name__
        named = line if str(task.image) in line else f"{task.image}: {line}"
        return Outcome(task.image, "failed", named)
    return Outcome(task.image, "written")


def single_tasks(folder: Path, output: Path, suffix: Format = "png") -> list[Task]:
    """One file in `output` for each picture in a folder.

    Raises:
        ValueError: if there is no picture, or two names or a picture itself would be overwritten.
    """
    return _without_collisions(
        [Task(path, None, (output / f"{path.stem}.{suffix}",)) for path in pictures(folder)]
    )


def colour_tasks(
    images: Path, alphas: Path, foregrounds: Path, backgrounds: Path, suffix: Format = "png"
) -> list[Task]:
    """A file of foreground and one of background for each picture with an alpha.

    Raises:
        ValueError: as `single_tasks`, and if a picture has no alpha.
    """
    by_name = {path.stem: path for path in pictures(alphas)}
    tasks = []
    for path in pictures(images):
        if path.stem not in by_name:
            raise ValueError(f"{path} has no partner in {alphas}; add one or remove the picture")
        name = f"{path.stem}.{suffix}"
        outputs = foregrounds / name, backgrounds / name
        tasks.append(Task(path, by_name[path.stem], outputs))
    return _without_collisions(tasks)


def _without_collisions(tasks: list[Task]) -> list[Task]:
    taken = {path.resolve(): path for task in tasks for path in (task.image, task.alpha) if path}
    for task in tasks:
        for output in task.outputs:
            other = taken.setdefault(output.resolve(), task.image)
            if other is not task.image or output.resolve() == task.image.resolve():
                raise ValueError(
                    f"{output} would be made of {task.image}, but {other} is or becomes that "
                    "file; choose another folder, or rename one"
                )
    return tasks


def trimap_of(task: Task, kernel_size: int) -> tuple[Pixels]:
    """Dilate and erode an alpha; see `animatte.trimap.trimap_from_alpha`."""
    return (trimap_from_alpha(read_alpha(task.image), kernel_size),)


def colours_of(task: Task, method: ColourMethod) -> tuple[Pixels, Pixels]:
    """Estimate foreground and background colours through pymatting (the extra `solver`).

    Args:
        task: with an alpha.
        method: "closed-form" (Levin, Lischinski and Weiss 2008: smooth colours that composite to
            the picture), which takes about a kilobyte a pixel; or "multi-level" (Germer et al.
            2020: the same aim, solved from coarse to fine).

    Returns:
        Both (H, W, 3) float64 in [0, 1].

    Raises:
        ValueError: if a file cannot be read or the sizes differ.
    """
    assert task.alpha is not None
    image, alpha = read_photo(task.image).image, read_alpha(task.alpha)
    if alpha.shape != image.shape[:2]:
        raise ImageError(
            f"{task.image} is {size_text(image.shape[:2])}, {task.alpha} "
            f"{size_text(alpha.shape)}; both must have one height and width"
        )
    check_pymatting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba's, as it compiles: no one here could act on them
        estimate = _estimator(method)
    with redirect_stdout(StringIO()):  # it prints when its preconditioner needs a second try
        foreground, background = estimate(
            image.astype(np.float64), alpha.astype(np.float64), return_background=True
        )
    return np.clip(foreground, 0, 1), np.clip(background, 0, 1)


def _estimator(method: ColourMethod) -> Callable[..., Any]:
    if method == "closed-form":
        from pymatting.foreground.estimate_foreground_cf import (  # noqa: PLC0415
            estimate_foreground_cf,
        )

        return estimate_foreground_cf  # type: ignore[no-any-return]
    from pymatting.foreground.estimate_foreground_ml import (  # noqa: PLC0415
        estimate_foreground_ml,
    )

    return estimate_foreground_ml  # type: ignore[no-any-return]


def denoised(task: Task, method: DenoiseMethod, strength: float) -> tuple[Pixels]:
    """Take the noise out of a picture.

    Args:
        task: of one picture.
        method: "nlm", OpenCV's non-local means for colour pictures (Buades et al. 2005), or
            "bm3d" (Dabov et al. 2007), what GFM used, by the package of that name, which is free
            for non-commercial use only (the extra `bm3d`).
        strength: of 8-bit levels: the filter's h for "nlm", the noise's standard deviation for
            "bm3d".

    Returns:
        (H, W, 3).

    Raises:
        ValueError: if the picture cannot be read.
    """
    image = read_photo(task.image).image
    if method == "nlm":
        blue_first = levels(image[..., ::-1], 8)
        clean = cv2.fastNlMeansDenoisingColored(
            np.ascontiguousarray(blue_first), None, strength, strength, _PATCH, _SEARCH
        )
        return (np.asarray(clean)[..., ::-1],)
    check_bm3d()
    import bm3d  # noqa: PLC0415

    return (np.clip(bm3d.bm3d_rgb(image.astype(np.float64), strength / 255), 0, 1),)


def check_bm3d() -> None:
    """Say what to install if bm3d is not there.

    Raises:
        ModuleNotFoundError: naming the extra.
    """
    check_installed("bm3d", "bm3d")
