"""Folders of pictures and their alphas, paired by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from animatte.images import read_alpha, read_photo
from animatte.images.arrays import levels, unit_pixels
from animatte.sample import Sample
from animatte.trimap import (
    BACKGROUND,
    FOREGROUND,
    TRANSITION,
    transition_area,
    validated_trimap,
)

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ALPHA_FOLDER, TRIMAP_FOLDER = "alpha", "trimap"
TRIMAP_LABELS = (int(BACKGROUND), int(TRANSITION), int(FOREGROUND))
Part: TypeAlias = Literal["trimap", "foreground", "background"]


class Truth(NamedTuple):
    """A picture as scores are taken on it.

    Attributes:
        image: (H, W, 3) float32 RGB in [0, 1].
        alpha: (H, W) float32 in [0, 1].
        known: (H, W) where alpha is known; all of it but for a trimap's transition.
    """

    image: NDArray[np.float32]
    alpha: NDArray[np.float32]
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A picture and what belongs to it on disk; decoded when it is read, not before.

    Attributes:
        image: path of the picture.
        alpha: path of the alpha, or None where only a trimap is known, or no subject is there.
        trimap: path of the trimap; without an alpha it stands in for one, as far as it goes.
        foreground: path of the subject's own colours.
        background: path of what is behind the subject.
        subject: what is seen, as the publisher names its class.
        labels: what background, transition and foreground are in the trimap's file.
    """

    image: Path
    alpha: Path | None
    trimap: Path | None = None
    foreground: Path | None = None
    background: Path | None = None
    subject: str | None = None
    labels: tuple[int, int, int] = TRIMAP_LABELS

    @property
    def name(self) -> str:
        """The picture's name without folders and suffix."""
        return self.image.stem

    @property
    def files(self) -> dict[str, Path]:
        """Each file that is there, by what it is."""
        parts = ("image", "alpha", "trimap", "foreground", "background")
        return {part: path for part in parts if (path := getattr(self, part)) is not None}

    def read(self, *parts: Part) -> Sample:
        """Decode image and alpha, as the network sees them: upright, in sRGB, 8 bits.

        Args:
            parts: what else to decode, where it is there.

        Returns:
            Without an alpha its trimap is read as one, 0, 128 and 255; without either it is 0.

        Raises:
            ValueError: if a file cannot be decoded, the sizes differ, or what is to be a trimap
                holds other labels.
        """
        image = levels(self.unit_image(), 8)
        trimap = self.read_trimap() if "trimap" in parts or self.alpha is None else None
        if self.alpha is not None:
            alpha = levels(read_alpha(self.alpha), 8)
        else:
            alpha = np.zeros(image.shape[:2], np.uint8) if trimap is None else trimap
        return Sample(
            self.name,
            image,
            alpha,
            trimap if "trimap" in parts else None,
            _colours(self.foreground) if "foreground" in parts else None,
            self.read_background() if "background" in parts else None,
            self.subject,
        )

    def unit_image(self) -> NDArray[np.float32]:
        """Decode the picture alone: (H, W, 3) in [0, 1]."""
        return read_photo(self.image).image

    def read_background(self) -> NDArray[np.uint8] | None:
        """Decode what is behind the subject, if it is known: (H, W, 3)."""
        return _colours(self.background)

    def read_trimap(self) -> NDArray[np.uint8] | None:
        """Decode the trimap alone, if there is one: (H, W) of 0, 128 and 255.

        Raises:
            ValueError: if it cannot be decoded or holds other labels.
        """
        if self.trimap is None:
            return None
        stored = levels(read_alpha(self.trimap), 8)
        if self.labels == TRIMAP_LABELS:
            return validated_trimap(stored)
        strange = stored[~np.isin(stored, self.labels)]
        if strange.size:
            raise ValueError(
                f"{self.trimap} holds {strange[0]}; it may hold only {self.labels[0]} "
                f"(background), {self.labels[1]} (transition) and {self.labels[2]} (foreground)"
            )
        table = np.zeros(256, np.uint8)
        table[list(self.labels)] = TRIMAP_LABELS
        return table[stored]

    def truth(self) -> Truth:
        """Decode picture and alpha for scoring; where only a trimap is known, as far as it goes.

        Raises:
            ValueError: if a file cannot be decoded, the sizes differ, or what is to be a trimap
                holds other labels.
        """
        if self.alpha is None and self.trimap is None:
            raise ValueError(f"{self.image} has no alpha to be scored against")
        image = self.unit_image()
        if self.alpha is not None:
            alpha = read_alpha(self.alpha)
            known = np.ones(alpha.shape, bool)
        else:
            trimap = self.read_trimap()
            assert trimap is not None
            alpha, known = unit_pixels(trimap), ~transition_area(trimap)
        if alpha.shape != image.shape[:2]:
            raise ValueError(
                f"{self.image} is {image.shape[:2]}, {self.alpha or self.trimap} {alpha.shape}; "
                "both must have one height and width"
            )
        return Truth(image, alpha, known)


def _colours(path: Path | None) -> NDArray[np.uint8] | None:
    return None if path is None else levels(read_photo(path).image, 8)


def pictures(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, sorted by name; hidden files are left out.

    Raises:
        ValueError: if the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give the path of a folder of pictures")
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        raise ValueError(f"{folder} holds no picture ({', '.join(SUFFIXES)})")
    return found


def paired(root: Path) -> list[Pair]:
    """Pair `root/image/NAME.*` with `root/alpha/NAME.*`.

    Raises:
        ValueError: if a folder is missing or a picture has no partner.
    """
    return [Pair(image, alpha) for image, alpha in _partners(root, ALPHA_FOLDER)]


def labelled(root: Path) -> list[Pair]:
    """Pair pictures with their alphas, or with their trimaps where a folder has those instead.

    Raises:
        ValueError: if a folder is missing or a picture has no partner.
    """
    if (root / TRIMAP_FOLDER).is_dir() and not (root / ALPHA_FOLDER).is_dir():
        return [Pair(image, None, trimap) for image, trimap in _partners(root, TRIMAP_FOLDER)]
    return paired(root)


def _partners(root: Path, truth: str) -> list[tuple[Path, Path]]:
    partners = {path.stem: path for path in pictures(root / truth)}
    images = pictures(root / "image")
    alone = [path.name for path in images if path.stem not in partners]
    if alone:
        raise ValueError(
            f"{root}: {len(alone)} of {len(images)} pictures have no {truth}, the first is "
            f"{alone[0]}; add {truth}/{Path(alone[0]).stem}.png or remove the picture"
        )
    return [(path, partners[path.stem]) for path in images]
