"""Whether a data set on disk is what its publisher says, and fit to train and to score on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from animatte.data.adobe import CompositionPair
from animatte.data.folders import Pair
from animatte.data.hashing import NUM_BITS, Bits, near_pairs, perceptual_hash
from animatte.data.parallel import mapped
from animatte.data.published import Dataset, Truth
from animatte.images import read_alpha, read_photo
from animatte.images.arrays import size_text

Kind: TypeAlias = Literal["missing", "count", "unreadable", "size", "binary", "empty", "duplicate"]

# Bits of the hash that may differ between two pictures that are taken for one.
MOST_BITS = 6
# An alpha is hard if fewer pixels than this share of its contour's are half-transparent.
_SOFT_SHARE = 0.1
_CLEAR, _OPAQUE = 0.03, 0.97


class Fault(NamedTuple):
    """One thing that is wrong.

    Attributes:
        split: where.
        kind: what about it.
        text: a line that names the file, the rule and what was found.
    """

    split: str
    kind: Kind
    text: str


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        name: of the data set.
        root: where it lies.
        counts: pictures of each split that is there.
        faults: what is wrong.
    """

    name: str
    root: Path
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "name": self.name,
            "root": str(self.root),
            "counts": dict(self.counts),
            "faults": [fault._asdict() for fault in self.faults],
        }


class Check(NamedTuple):
    """What was found in one picture.

    Attributes:
        faults: kind and text of each.
        bits: perceptual hash of the picture, or None if it cannot be read.
    """

    faults: list[tuple[Kind, str]]
    bits: Bits | None


def verified(
    dataset: Dataset,
    root: Path,
    jobs: int | None = None,
    on_picture: Callable[[int, int], None] | None = None,
) -> Report:
    """Look at every picture of a data set.

    Args:
        dataset: what is said to be there.
        root: where.
        jobs: processes; None for one a core.
        on_picture: called with how many pictures are done, and of how many.

    Raises:
        ValueError: if `root` is no folder.
    """
    if not root.is_dir():
        raise ValueError(f"{root} is no folder; give the folder that {dataset.name} lies in")
    listings = {name: split.read(root) for name, split in dataset.splits.items()}
    faults = list(_listed_faults(dataset, listings))
    there = {name: each.pairs for name, each in listings.items() if not each.is_absent}
    total, done = sum(map(len, there.values())), 0
    hashes: dict[str, dict[Path, Bits]] = {name: {} for name in there}
    for name, pairs in there.items():
        checks = mapped(partial(check, truth=dataset.truth), pairs, jobs)
        for pair, result in zip(pairs, checks, strict=True):
            faults += [Fault(name, kind, text) for kind, text in result.faults]
            if result.bits is not None:
                hashes[name][pair.image] = result.bits
            done += 1
            if on_picture is not None:
                on_picture(done, total)
    faults += _duplicates(dataset, hashes)
    counts = {name: len(pairs) for name, pairs in there.items()}
    return Report(dataset.name, root, counts, tuple(faults))


def check(pair: Pair, truth: Truth) -> Check:
    """Decode every file of a pair; look at sizes and at the alpha.

    Args:
        pair: what is looked at.
        truth: "alpha" if half-transparent pixels are expected.
    """
    faults: list[tuple[Kind, str]] = []
    decoded: dict[str, NDArray[Any]] = {}
    for part, path in pair.files.items():
        found = _decoded(pair, part, path)
        if isinstance(found, str):
            faults.append(("unreadable", found))
        else:
            decoded[part] = found
    image = decoded.get("image")
    if image is None:
        return Check(faults, None)
    for part, array in decoded.items():
        is_free = part == "background" and isinstance(pair, CompositionPair)
        if array.shape[:2] != image.shape[:2] and not is_free:
            sizes = size_text(array.shape[:2]), size_text(image.shape[:2])
            faults.append(
                ("size", f"{pair.files[part]} is {sizes[0]}, its picture {pair.image} {sizes[1]}")
            )
    if "alpha" in decoded:
        faults += _alpha_faults(decoded["alpha"], f"{pair.alpha}", truth)
    return Check(faults, perceptual_hash(image))


def is_hard(alpha: NDArray[np.float32]) -> bool:
    """Whether an alpha (H, W) is a mask in truth: next to nothing is half-transparent.

    Compared with the length of its contour; a mask that was blurred or compressed with loss
    may pass for an alpha.
    """
    binary = (alpha >= 0.5).astype(np.uint8)
    contour = np.count_nonzero(cv2.morphologyEx(binary, cv2.MORPH_GRADIENT, np.ones((3, 3))))
    soft = np.count_nonzero((alpha > _CLEAR) & (alpha < _OPAQUE))
    return bool(contour > 0 and soft < _SOFT_SHARE * contour)


def _decoded(pair: Pair, part: str, path: Path) -> NDArray[Any] | str:
    """The pixels of a pair's file, or why there are none."""
    try:
        if part == "alpha":
            return read_alpha(path)
        if part == "trimap":
            trimap = pair.read_trimap()
            assert trimap is not None
            return trimap
        return read_photo(path).image
    except ValueError as error:
        return f"{error}" if str(path) in str(error) else f"{path}: {error}"


def _alpha_faults(
    alpha: NDArray[np.float32], name: str, truth: Truth
) -> Iterator[tuple[Kind, str]]:
    if alpha.max() < 0.5:
        yield "empty", f"{name} holds no foreground: nowhere is it above one half"
    elif truth == "alpha" and is_hard(alpha):
        yield "binary", f"{name} is a hard mask: next to nothing in it is half-transparent"


def _listed_faults(dataset: Dataset, listings: Mapping[str, Any]) -> Iterator[Fault]:
    if all(listing.is_absent for listing in listings.values()):
        first = next(iter(listings))
        yield Fault(first, "missing", f"{listings[first].faults[0]}, nor is any other split there")
        return
    for name, listing in listings.items():
        split = dataset.splits[name]
        if listing.is_absent and split.is_extra:
            continue
        yield from (Fault(name, "missing", fault) for fault in listing.faults)
        if not listing.is_absent and split.count not in (None, len(listing.pairs)):
            yield Fault(
                name, "count", f"{len(listing.pairs)} pictures; {split.count} were published"
            )


def _duplicates(dataset: Dataset, hashes: Mapping[str, Mapping[Path, Bits]]) -> Iterator[Fault]:
    """Pictures of test splits that look like one of a train split's."""
    by_role: dict[str, dict[Path, Bits]] = {"train": {}, "test": {}}
    split_of = {path: split for split, found in hashes.items() for path in found}
    for split, found in hashes.items():
        by_role[dataset.splits[split].role].update(found)
    train, test = by_role["train"], by_role["test"]
    if not train or not test:
        return
    trained, tested = list(train), list(test)
    nearby = near_pairs(np.stack(list(test.values())), np.stack(list(train.values())), MOST_BITS)
    for place, other, bits in nearby:
        yield Fault(
            split_of[tested[place]],
            "duplicate",
            f"{tested[place]} looks like {trained[other]}, which is trained on "
            f"({bits} of {NUM_BITS} bits of their perceptual hashes differ)",
        )
