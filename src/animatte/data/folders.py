"""Folders of pictures and their alphas, paired by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animatte.images import read_alpha, read_photo
from animatte.images.arrays import levels
from animatte.sample import Sample
from animatte.trimap import transition_area, validated_trimap

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ALPHA_FOLDER, TRIMAP_FOLDER = "alpha", "trimap"


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
    """A picture and its alpha on disk.

    Attributes:
        image: path of the picture.
        alpha: path of the alpha, or None for a picture without an animal.
    """

    image: Path
    alpha: Path | None

    @property
    def name(self) -> str:
        """The picture's name without folders and suffix."""
        return self.image.stem

    def read(self) -> Sample:
        """Decode both, as the network sees them: upright, in sRGB, 8 bits.

        Raises:
            ValueError: if a file cannot be decoded or the sizes differ.
        """
        image = _bytes(read_photo(self.image).image)
        if self.alpha is None:
            return Sample(self.name, image, np.zeros(image.shape[:2], np.uint8))
        return Sample(self.name, image, _bytes(read_alpha(self.alpha)))

    def truth(self) -> Truth:
        """Decode both for scoring; a trimap's unknown pixels are told apart.

        Raises:
            ValueError: if a file cannot be decoded, the sizes differ, or what is to be a trimap
                holds other labels.
        """
        if self.alpha is None:
            raise ValueError(f"{self.image} has no alpha to be scored against")
        image, alpha = read_photo(self.image).image, read_alpha(self.alpha)
        if alpha.shape != image.shape[:2]:
            raise ValueError(
                f"{self.image} is {image.shape[:2]}, {self.alpha} {alpha.shape}; "
                "both must have one height and width"
            )
        if self.alpha.parent.name != TRIMAP_FOLDER:
            return Truth(image, alpha, np.ones(alpha.shape, bool))
        return Truth(image, alpha, ~transition_area(validated_trimap(_bytes(alpha))))


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(levels(values, 8), np.uint8)


def pictures(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, sorted by name.

    Raises:
        ValueError: if the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give the path of a folder of pictures")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"{folder} holds no picture ({', '.join(SUFFIXES)})")
    return found


def paired(root: Path, truth: str = ALPHA_FOLDER) -> list[Pair]:
    """Pair `root/image/NAME.*` with `root/TRUTH/NAME.*`.

    Args:
        root: folder that holds both folders.
        truth: name of the folder of alphas (or trimaps).

    Raises:
        ValueError: if a folder is missing or a picture has no partner.
    """
    alphas = {path.stem: path for path in pictures(root / truth)}
    images = pictures(root / "image")
    alone = [path.name for path in images if path.stem not in alphas]
    if alone:
        raise ValueError(
            f"{root}: {len(alone)} of {len(images)} pictures have no {truth}, the first is "
            f"{alone[0]}; add {truth}/{Path(alone[0]).stem}.png or remove the picture"
        )
    return [Pair(path, alphas[path.stem]) for path in images]


def labelled(root: Path) -> list[Pair]:
    """Pair pictures with their alphas, or with their trimaps where a folder has those instead.

    Raises:
        ValueError: if a folder is missing or a picture has no partner.
    """
    has_trimaps = (root / TRIMAP_FOLDER).is_dir() and not (root / ALPHA_FOLDER).is_dir()
    return paired(root, TRIMAP_FOLDER if has_trimaps else ALPHA_FOLDER)
