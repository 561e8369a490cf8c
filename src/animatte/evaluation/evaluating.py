"""An evaluation as it is asked for: pictures, models, and the curves beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from animatte.data.folders import pictures
from animatte.evaluation.cases import (
    PictureSet,
    dataset_pictures,
    distinct,
    evenly,
    folder_pictures,
    given_pictures,
)
from animatte.evaluation.contestants import (
    Contestant,
    ModelOptions,
    distinctly_named,
    folder_contestant,
    model_contestant,
)
from animatte.evaluation.keeping import program_digest
from animatte.evaluation.robustness import CurvePoint, curves, planned
from animatte.evaluation.rows import num_processes

DIVISORS = (1, 2, 4, 8)


@dataclass(frozen=True)
class CurveOptions:
    """Which curves are drawn.

    Attributes:
        angle_step: degrees between angles, from 0 on through the whole circle.
        pictures: number of pictures, evenly taken from each set.
        backgrounds: folder of pictures that small subjects are pasted on; None to shrink photos.
    """

    angle_step: int = 15
    pictures: int = 20
    backgrounds: Path | None = None


def picture_sets(
    folders: Sequence[Path] = (),
    *,
    data: tuple[str, Path] | None = None,
    split: str | None = None,
    images: Path | None = None,
    alphas: Path | None = None,
    trimaps: Path | None = None,
) -> list[PictureSet]:
    """List all pictures that are asked for.

    Args:
        folders: each with `image/` and `alpha/` or `trimap/`.
        data: name of a data set and its root.
        split: of the data set; None for its test pictures.
        images: folder of pictures.
        alphas: folder of their alphas.
        trimaps: folder of their trimaps.

    Raises:
        ValueError: if nothing is asked for, options do not go together, or nothing is found.
    """
    if images is None and (alphas is not None or trimaps is not None):
        raise ValueError("alphas or trimaps are given without pictures; give --images, too")
    if split is not None and data is None:
        raise ValueError(f"split is {split!r}, but no data set is given; give --data, too")
    sets = [folder_pictures(folder) for folder in folders]
    if data is not None:
        sets.append(dataset_pictures(*data, split))
    if images is not None:
        sets.append(given_pictures(images, alphas, trimaps))
    if not sets:
        raise ValueError(
            "no pictures are given; give folders with image/ and alpha/, --data NAME ROOT, or "
            "--images DIR --alphas DIR"
        )
    return distinct(sets)


def all_contestants(
    models: Sequence[str], predictions: Sequence[Path], options: ModelOptions
) -> list[Contestant]:
    """Take models and folders of predictions; the default model where neither is given.

    Raises:
        ValueError: if one cannot be had, or is given twice.
    """
    chosen: Sequence[str | None] = models or ([] if predictions else [None])
    entered = [model_contestant(model, options) for model in chosen]
    return distinctly_named([*entered, *(folder_contestant(folder) for folder in predictions)])


def check_curves(contestants: Sequence[Contestant], options: CurveOptions) -> None:
    """See that curves can be drawn, before the scores are taken.

    Raises:
        ValueError: if no model is among the contestants, or there are no backgrounds.
    """
    if all(each.options is None for each in contestants):
        raise ValueError("robustness is asked of predictions alone; give a --model, too")
    if options.backgrounds is not None:
        pictures(options.backgrounds)


def robustness_curves(
    sets: Sequence[PictureSet],
    contestants: Sequence[Contestant],
    options: CurveOptions,
    *,
    kept: Path | None = None,
    jobs: int | None = None,
    seed: int = 0,
    on_scene: Callable[[int, int], None] | None = None,
) -> tuple[list[CurvePoint], list[str]]:
    """Draw the models' curves against rotation and subject size.

    Args:
        sets: the pictures.
        contestants: folders of predictions among them have no curves.
        options: which curves.
        kept: folder that results are kept in, and taken from; None to keep none.
        jobs: processes; None for one a core.
        seed: of the intervals.
        on_scene: called with the number done and the whole.

    Returns:
        The points, and a line for each picture that could not be looked at.
    """
    models = [each for each in contestants if each.options is not None]
    behind = [] if options.backgrounds is None else pictures(options.backgrounds)
    cases = [case for each in sets for case in evenly(each.cases, options.pictures)]
    angles = range(0, 360, options.angle_step)
    planned_scenes = list(planned(models, cases, angles, DIVISORS, behind))
    processes = num_processes(jobs, models, len(planned_scenes))
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    scenes = [
        replace(scene, threads=None if processes == 1 else 1, code=program_digest(), kept=kept)
        for scene in planned_scenes
    ]
    return curves(scenes, processes, on_scene, seed)
