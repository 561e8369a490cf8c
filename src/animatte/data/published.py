"""What is said of a data set, and the readers of those that lie in no plain `Layout`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from animatte.data.folders import Pair
from animatte.data.layouts import Layout, Listing, Reader, named_lines

Role: TypeAlias = Literal["train", "test"]
Truth: TypeAlias = Literal["alpha", "mask", "trimap", "none"]


@dataclass(frozen=True)
class Split:
    """A part of a data set.

    Attributes:
        read: lists it, given the data set's root.
        role: pictures of "test" splits may not be among those of "train" splits.
        count: pictures as published, or None where that is the user's own matter.
        is_extra: derived, or fetched apart from the rest: no fault if it is not there.
    """

    read: Reader
    role: Role
    count: int | None = None
    is_extra: bool = False


@dataclass(frozen=True)
class Dataset:
    """A data set as its publisher lays it out.

    Attributes:
        name: as users write it.
        title: in full.
        link: of the publisher.
        licence: of the pictures and labels, in the publisher's words; "not stated" where it is.
        truth: what comes with the pictures: soft alphas, hard masks, trimaps, or nothing.
        splits: by name; the first is the default.
        confirmed: what layout and counts rest on.
    """

    name: str
    title: str
    link: str
    licence: str
    truth: Truth
    splits: Mapping[str, Split]
    confirmed: str

    def pairs(self, root: Path, split: str | None = None) -> list[Pair]:
        """Find the pictures of a split.

        Args:
            root: the folder that the layout starts from.
            split: a key of `splits`; None for the first.

        Raises:
            ValueError: for an unknown split, or if anything is missing.
        """
        listing = self.split(split).read(root)
        if listing.faults:
            more = f" (and {len(listing.faults) - 1} more)" if len(listing.faults) > 1 else ""
            raise ValueError(
                f"{listing.faults[0]}{more}; see what is wrong with: "
                f"animatte data verify {self.name} {root}"
            )
        return listing.pairs

    def split(self, name: str | None) -> Split:
        """Return a split by its name, or the first.

        Raises:
            ValueError: naming those that there are.
        """
        if name is not None and name not in self.splits:
            raise ValueError(
                f"{self.name} has no split {name!r}; choose one of {', '.join(self.splits)}"
            )
        return self.splits[name or next(iter(self.splits))]


PETS_LABELS = (2, 3, 1)  # background, not classified, foreground


def pets(list_name: str) -> Reader:
    """Oxford-IIIT Pet: the pictures that a list of its annotations names, with trimap and breed."""

    def read(root: Path) -> Listing:
        try:
            lines = named_lines(root / "annotations" / list_name)
        except ValueError as error:
            return Listing([], [str(error)], is_absent=True)
        pairs, faults = [], []
        for name in sorted(line.split()[0] for line in lines):
            image = root / "images" / f"{name}.jpg"
            trimap = root / "annotations" / "trimaps" / f"{name}.png"
            missing = [path for path in (image, trimap) if not path.is_file()]
            faults += [f"{path} is missing" for path in missing]
            if not missing:
                breed = name.rsplit("_", 1)[0]
                pairs.append(Pair(image, None, trimap, subject=breed, labels=PETS_LABELS))
        return Listing(pairs, faults)

    return read


def plain(folder: str) -> Reader:
    """Our own folders, below one of the root's: alphas, or trimaps where there are none."""

    def read(root: Path) -> Listing:
        alphas, trimaps = f"{folder}alpha", f"{folder}trimap"
        has_trimaps_only = (root / trimaps).is_dir() and not (root / alphas).is_dir()
        layout = Layout(
            f"{folder}image",
            None if has_trimaps_only else alphas,
            trimaps,
            f"{folder}foreground",
            f"{folder}background",
        )
        listing = layout(root)
        known = [pair for pair in listing.pairs if pair.alpha or pair.trimap]
        return Listing(known, listing.faults, listing.is_absent)

    return read
