"""Score models and other programs on the same pictures, in one run, and time them in turn.

python -m benchmarks.quality FOLDER... [--model NAME|FILE]... [--peer PEER]... [--count N]

FOLDER holds `image/` and `alpha/` or `trimap/`. Without --peer every one that is known is tried:
GrabCut, which comes with OpenCV, is the reference that is always there; of the others those whose
weights are on this machine, and of the rest it is said why not. Of every picture all take their
turn, so that a busy machine is busy for all alike. Time is that of all cores together, reading and
scoring left out; ratios are to the first model, the median over the pictures.

--peer onnx=FILE,size=320,mean=imagenet,stretched=yes runs any network from RGB to alpha.
"""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import NamedTuple

from benchmarks.peers import Peer, SkippedError, all_peers, peer_named

from animatte.evaluation.cases import Case, evenly, folder_pictures
from animatte.evaluation.contestants import Contestant
from animatte.evaluation.scoring import Rules, Task, picture_rows
from animatte.metrics import bootstrap_interval
from animatte.predictor import load

# Heading, factor, decimals.
COLUMNS: Mapping[str, tuple[str, float, int]] = {
    "iou": ("IoU", 1, 3),
    "mad": ("MAD·10³", 1000, 1),
    "sad": ("SAD", 1, 2),
    "grad": ("Grad", 1, 2),
}
_INTERVALS = ("iou", "mad")


class Turn(NamedTuple):
    """What one contestant made of one picture.

    Attributes:
        scores: by metric, as `animatte evaluate` has them.
        seconds: of all cores.
    """

    scores: Mapping[str, float]
    seconds: float


def turns(contestants: Mapping[str, Peer], cases: Sequence[Case]) -> dict[str, list[Turn]]:
    """Let all contestants take their turn at every picture; the first picture warms up."""
    found: dict[str, list[Turn]] = {name: [] for name in contestants}
    for peer in contestants.values():
        peer(cases[0].pair.truth().image)
    for number, case in enumerate(cases):
        truth = case.pair.truth()
        trimap = None if case.is_hard else case.pair.read_trimap()
        names = list(contestants)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            start = process_time()
            alpha = contestants[name](truth.image)
            seconds = process_time() - start
            task = Task(Contestant(name, name), case, Rules())
            found[name].append(Turn(picture_rows(task, truth, trimap, alpha), seconds))
    return found


def table(found: Mapping[str, Sequence[Turn]]) -> Iterator[str]:
    """Lines of a table in Markdown, a row a contestant; the first is the one of the ratios."""
    first = next(iter(found.values()))
    shown = [metric for metric in COLUMNS if metric in first[0].scores]
    headings = ["", *(COLUMNS[metric][0] for metric in shown), "CPU ms", "ratio"]
    yield f"| {' | '.join(headings)} |"
    yield "|---" * len(headings) + "|"
    for name, rows in found.items():
        cells = [_cell(metric, [row.scores[metric] for row in rows]) for metric in shown]
        ratios = [row.seconds / own.seconds for row, own in zip(rows, first, strict=True)]
        milliseconds = 1000 * median(row.seconds for row in rows)
        cells += [f"{milliseconds:.0f}", f"{median(ratios):.2f}"]
        yield f"| {name} | {' | '.join(cells)} |"


def print_tables(
    contestants: Mapping[str, Peer], folders: Sequence[Path], count: int | None
) -> None:
    """Let all take their turns at so many pictures of each folder, and print a table of it."""
    for folder in folders:
        cases = folder_pictures(folder).cases
        chosen = evenly(cases, count)
        print(f"\n{folder.name}, {len(chosen)} of {len(cases)} pictures\n", flush=True)
        print("\n".join(table(turns(contestants, chosen))), flush=True)


def _cell(metric: str, values: Sequence[float]) -> str:
    _, factor, decimals = COLUMNS[metric]
    interval = bootstrap_interval(values)
    mean, low, high = (
        f"{factor * each:.{decimals}f}" for each in (interval.mean, interval.low, interval.high)
    )
    return f"{mean} ({low} to {high})" if metric in _INTERVALS else mean


def entered(
    models: Sequence[str | None], peers: Sequence[str], threads: int
) -> tuple[dict[str, Peer], list[str]]:
    """The contestants by name, models first, and a line for each peer that is skipped."""
    found: dict[str, Peer] = {}
    skipped = []
    for model in models:
        predictor = load(model, "cpu", threads=threads)
        found[_free(predictor.name, str(model), found)] = predictor.alpha
    for text in peers:
        peer = _peer_or_reason(text, threads)
        if isinstance(peer, SkippedError):
            skipped.append(f"skipped: {text.partition('=')[0]}: {peer}")
        else:
            found[_free(peer[0], text, found)] = peer[1]
    return found, skipped


def _free(name: str, asked: str, taken: Container[str]) -> str:
    """A name that nobody has: with what was asked for, where another is called so."""
    return f"{name}, {asked}" if name in taken else name


def _peer_or_reason(text: str, threads: int) -> tuple[str, Peer] | SkippedError:
    try:
        return peer_named(text, threads)
    except SkippedError as reason:
        return reason


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", action="append", help="name or file; the default one if none")
    parser.add_argument("--peer", action="append", help="all that are known if none is given")
    parser.add_argument("--count", type=int, help="pictures of each folder, evenly spaced")
    parser.add_argument("--threads", type=int, default=1, help="of each network")
    options = parser.parse_args()
    peers = all_peers() if options.peer is None else options.peer
    contestants, skipped = entered(options.model or [None], peers, options.threads)
    print_tables(contestants, options.folders, options.count)
    print("\n" + "\n".join(skipped))


if __name__ == "__main__":
    main()
