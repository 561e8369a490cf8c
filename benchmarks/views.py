"""Score one model with other sizes of its views, on the same pictures, in one run.

python -m benchmarks.views FOLDER... [--model MODEL] [--view GLANCE/MIRRORED/FOCUS]... [--count N]

A view is three longer sides in pixels: of the glance, of the glance that is mirrored (0 for none)
and of the focus. `+guided`, `+cubic` and `+sharpness=N` after it change how the matte is enlarged
and how glance and focus merge. The first is what ratios are to; without --view it is the one that
`animatte cut` uses, and each of its sizes is changed in turn. Time is that of all cores together.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.quality import print_tables

from animatte.predictor import load
from animatte.strategies import Strategy, views

USUAL = "320/384/704"
OTHERS = (
    *("320/0/704", "384/0/704", "448/0/704", "512/0/704", "640/0/704"),
    *("256/320/704", "320/320/704", "384/512/704", "448/640/704"),
    *("320/448/704", "320/384/448", "320/384/576", "320/384/896"),
    *(f"{USUAL}+sharpness=1", f"{USUAL}+sharpness=16", f"{USUAL}+cubic"),
)


def strategy_of(text: str) -> Strategy:
    """Read a view from the command line.

    Raises:
        ValueError: if it is none.
    """
    try:
        sizes, *changes = text.split("+")
        glance, mirrored, focus = (int(size) for size in sizes.split("/"))
        found = views(glance, focus, mirrored or None, name=text)
        return replace(found, **dict(map(_changed, changes)))
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"view {text!r} is none ({error}); write it as {USUAL} or {USUAL}+sharpness=2"
        ) from error


def _changed(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    known = {"guided": ("guided", True), "cubic": ("guided", False)}
    return ("sharpness", float(value)) if name == "sharpness" else known[name]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", help="name or file; the default one if none")
    parser.add_argument("--view", action="append", help="the first is the reference")
    parser.add_argument("--count", type=int, help="pictures of each folder, evenly spaced")
    options = parser.parse_args()
    texts = options.view or [USUAL, *OTHERS]
    predictors = {text: load(options.model, "cpu", strategy_of(text), threads=1) for text in texts}
    contestants = {text: predictor.alpha for text, predictor in predictors.items()}
    print_tables(contestants, options.folders, options.count)


if __name__ == "__main__":
    main()
