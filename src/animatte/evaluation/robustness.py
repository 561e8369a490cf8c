"""How a model's error grows with rotation and with small subjects, and what its options mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from animatte.data.folders import Truth
from animatte.data.parallel import mapped
from animatte.evaluation.cases import Case
from animatte.evaluation.changes import pasted, rotated, shrunk
from animatte.evaluation.contestants import Contestant, loaded
from animatte.evaluation.keeping import keep_result, kept_result, result_key
from animatte.evaluation.plain import flattened
from animatte.evaluation.scoring import checked_truth, fault_line
from animatte.images import read_photo
from animatte.looks import Looks
from animatte.metrics import Interval, bootstrap_interval, picture_scores
from animatte.predictor import Predictor

Change: TypeAlias = Literal["rotation", "size"]


class Measured(NamedTuple):
    """One picture: MAD, IoU, processor seconds, and 1 if it was turned or zoomed, else 0."""

    mad: float
    iou: float
    seconds: float
    used: float


@dataclass(frozen=True)
class Scene:
    """A picture, changed, to be looked at by one model.

    Attributes:
        contestant: the model, with the looks that it is to take.
        case: the picture.
        change: what is done to it.
        amount: degrees counter-clockwise; or by what the subject is made smaller.
        background: picture that the subject is pasted on; None to shrink its photo as it is.
        seed: of the place.
        threads: of the model; None for one a core.
        code: digest of the program.
        kept: folder that results are kept in; None to keep none.
    """

    contestant: Contestant
    case: Case
    change: Change
    amount: float
    background: Path | None = None
    seed: int = 0
    threads: int | None = None
    code: str = ""
    kept: Path | None = None


@dataclass(frozen=True)
class CurvePoint:
    """Means over the pictures at one rotation or size.

    Attributes:
        contestant: the model's name.
        looks: options that it looked with; empty for none.
        change: "rotation" or "size".
        amount: degrees counter-clockwise; or by what the subject is made smaller.
        count: of pictures.
        mad: mean absolute difference, in [0, 1], with its 95 % interval.
        iou: of the mattes cut at 0.5, with its 95 % interval.
        seconds: of a processor, a picture.
        used: share of the pictures that were turned or zoomed.
    """

    contestant: str
    looks: str
    change: Change
    amount: float
    count: int
    mad: Interval
    iou: Interval
    seconds: float
    used: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON and CSV."""
        return flattened(
            self,
            "mad",
            "iou",
            named=lambda metric, key: metric if key == "mean" else f"{metric}_{key}",
        )


def measured(predictor: Predictor, truth: Truth) -> Measured:
    """Score one way of looking on a picture whose alpha is known."""
    start = process_time()
    matte = predictor.matte(truth.image)
    seconds = process_time() - start
    scores = picture_scores(matte.alpha, truth.alpha, truth.known)
    used = float(matte.turned != 0 or bool(matte.zoomed))
    return Measured(scores["mad"], scores["iou"], seconds, used)


def changed(scene: Scene) -> Truth:
    """Read the picture of a scene and change it: the same for every model and look."""
    truth = checked_truth(scene.case.pair)
    if scene.change == "rotation":
        return rotated(truth, scene.amount)
    random = np.random.default_rng(scene.seed)
    if scene.background is None or not truth.known.all():
        return shrunk(truth, scene.amount, random)
    return pasted(truth, read_photo(scene.background).image, scene.amount, random)


def looked_at(scene: Scene) -> Measured | str:
    """Score a scene, or take what is kept of it; a line where that cannot be done."""
    try:
        key = _key(scene)
        found = None if scene.kept is None else kept_result(scene.kept, key)
        if found is not None:
            return Measured(**found["scores"])
        result = measured(loaded(scene.contestant, scene.threads), changed(scene))
    except (ValueError, OSError) as error:
        return fault_line(scene.case.pair, error)
    if scene.kept is not None:
        keep_result(scene.kept, key, result._asdict())
    return result


def curves(
    scenes: Sequence[Scene],
    jobs: int | None = None,
    on_scene: Callable[[int, int], None] | None = None,
    seed: int = 0,
) -> tuple[list[CurvePoint], list[str]]:
    """Look at all scenes over all cores; give the means, and a line for each that has none.

    Args:
        scenes: as `planned` gives them.
        jobs: processes; None for one a core.
        on_scene: called with the number done and the whole.
        seed: of the intervals.
    """
    found: dict[Contestant, dict[tuple[Change, float], list[Measured]]] = {}
    faults: dict[str, None] = {}
    results = mapped(looked_at, scenes, jobs)
    for number, (scene, result) in enumerate(zip(scenes, results, strict=True), start=1):
        if isinstance(result, str):
            faults[result] = None
        else:
            points = found.setdefault(scene.contestant, {})
            points.setdefault((scene.change, scene.amount), []).append(result)
        if on_scene is not None:
            on_scene(number, len(scenes))
    made = [
        _point(contestant, *place, rows, seed)
        for contestant, points in found.items()
        for place, rows in points.items()
    ]
    return made, list(faults)


def planned(
    contestants: Iterable[Contestant],
    cases: Sequence[Case],
    angles: Sequence[float],
    divisors: Sequence[float],
    backgrounds: Sequence[Path] = (),
) -> Iterator[Scene]:
    """Plan the curves: every model with no look of its own, and with those that it is to take.

    Args:
        contestants: models, with their looks.
        cases: the pictures; every model sees the same at the same places.
        angles: in degrees counter-clockwise.
        divisors: by what subjects are made smaller.
        backgrounds: pictures that subjects are pasted on; none to shrink their photos instead.
    """
    amounts: tuple[tuple[Change, Sequence[float]], ...] = (("rotation", angles), ("size", divisors))
    for contestant in contestants:
        for change, many in amounts:
            for seen, amount in product(_ways(contestant, change), many):
                for number, case in enumerate(cases):
                    behind = backgrounds[number * 7 % len(backgrounds)] if backgrounds else None
                    if change == "rotation":
                        behind = None
                    yield Scene(seen, case, change, amount, behind, seed=number)


def _ways(contestant: Contestant, change: Change) -> list[Contestant]:
    """The model with no look of its own, and with the one that is meant for such a change."""
    options = contestant.options
    assert options is not None
    looks = options.looks
    own = Looks(straighten=looks.straighten) if change == "rotation" else Looks(zoom=looks.zoom)
    return [
        replace(contestant, options=replace(options, looks=each))
        for each in dict.fromkeys((Looks(), own))
    ]


def _point(
    contestant: Contestant, change: Change, amount: float, rows: Sequence[Measured], seed: int
) -> CurvePoint:
    assert contestant.options is not None
    looks = contestant.options.looks
    words = {"--straighten": looks.straighten, "--zoom": looks.zoom}
    return CurvePoint(
        contestant.name,
        " ".join(f"{option} {value}" for option, value in words.items() if value != "never"),
        change,
        amount,
        len(rows),
        bootstrap_interval([row.mad for row in rows], seed=seed),
        bootstrap_interval([row.iou for row in rows], seed=seed),
        float(np.mean([row.seconds for row in rows])),
        float(np.mean([row.used for row in rows])),
    )


def _key(scene: Scene) -> str:
    files = {**scene.case.pair.files, "behind": scene.background}
    about = [scene.contestant.settings, scene.code, scene.change, scene.amount, scene.seed]
    return result_key(about, files)[0]
