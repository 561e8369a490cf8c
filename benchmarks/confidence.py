"""Fit the confidence of a model's mattes on pictures with known alpha, and store it in its file.

python -m benchmarks.confidence FOLDER... [--model FILE.onnx] [--without FOLDER] [--write]

FOLDER holds `image/` and `alpha/` or `trimap/`, none of them trained on. Every number printed is
of predictions for pictures that the fit did not see: ten folds, drawn anew twenty times. --without
names a folder of pictures without any animal, on which is counted how often nothing is found;
views beside the subjects of the FOLDERs, which no training has seen, are always tried so. They
take no part in the fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.confidence import CARD_ENTRY, Calibration, Signs
from animatte.data.folders import Truth, pictures
from animatte.engine import model_file
from animatte.evaluation.cases import folder_pictures
from animatte.images import write_whole
from animatte.looks import Matte
from animatte.metrics import picture_scores
from animatte.onnx_file import model_card, with_card
from animatte.predictor import Predictor, load

Image: TypeAlias = NDArray[np.float32]
Values: TypeAlias = NDArray[np.float64]
LEAST_IOU = 0.85
LEAST_CAUGHT = 0.6  # of the wrong mattes, by the review
FOLDS, ROUNDS = 10, 20
_RIDGE = 1.0  # on weights of signs scaled to a deviation of 1
_LEAST_VIEW = 100  # pixels of a view's sides
_BOUNDS = (0.0, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


class Fit(NamedTuple):
    """A logistic regression: log odds = signs · weights + bias."""

    weights: Values
    bias: float

    def probabilities(self, signs: Values) -> Values:
        """(N,) of (N, K) signs."""
        return np.asarray(1 / (1 + np.exp(-(signs @ self.weights + self.bias))))


class Measured(NamedTuple):
    """Pictures whose truth is known, but for those in which nothing was found.

    Attributes:
        signs: (N, 2), in the order of `Signs`.
        overlaps: (N,) IoU of matte and truth.
        num_empty: in which nothing was found.
    """

    signs: Values
    overlaps: Values
    num_empty: int


def fitted(signs: Values, is_right: Values) -> Fit:
    """Fit by Newton's method, with a ridge on the weights of the scaled signs.

    Args:
        signs: (N, K).
        is_right: (N,) of 0 and 1, both of them.
    """
    mean, deviation = signs.mean(axis=0), signs.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1)
    rows = np.column_stack([(signs - mean) / deviation, np.ones(len(signs))])
    ridge = np.diag([_RIDGE] * signs.shape[1] + [0.0])
    found = np.zeros(rows.shape[1])
    for _ in range(50):
        probabilities = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (is_right - probabilities) - ridge @ found
        spread = rows * (probabilities * (1 - probabilities))[:, None]
        step = np.linalg.solve(rows.T @ spread + ridge, slope)
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    weights = found[:-1] / deviation
    return Fit(weights, float(found[-1] - weights @ mean))


def unseen_probabilities(signs: Values, is_right: Values, rounds: int | None = None) -> Values:
    """(N,) probabilities of fits to the other folds, the mean over `rounds` divisions."""
    total = np.zeros(len(signs))
    for seed in range(rounds or ROUNDS):
        order = np.random.default_rng(seed).permutation(len(signs))
        for fold in range(FOLDS):
            held = order[fold::FOLDS]
            others = np.setdiff1d(order, held)
            total[held] += fitted(signs[others], is_right[others]).probabilities(signs[held])
    return total / (rounds or ROUNDS)


def area_under_curve(scores: Values, is_right: Values) -> float:
    """Probability that a right one scores higher than a wrong one; half where they tie."""
    right, wrong = scores[is_right == 1], scores[is_right == 0]
    above = (right[:, None] > wrong).mean() + (right[:, None] == wrong).mean() / 2
    return float(above)


def review_threshold(probabilities: Values, is_right: Values) -> float:
    """The lowest threshold, in hundredths, below which enough of the wrong ones lie.

    Args:
        probabilities: (N,) in [0, 1].
        is_right: (N,) of 0 and 1, both of them.
    """
    wrong = probabilities[is_right == 0]
    for hundredths in range(1, 100):
        if (wrong < hundredths / 100).mean() >= LEAST_CAUGHT:
            return hundredths / 100
    return 1.0


def looked_at(predictor: Predictor, image: Path | Image) -> tuple[Matte, Signs]:
    found = predictor.matte(image)
    if len(found.signs) != 1:
        raise ValueError(
            f"{predictor.name} ({predictor.network.rosta}) merges by itself and discloses no "
            "glance; only a model with glance and focus has a confidence"
        )
    return found, found.signs[0]


def measured(predictor: Predictor, truths: Iterable[Truth]) -> Measured:
    signs, overlaps, num_empty = [], [], 0
    for truth in truths:
        found, sign = looked_at(predictor, truth.image)
        num_empty += found.is_empty
        if not found.is_empty:
            signs.append(sign)
            overlaps.append(picture_scores(found.alpha, truth.alpha, truth.known)["iou"])
    return Measured(np.array(signs), np.array(overlaps), num_empty)


def beside_the_subject(truth: Truth) -> Image | None:
    """The largest of four views that end where the subject begins; None if all are small."""
    rows, columns = ((truth.alpha > 0.01) | ~truth.known).nonzero()
    if not len(rows):
        return None
    image = truth.image
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    views = (image[:top], image[bottom:], image[:, :left], image[:, right:])
    wide = [view for view in views if min(view.shape[:2]) >= _LEAST_VIEW]
    return np.ascontiguousarray(max(wide, key=lambda view: view.size)) if wide else None


def calibration(measured: Measured, probabilities: Values, predictor: Predictor) -> Calibration:
    """The fit to all pictures, with the threshold of what it says of pictures unseen."""
    is_right = right(measured)
    fit = fitted(measured.signs, is_right)
    return Calibration(
        confusion=round(float(fit.weights[0]), 4),
        disagreement=round(float(fit.weights[1]), 4),
        bias=round(fit.bias, 4),
        review=review_threshold(probabilities, is_right),
        least_iou=LEAST_IOU,
        glance=predictor.strategy.glance,
        mirrored=predictor.strategy.mirrored,
    )


def right(measured: Measured) -> Values:
    """(N,) of 0 and 1: whether the overlap is large enough."""
    return (measured.overlaps >= LEAST_IOU).astype(np.float64)


def print_fit(measured: Measured, probabilities: Values) -> None:
    is_right, base = right(measured), right(measured).mean()
    print(
        f"{len(is_right)} pictures with a subject found, {measured.num_empty} without; "
        f"{base:.3f} of the mattes have an IoU of at least {LEAST_IOU}"
    )
    print("\n| told apart by | area under the curve |\n|---|---|")
    for column, name in enumerate(Signs._fields):
        print(f"| {name} alone | {area_under_curve(-measured.signs[:, column], is_right):.3f} |")
    print(f"| both, pictures unseen | {area_under_curve(probabilities, is_right):.3f} |")
    brier, plain = ((probabilities - is_right) ** 2).mean(), base * (1 - base)
    print(f"\nBrier score {brier:.4f}, of the base rate {plain:.4f}: ratio {brier / plain:.2f}")
    print("\n| confidence | pictures | said | seen | mean IoU |\n|---|---|---|---|---|")
    for low, high in pairwise(_BOUNDS):
        inside = (probabilities >= low) & (probabilities < high)
        if inside.any():
            said, seen = probabilities[inside].mean(), is_right[inside].mean()
            row = (f"{low:g} to {high:g}", inside.sum(), f"{said:.2f}", f"{seen:.2f}")
            print(f"| {' | '.join(map(str, row))} | {measured.overlaps[inside].mean():.3f} |")


def print_review(measured: Measured, probabilities: Values, review: float) -> None:
    wrong, gross = right(measured) == 0, measured.overlaps < 0.5
    flagged = probabilities < review
    print(f"\nneeds review below {review:.2f}: {_share(flagged)} of the pictures, of which")
    print(f"{_share(wrong[flagged])} are wrong; {_share(flagged[wrong])} of all wrong ones,")
    print(f"{_share(flagged[gross])} of the {gross.sum()} with an IoU below 0.5; of those that")
    print(f"pass, {_share(~wrong[~flagged])} are right")


def print_without_animal(
    name: str, predictor: Predictor, images: Iterable[Path | Image], chosen: Calibration
) -> None:
    empty, flagged = [], []
    for image in images:
        matte, signs = looked_at(predictor, image)
        empty.append(matte.is_empty)
        if not matte.is_empty:
            flagged.append(chosen.confidence(signs) < chosen.review)
    print(
        f"\n{name}: {len(empty)}; in {sum(empty)} nothing is found "
        f"({_share(np.array(empty))}), of the other {len(flagged)} {sum(flagged)} need review"
    )


def _share(of: NDArray[np.bool_]) -> str:
    return f"{of.mean():.0%}" if of.size else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", help="a shipped model's name or an .onnx file")
    parser.add_argument("--without", type=Path, help="pictures without any animal")
    parser.add_argument("--write", action="store_true", help="store the fit in the model's file")
    options = parser.parse_args()
    path = model_file(options.model)
    if options.write and path.suffix != ".onnx":
        parser.error(f"{path} is no .onnx file, and only these hold a card; export it first")
    predictor = load(options.model)
    pairs = [case.pair for folder in options.folders for case in folder_pictures(folder).cases]
    found = measured(predictor, (pair.truth() for pair in pairs))
    if set(right(found)) != {0, 1}:
        parser.error(f"all of {len(found.overlaps)} mattes are right, or all wrong; give more")
    probabilities = unseen_probabilities(found.signs, right(found))
    chosen = calibration(found, probabilities, predictor)
    print_fit(found, probabilities)
    print_review(found, probabilities, chosen.review)
    beside = (beside_the_subject(pair.truth()) for pair in pairs)
    views = (view for view in beside if view is not None)
    print_without_animal("views beside the subjects", predictor, views, chosen)
    if options.without is not None:
        given = pictures(options.without)
        print_without_animal(f"pictures of {options.without.name}", predictor, given, chosen)
    print(f"\n{chosen.as_dict()}")
    if options.write:
        card = {**model_card(path), CARD_ENTRY: chosen.as_dict()}
        write_whole(path, [with_card(path.read_bytes(), card)])
        print(f"stored in {path}")


if __name__ == "__main__":
    main()
