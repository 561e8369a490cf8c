"""The pictures that scores are taken on: of data sets, of folders, each with its class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animatte.data.folders import Pair
from animatte.data.layouts import Layout, Listing, by_stem
from animatte.data.published import plain
from animatte.data.registry import named_dataset


@dataclass(frozen=True)
class Case:
    """A picture with known truth.

    Attributes:
        picture_set: name of the set that it belongs to.
        pair: its files.
        is_hard: its truth is a mask or a trimap: what is half-transparent is not known.
        group: what is seen, by the data set or the file's name; empty where neither says so.
    """

    picture_set: str
    pair: Pair
    is_hard: bool
    group: str


@dataclass(frozen=True)
class PictureSet:
    """Pictures whose scores belong together.

    Attributes:
        name: as tables show it.
        source: where it lies.
        cases: what can be scored.
        faults: what is missing or left over, a line each.
    """

    name: str
    source: str
    cases: tuple[Case, ...]
    faults: tuple[str, ...]


def dataset_pictures(name: str, root: Path, split: str | None = None) -> PictureSet:
    """List a split of a known data set; None for the first that is there, one for tests if so.

    Raises:
        ValueError: for an unknown name or split, a split without truth, or if nothing is there.
    """
    known = named_dataset(name)
    if known.truth == "none":
        raise ValueError(f"{name} has no alphas to be scored against; choose another data set")
    by_role = sorted(known.splits, key=lambda each: known.splits[each].role != "test")
    listings = {
        each: known.split(each).read(root) for each in ([split] if split is not None else by_role)
    }
    there = (each for each, listing in listings.items() if not listing.is_absent)
    chosen = next(there, next(iter(listings)))
    listing = listings[chosen]
    return _listed(f"{name} {chosen}", f"{root}", listing, known.truth != "alpha")


def folder_pictures(folder: Path) -> PictureSet:
    """List a folder that holds `image/` beside `alpha/`, and `trimap/` if it has one.

    A folder with `trimap/` alone is scored by that, over the known pixels.

    Raises:
        ValueError: if no picture has an alpha or a trimap.
    """
    return _listed(folder.resolve().name, f"{folder}", plain("")(folder))


def given_pictures(images: Path, alphas: Path | None, trimaps: Path | None) -> PictureSet:
    """List pictures, their alphas and their trimaps, each in a folder of its own.

    Raises:
        ValueError: if a folder holds no picture, or neither alphas nor trimaps are given.
    """
    for folder in (images, alphas, trimaps):
        if folder is not None and not by_stem(folder):
            raise ValueError(f"{folder} is no folder of pictures; give one that holds some")
    if alphas is None and trimaps is None:
        raise ValueError(f"{images} has no truth to be scored against; give --alphas or --trimaps")
    layout = Layout(
        f"{images}",
        None if alphas is None else f"{alphas}",
        None if trimaps is None else f"{trimaps}",
    )
    return _listed(images.resolve().name, f"{images}", layout(Path()))


def distinct(sets: Sequence[PictureSet]) -> list[PictureSet]:
    """Name sets by their whole path where two have one name.

    Raises:
        ValueError: if one is given twice.
    """
    counts = Counter(each.name for each in sets)
    named = [each if counts[each.name] == 1 else _renamed(each) for each in sets]
    for name, count in Counter(each.name for each in named).items():
        if count > 1:
            raise ValueError(f"{name} is given twice; name each set of pictures once")
    return named


def evenly(cases: Sequence[Case], count: int | None) -> list[Case]:
    """Take so many cases, evenly spaced; all where there are fewer, or for None."""
    if count is None or count >= len(cases):
        return list(cases)
    return [cases[(2 * index + 1) * len(cases) // (2 * count)] for index in range(count)]


def _renamed(pictures: PictureSet) -> PictureSet:
    name = pictures.source
    cases = (Case(name, case.pair, case.is_hard, case.group) for case in pictures.cases)
    return PictureSet(name, name, tuple(cases), pictures.faults)


def _listed(name: str, source: str, listing: Listing, is_hard: bool = False) -> PictureSet:
    pairs = [pair for pair in listing.pairs if pair.alpha or pair.trimap]
    if not pairs:
        reason = listing.faults[0] if listing.faults else f"{source} holds no picture with a truth"
        raise ValueError(f"{reason}; nothing can be scored")
    groups = _groups(pairs)
    cases = (
        Case(name, pair, is_hard or pair.alpha is None, group)
        for pair, group in zip(pairs, groups, strict=True)
    )
    return PictureSet(name, source, tuple(cases), tuple(listing.faults))


def _groups(pairs: Sequence[Pair]) -> list[str]:
    """Classes: the publisher's, or what names share before their numbers, if that sorts them."""
    stems = [re.sub(r"[\W_]*\d+$", "", pair.name) for pair in pairs]
    num_stems = len(set(stems))
    speaking = 1 < num_stems <= len(pairs) / 2
    return [
        pair.subject or (stem if speaking else "") for pair, stem in zip(pairs, stems, strict=True)
    ]
