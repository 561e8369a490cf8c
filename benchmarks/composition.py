"""Samples a second on one core: crop first, against full-size composition and then the crop.

All make RSSN examples of 320 pixels (crops of 640, 960 or 1280) from the same pictures of 1080x1620
pixels. "published" works in the order of GFM's published loader: decode the picture, its alpha, and
foreground and background each as they are and denoised; resize the background; blur, composite,
noise, dilations and erosions of 25 and 50 pixels, all at full size; then crop, mirror and resize
seven planes. It resizes in float64 with SciPy, as scikit-image does there. "OpenCV" resizes in 8
bits instead, which here is nothing to do; "frugal" also decodes only what it goes on to use.

python benchmarks/composition.py [--samples 20] [--seed 0]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from animatte.data.augmentation import ColourConfig, ViewConfig
from animatte.data.composition import TRACKS, Generator
from animatte.data.dataset import ExampleConfig, ExampleStream, Request
from animatte.data.folders import Pair
from animatte.data.pictures import Backgrounds, Source

SIZE = (1080, 1620)
CROPS = (640, 960, 1280)
VIEW = 320
PICTURES = 6
COLOURS = ("image", "foreground", "foreground_denoised", "background", "background_denoised")

Array = NDArray[np.uint8]
Files = Mapping[str, Path]  # by `COLOURS`, and "alpha"


class Decoded(NamedTuple):
    """What is composited, at full size."""

    alpha: Array
    foreground: Array
    background: Array


def written_files(folder: Path, rng: Generator) -> list[Files]:
    """Write pictures as detailed as photos: JPEG of about 2 bits a pixel."""
    files: list[Files] = []
    for number in range(PICTURES):
        paths = {part: folder / f"{part}{number}.jpg" for part in COLOURS}
        for path in paths.values():
            cv2.imwrite(str(path), _photo(rng), [cv2.IMWRITE_JPEG_QUALITY, 90])
        paths["alpha"] = folder / f"alpha{number}.png"
        cv2.imwrite(str(paths["alpha"]), _alpha(rng))
        files.append(paths)
    return files


def _photo(rng: Generator) -> Array:
    height, width = SIZE
    photo = np.zeros((*SIZE, 3), np.float32)
    for reduction, strength in ((60, 50), (12, 25), (3, 12), (1, 4)):
        coarse = rng.normal(0, strength, (height // reduction, width // reduction, 3))
        photo += cv2.resize(coarse.astype(np.float32), (width, height))
    return np.clip(photo + 128, 0, 255).astype(np.uint8)


def _alpha(rng: Generator) -> Array:
    alpha = np.zeros(SIZE, np.uint8)
    centre = np.array(SIZE[::-1]) // 2
    cv2.ellipse(alpha, centre.tolist(), (480, 330), 10, 0, 360, 255, -1)
    for angle in rng.uniform(0, 2 * np.pi, 900):
        root = centre + np.array([np.cos(angle) * 480, np.sin(angle) * 330])
        tip = root + rng.normal(0, 45, 2)
        ends = [np.rint(16 * each).astype(int).tolist() for each in (root, tip)]
        cv2.line(alpha, ends[0], ends[1], int(rng.integers(90, 255)), 2, cv2.LINE_AA, 4)
    return alpha


def all_read(files: Files, rng: Generator) -> Decoded:
    """Decode all there is, then choose."""
    decoded = {part: _read(path) for part, path in files.items()}
    return Decoded(*(decoded[part] for part in _chosen(rng)))


def chosen_read(files: Files, rng: Generator) -> Decoded:
    """Decode what is chosen."""
    return Decoded(*(_read(files[part]) for part in _chosen(rng)))


def _chosen(rng: Generator) -> tuple[str, str, str]:
    suffix = "_denoised" if rng.random() < 0.5 else ""
    return "alpha", f"foreground{suffix}", f"background{suffix}"


def _read(path: Path) -> Array:
    if path.suffix == ".png":
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


def float_resized(background: Array) -> NDArray[Any]:
    """By spline of order 1 in three dimensions, whatever the size was."""
    factors = [wanted / side for wanted, side in zip((*SIZE, 3), background.shape, strict=True)]
    return np.asarray(255 * zoom(background / 255, factors, order=1, mode="mirror", grid_mode=True))


def opencv_resized(background: Array) -> NDArray[Any]:
    return np.asarray(cv2.resize(background, SIZE[::-1]), np.uint8)


def plain_example(
    decoded: Decoded, rng: Generator, resized: Callable[[Array], NDArray[Any]] = opencv_resized
) -> list[NDArray[np.float32]]:
    """Everything at full size, then the crop.

    Returns:
        image, alpha, foreground, background, trimap, dilation and erosion.
    """
    alpha, foreground = decoded.alpha, decoded.foreground
    background = resized(decoded.background)
    if rng.random() < 0.5:
        box = int(rng.choice((20, 30, 40, 50, 60)))
        background = np.asarray(cv2.blur(background, (box, box)))
    weight = alpha[:, :, None] / 255
    colours: list[NDArray[Any]] = [
        weight * foreground + (1 - weight) * background,
        foreground,
        background,
    ]
    if rng.random() < 0.5:
        noise = rng.normal(0, 10, foreground.shape)
        colours = [np.clip(plane + noise, 0, 255) for plane in colours]
    image, foreground, background = (np.asarray(plane, np.uint8) for plane in colours)
    near, deep = widened(alpha, 25)
    trimap = np.where(deep > 0, 255, np.where(near > 0, 128, 0)).astype(np.uint8)
    planes = (image, alpha, foreground, background, trimap, *widened(alpha, 50))
    return [plane.T.astype(np.float32) for plane in cropped(planes, trimap, rng)]


def cropped(planes: tuple[Array, ...], trimap: Array, rng: Generator) -> list[Array]:
    """Crop, half of the time around a pixel of the transition; resize and mirror."""
    side = min(int(rng.choice(CROPS)), *SIZE)
    rows, columns = np.nonzero(trimap == 128)
    at = rng.integers(rows.size)
    centre = (rows[at], columns[at]) if rng.random() < 0.5 else rng.integers(0, SIZE)
    top, left = (
        int(np.clip(middle - side // 2, 0, end - side))
        for middle, end in zip(centre, SIZE, strict=True)
    )
    crops = [
        cv2.resize(each[top : top + side, left : left + side], (VIEW, VIEW)) for each in planes
    ]
    if rng.random() < 0.5:
        crops = [cv2.flip(each, 1) for each in crops]
    return [np.asarray(each, np.uint8) for each in crops]


def widened(alpha: Array, kernel_size: int) -> tuple[Array, Array]:
    """The foreground dilated, and the sure one eroded."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_size, kernel_size))
    possible = cv2.dilate((alpha > 0).astype(np.uint8), kernel)
    sure = cv2.erode((alpha == 255).astype(np.uint8), kernel)
    return np.asarray(possible, np.uint8), np.asarray(sure, np.uint8)


