"""`animatte data`: the data sets that are known, and whether one on disk is what it should be."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from animatte.cli import data_compose, prepare
from animatte.cli.progress import Jobs, progress_bar

if TYPE_CHECKING:
    from typing import TypeAlias

    from animatte.data.dataset import ExampleStream
    from animatte.data.published import Dataset
    from animatte.data.verification import Report

    _Stream: TypeAlias = tuple[ExampleStream, int, tuple[float, float]]

app = typer.Typer(
    help="Data sets: which are known, checks, downloads, previews, preparation, composites.",
    no_args_is_help=True,
)

app.add_typer(prepare.app, name="prepare")
app.command("compose")(data_compose.compose)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RECIPE_SUFFIXES = (".yaml", ".yml")
_SHOWN = 20
_VIEW, _SCALE = 320, (0.5, 1.0)


@app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """List the data sets that can be read: splits, pictures, licence, publisher."""
    from animatte.data.registry import DATASETS

    known = list(DATASETS.values())
    if as_json:
        typer.echo(json.dumps([_values(each) for each in known], indent=2))
        return
    for each in known:
        splits = (f"{split} {_count(part.count)}".strip() for split, part in each.splits.items())
        typer.echo(f"{each.name}: {each.title}")
        typer.echo(f"  splits     {', '.join(splits)}")
        typer.echo(f"  licence    {each.licence}")
        typer.echo(f"  publisher  {each.link or 'you'}")


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `data list` names it.")],
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder that it lies in.")],
    *,
    as_json: AsJson = False,
    jobs: Jobs = None,
) -> None:
    """Look at every picture of a data set; list what is wrong, and exit with 1 if anything is.

    Counts against the published ones, partners, unreadable files, sizes, alphas that are masks or
    empty, and test pictures that look like training ones.
    """
    from animatte.data.registry import named_dataset
    from animatte.data.verification import verified

    with progress_bar(f"{name}") as show:
        report = verified(named_dataset(name), root, jobs, show)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        _print_report(report)
    if report.faults:
        raise typer.Exit(1)


@app.command("download")
def download(
    name: Annotated[str, typer.Argument(metavar="NAME", help="pets is the only one so far.")],
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder that it goes to.")],
) -> None:
    """Fetch a data set from its publisher; what was interrupted goes on with the same command."""
    from animatte.data.download import DOWNLOADS, downloaded
    from animatte.data.registry import named_dataset

    known = named_dataset(name)
    if name not in DOWNLOADS:
        raise ValueError(
            f"{name} cannot be downloaded from here; get it from its publisher: {known.link}"
        )
    typer.echo(f"{known.title}; licence: {known.licence}; {known.link}", err=True)
    for archive in DOWNLOADS[name]:
        with progress_bar(archive.name) as show:
            folder = downloaded(archive, root, show)
        typer.echo(f"{folder}")


@app.command("preview")
def preview(
    source: Annotated[
        str, typer.Argument(metavar="NAME|RECIPE", help="A data set, or a recipe (YAML).")
    ],
    rest: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROOT|[KEY=VALUE]...", help="A data set's folder; of a recipe, overrides."
        ),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG file of the sheet.")],
    count: Annotated[int, typer.Option(min=1, help="How many examples.")] = 8,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a data set; default the first.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=32, help="Side of the views; default a recipe's, or 320.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Default a recipe's, or 0.")] = None,
) -> None:
    """Draw a contact sheet of what a network will see: picture, alpha, glance label, focus band."""
    from animatte.data.preview import contact_sheet, drawn
    from animatte.images import write_image

    words = rest or []
    if Path(source).suffix in RECIPE_SUFFIXES:
        if split is not None:
            raise ValueError(f"split is {split!r}, but {source} is a recipe, which names its own")
        stream, view, scale = _recipe_stream(Path(source), words, seed)
    else:
        stream, view, scale = _dataset_stream(source, words, split, seed or 0)
    write_image(output, contact_sheet(drawn(stream, count, size or view, scale)))
    typer.echo(f"{output}")


def _recipe_stream(path: Path, overrides: list[str], seed: int | None) -> _Stream:
    from animatte.training.recipe import read_recipe
    from animatte.training.sources import stream_of

    recipe = read_recipe(path, overrides)
    phase = recipe.stages[0].phases[0]
    stream = stream_of(recipe.data, recipe.seed if seed is None else seed)
    return stream, phase.size, phase.scale


def _dataset_stream(name: str, words: list[str], split: str | None, seed: int) -> _Stream:
    from animatte.data.preview import plain_stream
    from animatte.data.registry import named_dataset

    known = named_dataset(name)
    if len(words) != 1:
        raise ValueError(f"{len(words)} folders are given for {name}; give the one it lies in")
    return plain_stream(known.pairs(Path(words[0]), split), seed), _VIEW, _SCALE


def _print_report(report: Report) -> None:
    for split, count in report.counts.items():
        typer.echo(f"{split}: {count} pictures")
    seen: Counter[tuple[str, str]] = Counter()
    for fault in report.faults:
        seen[fault.split, fault.kind] += 1
        if seen[fault.split, fault.kind] <= _SHOWN:
            typer.echo(f"{fault.kind}: {fault.split}: {fault.text}")
    for (split, kind), number in seen.items():
        if number > _SHOWN:
            typer.echo(f"{kind}: {split}: and {number - _SHOWN} more; --json lists all")
    if not report.faults:
        typer.echo("nothing is wrong")


def _count(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _values(dataset: Dataset) -> dict[str, object]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "publisher": dataset.link,
        "licence": dataset.licence,
        "truth": dataset.truth,
        "splits": {split: part.count for split, part in dataset.splits.items()},
        "confirmed": dataset.confirmed,
    }
