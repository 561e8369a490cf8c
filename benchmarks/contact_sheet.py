"""Photo, alpha, and cut-out on a strong colour, side by side: halos show here, not in numbers.

python benchmarks/contact_sheet.py PHOTO-OR-FOLDER... -o sheet.png [--model FILE] [--columns 2]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import animatte
from animatte.compositing import composite
from animatte.images import READABLE_SUFFIXES, read_photo
from animatte.images.arrays import levels, unit_pixels
from animatte.predictor import Predictor

GROUND = (0.85, 0.1, 0.75)


def row(predictor: Predictor, path: Path, height: int) -> NDArray[np.uint8]:
    """Return the three pictures of a photo at one height, side by side."""
    photo = read_photo(path)
    cutout = unit_pixels(predictor.cutout(photo))
    alpha = np.repeat(cutout[..., 3:], 3, axis=2)
    parts = [photo.image, alpha, composite(cutout[..., :3], GROUND, cutout[..., 3])]
    width = max(1, round(photo.size[1] * height / photo.size[0]))
    resized = [Image.fromarray(levels(part, 8)).resize((width, height)) for part in parts]
    return np.hstack([np.asarray(part) for part in resized])


def sheet(rows: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Put the rows into columns, padded to one width."""
    width = max(each.shape[1] for each in rows)
    padded = [np.pad(each, ((0, 4), (0, width - each.shape[1] + 4), (0, 0))) for each in rows]
    padded += [np.zeros_like(padded[0])] * (-len(padded) % columns)
    lines = [np.hstack(padded[at : at + columns]) for at in range(0, len(padded), columns)]
    return np.vstack(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--strategy")
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--count", type=int, default=24, help="at most, of each folder")
    arguments = parser.parse_args()
    photos: list[Path] = []
    for path in arguments.photos:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        known = [each for each in inside if each.suffix.lower() in READABLE_SUFFIXES]
        photos += known[: arguments.count]
    predictor = animatte.load(arguments.model, strategy=arguments.strategy)
    rows = [row(predictor, path, arguments.height) for path in photos]
    Image.fromarray(sheet(rows, arguments.columns)).save(arguments.output)


if __name__ == "__main__":
    main()
