"""How published data sets lie on disk, and what is missing where one does not lie so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from animatte.data.folders import SUFFIXES, TRIMAP_LABELS, Pair


class Listing(NamedTuple):
    """What a folder holds.

    Attributes:
        pairs: what can be read, sorted by name.
        faults: what is missing or left over, a line each.
        is_absent: nothing of it is there at all.
    """

    pairs: list[Pair]
    faults: list[str]
    is_absent: bool = False


Reader: TypeAlias = Callable[[Path], Listing]


@dataclass(frozen=True)
class Layout:
    """One folder for pictures and one for each thing that belongs to them, paired by name.

    All paths are relative to the data set's root.

    Attributes:
        image: folder of pictures.
        alpha: folder of alphas or masks; None for backgrounds.
        trimap: folder of trimaps, taken if it is there.
        foreground: folder of the subjects' colours, taken if it is there.
        background: folder of what is behind them, taken if it is there.
        labels: what background, transition and foreground are in the trimaps.
    """

    image: str
    alpha: str | None = None
    trimap: str | None = None
    foreground: str | None = None
    background: str | None = None
    labels: tuple[int, int, int] = TRIMAP_LABELS

    def __call__(self, root: Path) -> Listing:
        """List what is there. A picture whose alpha is missing is a fault and no pair."""
        images = by_stem(root / self.image)
        alphas = {} if self.alpha is None else by_stem(root / self.alpha)
        if not images:
            return absent(root / self.image)
        if self.alpha is not None and not alphas:
            return Listing([], [f"{root / self.alpha} is no folder of pictures"])
        trimaps, foregrounds, backgrounds = (
            {} if folder is None else by_stem(root / folder)
            for folder in (self.trimap, self.foreground, self.background)
        )
        faults = [
            *_unpaired(images, alphas, self.alpha),
            *_unpaired(images, trimaps, self.trimap),
            *_unpaired(images, foregrounds, self.foreground),
            *_unpaired(images, backgrounds, self.background),
        ]
        pairs = [
            Pair(
                path,
                alphas.get(stem),
                trimaps.get(stem),
                foregrounds.get(stem),
                backgrounds.get(stem),
                labels=self.labels,
            )
            for stem, path in images.items()
            if self.alpha is None or stem in alphas
        ]
        return Listing(pairs, faults)


def absent(folder: Path) -> Listing:
    """List nothing, for want of a folder of pictures."""
    return Listing([], [f"{folder} is no folder of pictures"], is_absent=True)


def first_of(*readers: Layout) -> Reader:
    """Read by the first layout whose folder of pictures is there; where none is, by the first."""

    def read(root: Path) -> Listing:
        there = (reader for reader in readers if (root / reader.image).is_dir())
        return next(there, readers[0])(root)

    return read


def by_stem(folder: Path) -> dict[str, Path]:
    """Pictures directly in a folder by name without suffix, sorted; empty if there is no folder."""
    if not folder.is_dir():
        return {}
    paths = (path for path in folder.iterdir() if not path.name.startswith("."))
    return {path.stem: path for path in sorted(paths) if path.suffix.lower() in SUFFIXES}


def named_lines(path: Path) -> list[str]:
    """First words of the lines of a list file; empty lines and comments (#) are left out.

    Raises:
        ValueError: if there is no such file.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; the list came with the data set")
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _unpaired(images: dict[str, Path], found: dict[str, Path], folder: str | None) -> Iterator[str]:
    """What is missing in a folder that is there, and what is left over."""
    if not found:
        return
    for stem, path in images.items():
        if stem not in found:
            yield f"{path} has no partner in {folder}"
    for stem, path in found.items():
        if stem not in images:
            yield f"{path} belongs to no picture"
