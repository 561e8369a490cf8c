"""One picture's scores, kept on disk so that a run that was stopped goes on where it was."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.data.folders import Pair, Truth
from animatte.evaluation.cases import Case
from animatte.evaluation.contestants import Contestant
from animatte.evaluation.keeping import keep_result, kept_result, result_key
from animatte.evaluation.thumbnails import error_thumbnail, thumbnail
from animatte.foregrounds import estimated_foreground
from animatte.images import read_photo
from animatte.images.arrays import size_text
from animatte.metrics import (
    alpha_scores,
    colour_error,
    named_protocol,
    picture_scores,
    segmentation_scores,
)
from animatte.metrics.protocols import Area

Array: TypeAlias = NDArray[np.float32]
_MOST_CONTRADICTED = 0.02  # of a trimap's known pixels; published ones come below a thousandth


@dataclass(frozen=True)
class Rules:
    """What is worked out of every picture.

    Attributes:
        protocol: a key of `animatte.metrics.PROTOCOLS`.
        band: pixels by which the unknown area is dilated for the scores of the band; None for no
            such scores.
        area: over which scores are taken in place of the protocol's own; None for that.
        code: digest of the program.
    """

    protocol: str = "gfm"
    band: int | None = None
    area: Area | None = None
    code: str = ""


def parsed_area(text: str | None) -> Area | None:
    """Read "image" or "transition"; None stays None.

    Raises:
        ValueError: if it is neither.
    """
    known: dict[str | None, Area | None] = {
        None: None,
        "image": "image",
        "transition": "transition",
    }
    if text not in known:
        raise ValueError(f"area is {text!r}; it must be image or transition")
    return known[text]


@dataclass(frozen=True)
class Task:
    """A picture to be scored by one contestant.

    Attributes:
        contestant: whose alpha it is.
        case: the picture.
        rules: what is worked out.
        kept: folder that results are kept in; None to keep none.
        threads: of the model; None for one a core.
    """

    contestant: Contestant
    case: Case
    rules: Rules
    kept: Path | None = None
    threads: int | None = None


class Outcome(NamedTuple):
    """What came of a task.

    Attributes:
        scores: by metric; empty if there is a fault.
        fault: why there are none, in one line.
        key: names the file that it is kept in.
        sha256: of the picture's file.
    """

    scores: dict[str, float]
    fault: str = ""
    key: str = ""
    sha256: str = ""


def scored(task: Task) -> Outcome:
    """Score a picture, or take what an earlier run has kept of the same files and settings."""
    pair = task.case.pair
    try:
        prediction = task.contestant.prediction(pair, task.case.picture_set)
        key, sha256 = _key(task, prediction)
        found = None if task.kept is None else kept_result(task.kept, key)
        if found is not None:
            return Outcome(found["scores"], "", key, sha256)
        truth = checked_truth(pair)
        trimap = None if task.case.is_hard else _checked_trimap(pair, truth)
        alpha = task.contestant.alpha(truth.image, prediction, task.threads)
        _check_size(alpha, truth.alpha.shape, f"{prediction or task.contestant.name}")
        if prediction is not None:  # a model may well find next to nothing
            _check_range(alpha, f"{prediction}")
        scores = picture_rows(task, truth, trimap, alpha)
    except (ValueError, OSError) as error:
        return Outcome({}, fault_line(pair, error))
    if task.kept is not None:
        keep_result(task.kept, key, scores, _views(alpha, truth))
    return Outcome(scores, "", key, sha256)


def picture_rows(
    task: Task, truth: Truth, trimap: NDArray[np.uint8] | None, alpha: Array
) -> dict[str, float]:
    """Work out every score of a picture, segmentation first."""
    rules = task.rules
    # Where nothing is known, the outline may run as it likes.
    followed = np.where(truth.known, truth.alpha, alpha)
    scores = segmentation_scores(alpha, followed)
    if task.case.is_hard:
        known = picture_scores(alpha, truth.alpha, truth.known)
        mean = named_protocol(rules.protocol).mean_factor
        return {
            "iou": known["iou"],
            "boundary_f": scores["boundary_f"],
            "sad": known["sad"],
            "mse": known["mse"] * mean,
            "mad": known["mad"] * mean,
        }
    scores |= alpha_scores(
        alpha, truth.alpha, trimap, rules.protocol, area=rules.area, band=rules.band
    )
    if task.case.pair.foreground is not None:
        true = read_photo(task.case.pair.foreground).image
        scores["colour"] = colour_error(estimated_foreground(truth.image, alpha), true, truth.alpha)
    return scores


def checked_truth(pair: Pair) -> Truth:
    """Read a picture and its truth, having looked at what the files hold.

    Raises:
        ValueError: if they cannot be read, the sizes differ, or the alpha is a mask of 0 and 1.
    """
    truth = pair.truth()
    if pair.alpha is not None:
        _check_range(truth.alpha, f"{pair.alpha}")
    return truth


def fault_line(pair: Pair, error: Exception) -> str:
    """An error as one line that names the picture."""
    text = " ".join(f"{error}".split())
    return text if f"{pair.image}" in text else f"{pair.image}: {text}"


def _check_size(alpha: Array, shape: tuple[int, ...], name: str) -> None:
    if alpha.shape != shape:
        raise ValueError(
            f"{name} is {size_text(alpha.shape)}, its truth {size_text(shape)}; both must have one "
            "height and width"
        )


def _check_range(alpha: Array, name: str) -> None:
    highest = float(alpha.max())
    if 0 < highest <= 1 / 255 + 1e-6:
        raise ValueError(
            f"{name} reaches {highest:.2g} of 1 at most, like a mask stored as 0 and 1; alphas go "
            "to 255 in 8 bits: multiply it by 255"
        )


def _checked_trimap(pair: Pair, truth: Truth) -> NDArray[np.uint8] | None:
    trimap = pair.read_trimap()
    if trimap is None:
        return None
    if trimap.shape != truth.alpha.shape:
        sizes = size_text(trimap.shape), size_text(truth.alpha.shape)
        raise ValueError(
            f"{pair.trimap} is {sizes[0]}, its picture {pair.image} {sizes[1]}; "
            "both must have one height and width"
        )
    known = (trimap == 0) | (trimap == 255)
    contradicted = known & ((truth.alpha >= 0.5) != (trimap == 255))
    share = contradicted.sum() / max(1, known.sum())
    if share > _MOST_CONTRADICTED:
        raise ValueError(
            f"{pair.trimap} says the contrary of {pair.alpha} on {share:.0%} of the pixels that it "
            "calls known; give the trimap of this picture"
        )
    return trimap


def _key(task: Task, prediction: Path | None) -> tuple[str, str]:
    """The name of a task's result, and the picture's digest."""
    pair, rules = task.case.pair, task.rules
    about = [task.contestant.settings, rules, task.case.is_hard, pair.labels]
    key, digests = result_key(about, {**pair.files, "prediction": prediction})
    return key, digests["image"]


def _views(alpha: Array, truth: Truth) -> dict[str, str]:
    views = {
        "prediction": thumbnail(alpha),
        "error": error_thumbnail(alpha, truth.alpha, truth.known),
    }
    return {name: base64.b64encode(view).decode("ascii") for name, view in views.items()}
