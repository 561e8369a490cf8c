"""The contact sheets of `docs/images`: every track, both papers' views, and fur on a hard mask.

The subject is `examples/chelsea.png` (CC0), cut out by the model that comes with the package; the
backgrounds are drawn here by chance, so that anyone may use the sheets and make them again.

python benchmarks/track_sheets.py [-o docs/images]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import animatte
from animatte.compositing import composite
from animatte.data.augmentation import ColourConfig, ViewConfig
from animatte.data.composition import TRACKS, Generator
from animatte.data.dataset import ExampleConfig, ExampleStream
from animatte.data.folders import Pair, paired
from animatte.data.fur import FurConfig, furred
from animatte.data.pictures import Backgrounds, Source
from animatte.data.preview import contact_sheet, drawn
from animatte.images import read_photo, write_alpha, write_image
from animatte.images.arrays import levels, three_channels, unit_pixels

Array = NDArray[np.uint8]
Colours = NDArray[np.float32]

PHOTO = Path(__file__).parents[1] / "examples" / "chelsea.png"
SIZE = (600, 900)  # of backgrounds
NUM_BACKGROUNDS = 4
MARGIN = 350  # of background beside the subject
NUM_EXAMPLES, VIEW = 3, 200
SEED = 3  # with it each switch is seen on and off
QUALITY = 80

EDGE = ViewConfig(crops=(300,), centred=1, aspect=1, tilt=0, turned=0)
# In the photo's pixels: as large a part of it as GFM and LFM take of pictures of 1080 pixels.
GFM_VIEWS = ViewConfig(crops=(178, 267, 300), centred=0.5, aspect=1, tilt=0, turned=0)
LFM_VIEWS = ViewConfig(crops=(142, 222), centred=0.5, aspect=1, swing=15, turned=0)
SHEETS: Final = {
    "ori": (TRACKS["ori"], EDGE),
    "rssn": (TRACKS["rssn"], EDGE),
    "coco": (TRACKS["coco"], EDGE),
    "dim": (TRACKS["dim"], EDGE),
    "views": (replace(TRACKS["views"], replaced=1), ViewConfig()),
    "gfm-views": (TRACKS["ori"], GFM_VIEWS),
    "lfm-views": (TRACKS["ori"], LFM_VIEWS),
}


def plasma(rng: Generator, coarsest: int, rough: float) -> Colours:
    """Smooth noise of several sizes, (H, W), with mean 0."""
    height, width = SIZE
    field = np.zeros(SIZE, np.float32)
    step, strength = coarsest, 1.0
    while step >= 2:
        coarse = rng.normal(0, strength, (height // step + 2, width // step + 2))
        field += cv2.resize(coarse.astype(np.float32), (width, height))
        step, strength = step // 2, strength * rough
    return field


def tinted(field: Colours, dark: tuple[float, ...], bright: tuple[float, ...]) -> Colours:
    """From one colour to another, (H, W, 3) in [0, 1]."""
    share = np.clip(0.5 + 0.3 * field, 0, 1)[:, :, None]
    mixed = (1 - share) * np.array(dark) + share * np.array(bright)
    return np.asarray(mixed, np.float32)


def landscape(rng: Generator) -> Array:
    """Sky, hills and a meadow: nothing in it that could be a subject."""
    height, width = SIZE
    image = tinted(plasma(rng, 200, 0.6), (0.45, 0.6, 0.8), (0.9, 0.93, 0.97))
    rows = np.arange(height)[:, None]
    for far in (0.35, 0.5, 0.65):
        ridge = far * height + 45 * plasma(rng, 256, 0.45)[0]
        green = tuple(rng.uniform(0.6, 1.1) * (1.2 - far) * np.array((0.45, 0.55, 0.35)))
        ground = tinted(plasma(rng, 16, 0.9), tuple(0.5 * each for each in green), green)
        image = np.where((rows > ridge)[:, :, None], ground, image)
    for _ in range(2500):
        foot = rng.uniform((0, 0.7 * height), (width, height)).astype(int)
        tip = (foot + rng.normal((0, -18), (7, 6))).astype(int)
        blade = (rng.uniform(0.3, 1) * np.array((0.5, 0.62, 0.25))).tolist()
        cv2.line(image, foot.tolist(), tip.tolist(), blade, 1, cv2.LINE_AA)
    return levels(np.clip(image, 0, 1), 8)


def clutter(rng: Generator) -> Array:
    """A floor with balls and boxes: a picture with objects, as COCO's are."""
    height, width = SIZE
    image = tinted(plasma(rng, 64, 0.7), tuple(rng.uniform(0.2, 0.5, 3)), (0.85, 0.8, 0.75))
    for _ in range(14):
        x, y = rng.uniform((0, 0), (width, height)).astype(int).tolist()
        side, colour = int(rng.uniform(30, 110)), rng.uniform(0.1, 0.95, 3)
        for ring in range(side, 0, -2):  # lit from the upper left
            shade = (colour * (1.25 - 0.7 * ring / side)).tolist()
            middle = (x - (side - ring) // 4, y - (side - ring) // 4)
            cv2.circle(image, middle, ring, shade, -1, cv2.LINE_AA)
        left, top = rng.uniform((0, 0), (width, height)).astype(int).tolist()
        box = rng.uniform(40, 160, 2).astype(int)
        cv2.rectangle(image, (left, top), (left + box[0], top + box[1]), colour[::-1].tolist(), -1)
    return levels(np.clip(image, 0, 1), 8)


def written_data(root: Path, rng: Generator) -> tuple[list[Pair], Backgrounds]:
    """Write subject and backgrounds as data sets lie on disk.

    Returns:
        the photo, then the subject with more room beside it and the same mirrored, all with their
        alphas; and backgrounds of both kinds.
    """
    photo = read_photo(PHOTO)
    alpha = animatte.load().alpha(photo)
    for folder in ("image", "alpha", "plain", "objects"):
        (root / folder).mkdir()
    wide = cv2.copyMakeBorder(photo.image, 0, 0, 0, MARGIN, cv2.BORDER_REPLICATE)
    wide_alpha = cv2.copyMakeBorder(alpha, 0, 0, 0, MARGIN, cv2.BORDER_CONSTANT, value=0)
    planes = {
        "as-shot": (photo.image, alpha),  # first by name
        "chelsea": (wide, wide_alpha),
        "mirrored": (np.fliplr(wide), np.fliplr(wide_alpha)),
    }
    for name, (image, matte) in planes.items():
        write_image(root / "image" / f"{name}.png", np.ascontiguousarray(image))
        write_alpha(root / "alpha" / f"{name}.png", np.ascontiguousarray(matte))
    for number in range(NUM_BACKGROUNDS):
        write_image(root / "plain" / f"{number}.jpg", landscape(rng))
        write_image(root / "objects" / f"{number}.jpg", clutter(rng))
    plain, objects = (
        [Pair(path, None) for path in sorted((root / kind).iterdir())]
        for kind in ("plain", "objects")
    )
    return paired(root), Backgrounds(plain, objects)


def track_sheet(name: str, pairs: list[Pair], backgrounds: Backgrounds) -> Array:
    """Some examples of a track as `animatte data preview` shows them; colours as they come."""
    composition, view = SHEETS[name]
    config = ExampleConfig(view, ColourConfig(0, 0, 0, 0, 0, 0), composition, empty=0)
    natural = composition.replaced == 0
    source = Source(pairs[:1] if natural else pairs[1:], 1, replaced=composition.replaced)
    stream = ExampleStream([source], backgrounds, config, SEED)
    return contact_sheet(drawn(stream, NUM_EXAMPLES, VIEW, view.scale))


def fur_sheet(pairs: list[Pair], backgrounds: Backgrounds) -> Array:
    """Above: photo, cut out by a hard mask, with fur; below: mask, alpha, both edges enlarged."""
    sample = pairs[0].read()
    mask = np.where(sample.alpha > 127, np.uint8(255), np.uint8(0))
    ground = read_photo(backgrounds.plain[0].image).image
    behind = np.asarray(cv2.resize(ground, mask.shape[::-1]), np.float32)
    config = FurConfig(length=(0.08, 0.08))
    soft = furred(sample.image, mask, config, np.random.default_rng(SEED))
    hard = composite(unit_pixels(sample.image), behind, unit_pixels(mask))
    grown = composite(soft.foreground, behind, soft.alpha)
    rows, columns = mask.shape
    edge = np.s_[rows // 4 : rows // 2, columns // 2 :]
    both = np.vstack([levels(each[edge], 8) for each in (hard, grown)])
    detail = np.asarray(cv2.resize(both, (columns, rows), interpolation=cv2.INTER_CUBIC))
    above = np.hstack([sample.image, levels(hard, 8), levels(grown, 8)])
    masks = [np.asarray(three_channels(each)) for each in (mask, levels(soft.alpha, 8))]
    return np.vstack([above, np.hstack([*masks, detail])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parents[1] / "docs" / "images"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs, backgrounds = written_data(Path(folder), np.random.default_rng(SEED))
        sheets = {f"track-{name}": track_sheet(name, pairs, backgrounds) for name in SHEETS}
        sheets["fur"] = fur_sheet(pairs, backgrounds)
        for name, sheet in sheets.items():
            path = arguments.output / f"{name}.webp"
            Image.fromarray(sheet).save(path, quality=QUALITY, method=6)
            print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
