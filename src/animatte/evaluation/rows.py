"""Every picture scored by every contestant, over all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from animatte.data.parallel import mapped
from animatte.evaluation.cases import PictureSet
from animatte.evaluation.contestants import Contestant
from animatte.evaluation.scoring import Rules, Task, scored
from animatte.metrics import named_protocol


@dataclass(frozen=True)
class Row:
    """The scores of one picture by one contestant.

    Attributes:
        contestant: its name.
        picture_set: name of the picture's set.
        picture: its name.
        group: its class, or empty.
        scores: by metric.
        sha256: of the picture's file.
        key: of what is kept of it.
    """

    contestant: str
    picture_set: str
    picture: str
    group: str
    scores: Mapping[str, float]
    sha256: str = ""
    key: str = ""


class Results(NamedTuple):
    """All rows, and a line for each thing that is wrong."""

    rows: list[Row]
    faults: list[str]


def evaluated(
    sets: Sequence[PictureSet],
    contestants: Sequence[Contestant],
    rules: Rules,
    *,
    kept: Path | None = None,
    jobs: int | None = None,
    on_row: Callable[[int, int], None] | None = None,
) -> Results:
    """Score all pictures by all contestants; what cannot be scored is told, the rest is done.

    Args:
        sets: the pictures.
        contestants: models and folders of predictions.
        rules: what is worked out.
        kept: folder that results are kept in, and taken from; None to keep none.
        jobs: processes; None for `num_processes`.
        on_row: called with the number done and the whole.

    Raises:
        ValueError: if a protocol needs trimaps and a set has none, or `jobs` is below 1.
    """
    _check_trimaps(sets, rules)
    cases = [case for each in sets for case in each.cases]
    processes = num_processes(jobs, contestants, len(cases) * len(contestants))
    tasks = [
        Task(contestant, case, rules, kept, threads=None if processes == 1 else 1)
        for contestant in contestants
        for case in cases
    ]
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    rows, faults = [], [fault for each in sets for fault in each.faults]
    for number, (task, outcome) in enumerate(
        zip(tasks, mapped(scored, tasks, processes), strict=True), start=1
    ):
        case = task.case
        if outcome.fault:
            faults.append(outcome.fault)
        else:
            rows.append(
                Row(
                    task.contestant.name,
                    case.picture_set,
                    case.pair.name,
                    case.group,
                    outcome.scores,
                    outcome.sha256,
                    outcome.key,
                )
            )
        if on_row is not None:
            on_row(number, len(tasks))
    return Results(rows, list(dict.fromkeys(faults)))


def num_processes(jobs: int | None, contestants: Sequence[Contestant], num_tasks: int) -> int:
    """Number of processes: as many as asked for, else one a core; one where a GPU does the work.

    Raises:
        ValueError: if `jobs` is below 1.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs is {jobs}; at least 1 process is needed")
    on_cpu = all(each.options is None or each.options.device == "cpu" for each in contestants)
    default = (os.cpu_count() or 1) if on_cpu else 1
    return max(1, min(jobs or default, num_tasks))


def _check_trimaps(sets: Sequence[PictureSet], rules: Rules) -> None:
    if (rules.area or named_protocol(rules.protocol).area) != "transition":
        return
    for each in sets:
        if not any(case.is_hard or case.pair.trimap for case in each.cases):
            raise ValueError(
                f"protocol {rules.protocol!r} is to score the unknown area of trimaps, and "
                f"{each.name} has none; give --trimaps, or --area image"
            )
