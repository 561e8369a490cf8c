"""Train a small budget with one thing changed at a time, and score what becomes of each.

python -m benchmarks.ablations RECIPE VALIDATION -o FOLDER [--steps N] [--size N] [--count N]
    [--only NAME]...

RECIPE is a recipe of animatte-s whose encoder weights and data lie where it says (or where
`--set key=value` does); VALIDATION holds folders of pictures with `image/` and `alpha/` or
`trimap/`. Each variant trains so many steps from the encoder's weights alone, and is scored as
`animatte evaluate` scores. The first is the recipe itself, and differences are to it. What is
trained already is not trained again. A short training tells large effects from none, not small
ones from luck: two seeds of the recipe itself say how much is luck.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.quality import COLUMNS, Turn, turns

from animatte.evaluation.cases import Case, evenly, folder_pictures
from animatte.predictor import Predictor, load
from animatte.training.loop import train
from animatte.training.recipe import Recipe, read_recipe

REFERENCE = "the recipe"
SCHEDULE = "{kind: polynomial, warmup: 20, power: 0.9}"
_HARD = ("duts_animals", "ecssd_animals", "pascal_s_animals")


def variants(recipe: Recipe, steps: int) -> dict[str, list[str]]:
    """Name each variant, with its overrides of the recipe."""
    sources = [source.model_dump(mode="json") for source in recipe.data.sources]
    others = {
        f"without {source['folder']}": [each for each in sources if each is not source]
        for source in sources
    } | {
        "no other backgrounds": [{**each, "replaced": 0.0} for each in sources],
        "fur grown on hard masks": [
            {**each, "fur": 0.15} if each["folder"] in _HARD else each for each in sources
        ],
    }
    return {
        REFERENCE: [],
        "another seed": ["seed=1"],
        **{
            name: [f"data.sources={json.dumps(given)}"]
            for name, given in others.items()
            if given and given != sources
        },
        "last weights, no average": ["stages.0.optimiser.ema=0"],
        "decoders half as wide": ["network.width=0.5"],
        "decoders 1.5 times as wide": ["network.width=1.5"],
        "twice as long": [f"stages.0.phases.0.steps={2 * steps}"],
    }


def trained(recipe: Path, overrides: Sequence[str], folder: Path) -> Path:
    """Train one variant, or find it trained; return its model."""
    asked = read_recipe(recipe, overrides)
    model, stored = folder / f"{asked.name}.safetensors", folder / "recipe.yaml"
    if not model.exists():
        return train(asked, folder)
    if read_recipe(stored).decisive != asked.decisive:
        raise ValueError(f"{folder} holds another training; give another folder: -o")
    return model


def scored(predictor: Predictor, cases: Sequence[Case]) -> dict[str, float]:
    """Mean scores, and seconds of all cores for a picture."""
    (rows,) = turns({predictor.name: predictor.alpha}, cases).values()
    return {"seconds": _mean(rows, None), **{name: _mean(rows, name) for name in _shared(rows)}}


def _shared(rows: Sequence[Turn]) -> list[str]:
    return [name for name in COLUMNS if name in rows[0].scores]


def _mean(rows: Sequence[Turn], name: str | None) -> float:
    return fmean(row.seconds if name is None else row.scores[name] for row in rows)


def table(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Lines of a table in Markdown: a row a variant, with the difference to the first."""
    first = next(iter(found.values()))
    shown = [name for name in COLUMNS if name in first]
    yield f"| | {' | '.join(COLUMNS[name][0] for name in shown)} | ms, ratio |"
    yield "|---" * (len(shown) + 2) + "|"
    for variant, scores in found.items():
        cells = []
        for name in shown:
            _, factor, decimals = COLUMNS[name]
            value, change = factor * scores[name], factor * (scores[name] - first[name])
            cells.append(
                f"{value:.{decimals}f}" + ("" if scores is first else f" ({change:+.{decimals}f})")
            )
        milliseconds = f"{1000 * scores['seconds']:.0f}, {scores['seconds'] / first['seconds']:.2f}"
        yield f"| {variant} | {' | '.join(cells)} | {milliseconds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--size", type=int, default=160, help="side of the views")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--count", type=int, help="pictures of each folder, evenly spaced")
    parser.add_argument("--only", action="append", help="name of a variant")
    parser.add_argument("--set", action="append", default=[], help="key=value of the recipe")
    options = parser.parse_args()
    phase = {"steps": options.steps, "size": options.size, "batch": options.batch}
    common = [
        f"stages.0.phases={json.dumps([{**phase, 'scale': [0.7, 1.3]}])}",
        *("stages.0.optimiser.ema=0.98", f"stages.0.optimiser.schedule={SCHEDULE}"),
        *("validation=null", f"save_every={options.steps}", *options.set),
    ]
    folders = [folder_pictures(path) for path in sorted(options.validation.iterdir())]
    chosen = {each.name: evenly(each.cases, options.count) for each in folders}
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in chosen}
    known = variants(read_recipe(options.recipe, common), options.steps)
    for variant in options.only or known:
        model = trained(
            options.recipe, common + known[variant], options.output / variant.replace(" ", "-")
        )
        predictor = load(model, "cpu", threads=1)
        for name, cases in chosen.items():
            found[name][variant] = scored(predictor, cases)
            print(f"{variant}, {name}: {found[name][variant]}", flush=True)
    for name, rows in found.items():
        print(f"\n{name}, {len(chosen[name])} pictures\n")
        print("\n".join(table(rows)), flush=True)


if __name__ == "__main__":
    main()
