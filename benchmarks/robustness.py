"""How far a model's error grows with rotation and with small subjects, and what options mend.

python benchmarks/robustness.py FOLDER --backgrounds FOLDER [--models NAME-OR-FILE...] -o OUT

FOLDER holds `image/` and `alpha/` (or `trimap/`, then with whole photos shrunk). For each model a
table is printed, with the time of each option against none, and plots are drawn:
OUT/MODEL-rotation.svg and OUT/MODEL-size.svg.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from animatte.data.folders import pictures
from animatte.evaluation.cases import evenly, folder_pictures
from animatte.evaluation.contestants import ModelOptions, model_contestant
from animatte.evaluation.plots import curve_plot
from animatte.evaluation.robustness import Change, CurvePoint, curves, planned
from animatte.looks import Looks, When

MODES: tuple[When, ...] = ("never", "auto", "always")
OPTIONS: dict[Change, str] = {"rotation": "--straighten", "size": "--zoom"}


def print_table(title: str, change: Change, points: Sequence[CurvePoint]) -> None:
    amounts = list(dict.fromkeys(point.amount for point in points))
    labels = [f"{amount:g}°" if change == "rotation" else f"1/{amount:g}" for amount in amounts]
    print(f"\n{title}")
    print("| | | " + " | ".join(labels) + " |")
    print("|---|---" + "|---" * len(labels) + "|")
    plain = [point for point in points if not point.looks]
    for looks in dict.fromkeys(point.looks for point in points):
        pairs = list(zip([each for each in points if each.looks == looks], plain, strict=True))
        cells: dict[str, list[str]] = {
            "MAD·10³": [
                f"{1e3 * one.mad.mean:.1f} (x {one.mad.mean / off.mad.mean:.2f})"
                for one, off in pairs
            ],
            "IoU": [f"{one.iou.mean:.3f}" for one, _ in pairs],
        }
        if looks:
            cells["time"] = [f"x {one.seconds / off.seconds:.1f}" for one, off in pairs]
            cells["used"] = [f"{one.used:.0%}" for one, _ in pairs]
        for name, values in cells.items():
            print(f"| `{looks or f'{OPTIONS[change]} never'}` | {name} | {' | '.join(values)} |")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="image/ and alpha/ or trimap/")
    parser.add_argument("--backgrounds", type=Path, help="pictures without a subject")
    parser.add_argument("--models", nargs="+", default=[None], metavar="NAME|FILE")
    parser.add_argument("--angles", nargs="*", type=float, default=[0, 30, 60, 90, 120, 150, 180])
    parser.add_argument("--divisors", nargs="*", type=float, default=[1, 2, 4, 8])
    parser.add_argument("--count", type=int, default=20, help="pictures, evenly spaced")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("robustness"))
    return parser.parse_args()


def main() -> None:
    options = parsed_arguments()
    cases = evenly(folder_pictures(options.folder).cases, options.count)
    backgrounds = pictures(options.backgrounds) if options.backgrounds else []
    options.output.mkdir(parents=True, exist_ok=True)
    for model in options.models:
        entered = [
            model_contestant(model, ModelOptions(options.device, looks=Looks(mode, mode)))
            for mode in MODES
        ]
        scenes = planned(entered, cases, options.angles, options.divisors, backgrounds)
        # One process: the time of another beside it would count, too.
        points, faults = curves(list(dict.fromkeys(scenes)), jobs=1)
        for fault in faults:
            print(f"error: {fault}")
        name = entered[0].name
        for change in OPTIONS:
            own = [point for point in points if point.change == change]
            if own:
                print_table(f"{name} on {len(cases)} of {options.folder.name}", change, own)
                target = options.output / f"{name}-{change}.svg"
                target.write_text(curve_plot(own), encoding="utf-8")


if __name__ == "__main__":
    main()
