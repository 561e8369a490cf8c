"""`animatte data`: the data sets that are known, and whether one on disk is what it should be."""

# ruff: noqa: PLC0415 - heavy imports wait until the verb runs

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from animatte.cli import prepare
from animatte.cli.progress import Jobs, progress_bar

if TYPE_CHECKING:
    from animatte.data.published import Dataset
    from animatte.data.verification import Report

app = typer.Typer(
    help="Data sets: which are known, checks, downloads, previews, preparation.",
    no_args_is_help=True,
)

app.add_typer(prepare.app, name="prepare")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SHOWN = 20


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
