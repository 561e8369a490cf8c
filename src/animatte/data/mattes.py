"""Labels of pictures: those that are there, and a model's mattes where its views agree."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from animatte.data.consensus import Array, Found, Models, mean_and_agreement, read_record
from animatte.data.folders import ALPHA_FOLDER, Pair, pictures
from animatte.data.outlines import Outline, OutlineTable, drawing_key, outlined
from animatte.data.parallel import mapped
from animatte.data.results import ALPHAS, IMAGES, RECORD, by_name, check_apart, results_there
from animatte.data.verdicts import Table, Verdict
from animatte.images import encoded_image, read_photo, write_whole
from animatte.images.arrays import Pixels, unit_pixels
from animatte.outputs import line_file

State: TypeAlias = Literal["label", "model", "dropped", "apart", "failed"]

INDEX = "index.csv"


@dataclass(frozen=True)
class Task:
    """One picture, and what is to become of it.

    Attributes:
        image: the picture.
        label: its alpha; None where there is none.
        verdict: which alpha is taken, if any.
        outlines: what is drawn over it.
        least: agreement that a model's matte needs.
        output: folder that the results' folders are in.
        there: the files of this name in these folders.
        found: what is known of its matte.
    """

    image: Path
    label: Path | None
    verdict: Verdict
    least: float
    output: Path
    outlines: tuple[Outline, ...] = ()
    there: tuple[Path, ...] = ()
    found: Found | None = None

    @property
    def kept_image(self) -> Path:
        """Where the picture goes, if it is kept."""
        return self.output / IMAGES / self.image.name

    @property
    def kept_alpha(self) -> Path:
        """Where its alpha goes, if it is kept."""
        label = self.label if self.verdict == "label" and not self.outlines else None
        return self.output / ALPHAS / (label.name if label else f"{self.image.stem}.png")


class Outcome(NamedTuple):
    """What became of a picture.

    Attributes:
        name: the picture's, without suffix.
        state: "label" or "model", whose alpha was taken; "dropped" by a verdict; "apart" where
            views disagree; "failed".
        agreement: of the views; None where no model was asked.
        found: what is to be noted for later runs.
        error: one line if it failed.
    """

    name: str
    state: State
    agreement: float | None = None
    found: Found | None = None
    error: str | None = None


def matte_tasks(
    root: Path,
    output: Path,
    *,
    images: str = "image",
    alphas: str = ALPHA_FOLDER,
    verdicts: Table | None = None,
    outlines: OutlineTable | None = None,
    agreement: float = 0.9,
) -> list[Task]:
    """Decide of every picture which alpha it gets.

    Args:
        root: holds the folder of pictures, and perhaps one of labels.
        output: folder of the results, perhaps of an earlier run.
        images: name of the folder of pictures.
        alphas: name of the folder of labels, which may be missing if it is the usual one.
        verdicts: what people decided; None for nothing.
        outlines: what people drew over the alphas that are taken; None for nothing.
        agreement: what a model's matte needs that nobody looked at.

    Raises:
        ValueError: if a folder is missing, two files share a name, a verdict or an outline does
            not fit, or the output is the input or holds what no earlier run has put there.
    """
    named = by_name(pictures(root / images))
    has_labels = alphas != ALPHA_FOLDER or (root / alphas).is_dir()
    labels = by_name(pictures(root / alphas)) if has_labels else {}
    if verdicts is not None:
        verdicts.check(root / images, named, labels)
    decided = {name: verdicts.verdict(name) if verdicts is not None else None for name in named}
    if outlines is not None:
        dropped = {name for name, verdict in decided.items() if verdict == "drop"}
        outlines.check(root / images, named, dropped)
    check_apart(root, output, images, alphas)
    there = results_there(output, root / images, named)
    found = read_record(output / RECORD)
    tasks = []
    for name, image in named.items():
        label = labels.get(name)
        drawn = outlines.outlines(name) if outlines is not None else ()
        least = agreement if decided[name] is None and not drawn else 0.0
        verdict = decided[name] or ("model" if label is None else "label")
        had = tuple(there.get(name, ()))
        tasks.append(Task(image, label, verdict, least, output, drawn, had, found.get(name)))
    return tasks


def prepared_mattes(
    tasks: Sequence[Task], models: Models, jobs: int | None = None
) -> Iterator[Outcome]:
    """Bring every picture that is kept, and its alpha, into the output; write the index at the end.

    What is there and would be the same stays; what is no longer wanted goes. Whatever fails in one
    picture does not stop the rest. Until the end there is no index.

    Args:
        tasks: at least one, of `matte_tasks`.
        models: whose mattes are taken.
        jobs: processes; None for one a core, or one where a model is not run by the CPU.

    Raises:
        ValueError: if a model cannot be loaded.
        OSError: if the output cannot be written.
    """
    output = tasks[0].output
    is_on_cpu = all(each.device == "cpu" for each in models.predictors())
    jobs = jobs or (None if is_on_cpu else 1)
    if min(jobs or os.cpu_count() or 1, len(tasks)) > 1:
        models = replace(models, threads=1)
    for name in (IMAGES, ALPHAS):
        (output / name).mkdir(parents=True, exist_ok=True)
    (output / INDEX).unlink(missing_ok=True)
    outcomes = []
    with line_file(output / RECORD, append=True) as note:
        for outcome in mapped(partial(_settled, models=models), tasks, jobs):
            if outcome.found is not None:
                note(outcome.found._asdict())
            outcomes.append(outcome)
            yield outcome
    write_whole(output / INDEX, [os.fsencode(_index(outcomes))])


def summary(states: Mapping[Any, int]) -> str:
    """How many pictures met which end, in one line."""
    words = {
        "label": "labels" if states.get("label", 0) != 1 else "label",
        "model": "mattes" if states.get("model", 0) != 1 else "matte",
        "dropped": "dropped",
        "apart": "where views disagree",
    }
    counts = [f"{states.get(state, 0)} {word}" for state, word in words.items()]
    failed = states.get("failed", 0)
    return ", ".join([*counts, *([f"{failed} failed"] if failed else [])])


def _settled(task: Task, models: Models) -> Outcome:
    name = task.image.stem
    try:
        if task.verdict == "drop":
            _remove(task.there)
            return Outcome(name, "dropped")
        return _labelled(task) if task.verdict == "label" else _matted(task, models)
    except Exception as error:  # reported, not swallowed: a batch must go on
        with contextlib.suppress(OSError):  # so that no picture is left without its alpha
            _remove([task.kept_image, *task.there, task.kept_alpha])
        line = " ".join(str(error).split()) or type(error).__name__
        named = line if str(task.image) in line else f"{task.image}: {line}"
        return Outcome(name, "failed", error=named)


def _labelled(task: Task) -> Outcome:
    assert task.label is not None
    picture, label = task.image.read_bytes(), task.label.read_bytes()
    if task.outlines:
        return _redrawn(task, picture, label)
    if not (_holds(task.kept_image, picture) and _holds(task.kept_alpha, label)):
        Pair(task.image, task.label).read()  # that they can be read, and are of one size
    _keep(task, picture, label)
    return Outcome(task.image.stem, "label")


def _redrawn(task: Task, picture: bytes, label: bytes) -> Outcome:
    """A label with outlines."""
    assert task.label is not None
    name, key = task.image.stem, _digest(label + picture + drawing_key(task.outlines))
    alpha = _content(task.kept_alpha)
    noted = None
    if task.found is None or task.found.key != key or _digest(alpha) != task.found.sha256:
        sample = Pair(task.image, task.label).read()
        alpha = _drawn_over(unit_pixels(sample.alpha), sample.image, task.outlines)
        noted = Found(name, key, 1.0, _digest(alpha))
    _keep(task, picture, alpha)
    return Outcome(name, "label", None, noted)


def _matted(task: Task, models: Models) -> Outcome:
    name, picture = task.image.stem, task.image.read_bytes()
    key = models.key(picture + drawing_key(task.outlines))
    found = task.found if task.found is not None and task.found.key == key else None
    matte = _content(task.kept_alpha)
    noted = None
    if found is None or (found.agreement >= task.least and _digest(matte) != found.sha256):
        photo = read_photo(task.image)
        mean, agreement = mean_and_agreement(models.views(photo))
        matte = _drawn_over(mean, photo.image, task.outlines)
        found = noted = Found(name, key, agreement, _digest(matte))
    if found.agreement < task.least:
        _remove(task.there)
        return Outcome(name, "apart", found.agreement, noted)
    _keep(task, picture, matte)
    return Outcome(name, "model", found.agreement, noted)


def _drawn_over(alpha: Array, image: Pixels, outlines: Sequence[Outline]) -> bytes:
    """A PNG file, of 8 bits, of an alpha with outlines."""
    return encoded_image(".png", outlined(alpha, image, outlines) if outlines else alpha)


def _keep(task: Task, picture: bytes, alpha: bytes) -> None:
    """Put a picture and its alpha in their places, and nothing else of their name there.

    The alpha first, as a folder is no source where a picture lacks its own.
    """
    for path, content in ((task.kept_alpha, alpha), (task.kept_image, picture)):
        if not _holds(path, content):
            write_whole(path, [content])
    _remove(path for path in task.there if path not in (task.kept_image, task.kept_alpha))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _index(outcomes: Sequence[Outcome]) -> str:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["name", "source", "agreement"])
    for each in outcomes:
        if each.state in ("label", "model"):
            table.writerow(
                [each.name, each.state, "" if each.agreement is None else f"{each.agreement:.3f}"]
            )
    return stream.getvalue()