def stream_of(files: list[Files], seed: int, cache_bytes: int) -> ExampleStream:
    pairs = [Pair(each["image"], each["alpha"]) for each in files]
    names = [pair.name for pair in pairs]
    by_name = {
        part: dict(zip(names, (each[part] for each in files), strict=True))
        for part in ("foreground", "foreground_denoised")
    }
    backgrounds = Backgrounds(
        [Pair(each["background"], None) for each in files],
        denoised={each["background"].stem: each["background_denoised"] for each in files},
    )
    config = ExampleConfig(
        view=ViewConfig(crops=CROPS, centred=0.5, aspect=1, tilt=0, turned=0),
        colour=ColourConfig(0, 0, 0, 0, 0, 0),
        composition=TRACKS["rssn"],
        empty=0,
        transition_kernel=25 // 3,  # in pixels of the view, which shrinks by 2, 3 or 4
        focus_kernel=50 // 3,
    )
    source = Source(
        pairs,
        1,
        replaced=1,
        foregrounds=by_name["foreground"],
        denoised=by_name["foreground_denoised"],
    )
    return ExampleStream([source], backgrounds, config, seed, cache_bytes)


def seconds(makers: Mapping[str, Callable[[int], object]], samples: int) -> dict[str, float]:
    """CPU seconds a sample, in turns: so that what else the machine does meets all alike."""
    spent = dict.fromkeys(makers, 0.0)
    for number in range(-PICTURES, samples):  # the first round warms up
        for name, make in makers.items():
            start = time.process_time()
            make(abs(number))
            spent[name] += (time.process_time() - start) * (number >= 0)
    return {name: total / samples for name, total in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = written_files(Path(folder), np.random.default_rng(arguments.seed))
        rng = np.random.default_rng(arguments.seed)
        decoded = [chosen_read(each, rng) for each in files]
        cached, uncached = (stream_of(files, arguments.seed, room) for room in (10**10, 0))
        for number in range(8 * PICTURES):
            cached[Request(number, VIEW, (1, 1))]  # decodes what will be asked for

        def of(number: int) -> Files:
            return files[number % PICTURES]

        def kept(number: int) -> Decoded:
            return decoded[number % PICTURES]

        cases: dict[str, dict[str, Callable[[int], object]]] = {
            "with decoding": {
                "published": lambda number: plain_example(
                    all_read(of(number), rng), rng, float_resized
                ),
                "OpenCV": lambda number: plain_example(all_read(of(number), rng), rng),
                "frugal": lambda number: plain_example(chosen_read(of(number), rng), rng),
                "animatte": lambda number: uncached[Request(number, VIEW, (1, 1))],
            },
            "without decoding": {
                "published": lambda number: plain_example(kept(number), rng, float_resized),
                "OpenCV": lambda number: plain_example(kept(number), rng),
                "animatte": lambda number: cached[Request(number, VIEW, (1, 1))],
            },
        }
        for case, makers in cases.items():
            spent = seconds(makers, arguments.samples)
            ours = spent.pop("animatte")
            print(f"{case}: animatte {1 / ours:.1f}/s")
            for name, plain in spent.items():
                print(f"  {name} {1 / plain:.1f}/s: {plain / ours:.1f} times")


if __name__ == "__main__":
    main()
