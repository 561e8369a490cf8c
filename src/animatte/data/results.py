"""The folders that `animatte data prepare mattes` reads and writes."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from animatte.data.folders import ALPHA_FOLDER, SUFFIXES

RECORD = "mattes.jsonl"
IMAGES, ALPHAS = "image", ALPHA_FOLDER  # in the output, as recipes look for them


def by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without suffix.

    Raises:
        ValueError: if two share one.
    """
    named: dict[str, Path] = {}
    for path in paths:
        other = named.setdefault(path.stem, path)
        if other != path:
            raise ValueError(f"{other} and {path.name} have one name; rename or remove one")
    return named


def check_apart(root: Path, output: Path, images: str, alphas: str) -> None:
    """See that nothing is written into what is read, by whatever name.

    Raises:
        ValueError: if it would be.
    """
    read = {os.path.realpath(each): each for each in (root, root / images, root / alphas)}
    for folder in (output, output / IMAGES, output / ALPHAS):
        if os.path.realpath(folder) in read:
            raise ValueError(f"{folder} is read from; choose another folder for the results")


def results_there(output: Path, images: Path, names: Collection[str]) -> dict[str, list[Path]]:
    """The pictures in an output, by name; images first, so that they go before their alphas.

    Raises:
        ValueError: if no earlier run has put them there, or one is of no picture in `images`.
    """
    there: dict[str, list[Path]] = {}
    for folder in (output / IMAGES, output / ALPHAS):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                there.setdefault(path.stem, []).append(path)
    if there and not (output / RECORD).is_file():
        raise ValueError(
            f"{output} holds pictures, but no {RECORD} of an earlier run; choose another folder"
        )
    strange = [paths[0] for name, paths in there.items() if name not in names]
    if strange:
        raise ValueError(
            f"{output} holds {len(strange)} pictures that are not in {images}, the first is "
            f"{strange[0]}; remove them or choose another folder"
        )
    return there
