"""How fast a matte is scored, and that nothing is given up for it.

The reference is a plain port of the programs that published tables come from: whole masks at each
level, a distance transform whose result is thrown away, filters pixel by pixel of the whole
picture. Run: `python benchmarks/metrics.py --height 1080 --width 1600`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from animatte.metrics import PROTOCOLS, Protocol, alpha_scores

Alpha = NDArray[np.float64]
Scores = dict[str, float]


def plain_scores(
    predicted: Alpha, true: Alpha, trimap: NDArray[np.uint8], rules: Protocol
) -> Scores:
    """Written down as published, in double precision."""
    area = np.ones(true.shape, bool) if rules.area == "image" else trimap == 128
    difference = predicted - true
    known = np.where(trimap == 255, 1, 0) if rules.known_filled else true
    filled = np.where(trimap == 128, predicted, known) - true
    return {
        "sad_transition": np.abs(filled).sum() / 1000,
        "sad_foreground": np.abs(difference)[trimap == 255].sum() / 1000,
        "sad_background": np.abs(difference)[trimap == 0].sum() / 1000,
        "sad": np.abs(difference)[area].sum() / 1000,
        "mse": np.square(difference)[area].mean() * rules.mean_factor,
        "mad": np.abs(difference)[area].mean() * rules.mean_factor,
        "grad": plain_gradient(predicted, true, rules)[area].sum() / rules.grad.divisor,
        "conn": plain_connectivity(predicted, true, rules)[area].sum() / 1000,
    }


def plain_gradient(predicted: Alpha, true: Alpha, rules: Protocol) -> Alpha:
    magnitudes = []
    for alpha in (predicted, true):
        if rules.name == "gfm":
            across = ndimage.gaussian_filter(alpha, 1.4, order=(0, 1))
            down = ndimage.gaussian_filter(alpha, 1.4, order=(1, 0))
        else:
            kernel = unit_kernel()
            low, high = (alpha.min(), alpha.max()) if rules.grad.stretched else (0, 1)
            stretched = (alpha - low) / (high - low)
            across = ndimage.convolve(stretched, kernel, mode="nearest")
            down = ndimage.convolve(stretched, kernel.T, mode="nearest")
        magnitudes.append(np.sqrt(across**2 + down**2))
    return np.asarray(np.square(magnitudes[0] - magnitudes[1]), np.float64)


def unit_kernel(sigma: float = 1.4, epsilon: float = 1e-2) -> Alpha:
    half = int(np.ceil(sigma * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * sigma * epsilon))))
    offsets = np.arange(-half, half + 1)
    bell = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel = np.outer(bell, -offsets * bell)
    return np.asarray(kernel / np.sqrt((kernel**2).sum()), np.float64)


def plain_connectivity(predicted: Alpha, true: Alpha, rules: Protocol) -> Alpha:
    products = rules.name in ("gfm", "gca-legacy")
    levels = np.arange(0, 1.1, 0.1) if products else np.arange(11) / 10
    connected = np.full(true.shape, -1.0)
    for index in range(1, len(levels)):
        labels, _ = ndimage.label((predicted >= levels[index]) & (true >= levels[index]))
        areas = np.bincount(labels.ravel())
        if not rules.conn.background_competes:
            areas[0] = 0
        if not areas.any() and rules.conn.empty == "passed":
            continue
        component = labels == areas.argmax() if areas.any() else np.zeros(true.shape, bool)
        connected[(connected == -1) & ~component] = levels[index - 1]
        away = ndimage.distance_transform_edt(~component)
        _ = away / max(away.max(), 1)  # as published: of no use
    connected[connected == -1] = 1
    phi = [1 - (alpha - connected) * (alpha - connected >= 0.15) for alpha in (predicted, true)]
    return np.asarray(np.abs(phi[0] - phi[1]), np.float64)


def pair(height: int, width: int, seed: int) -> tuple[Alpha, Alpha, NDArray[np.uint8]]:
    """A blob with fur, a matte of it as a network might predict, and its trimap; 8 bits each."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((height, width))
    distance = np.hypot((rows / height - 0.5) * 1.3, columns / width - 0.5)
    fur = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 1.5)
    coarse = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 25)
    edge = (0.33 - distance) * 40 + fur / fur.std() * 0.6 + coarse / coarse.std()
    true = (edge + 0.5).clip(0, 1)
    wrong = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 8)
    predicted = cv2.GaussianBlur((edge + wrong / wrong.std() + 0.5).clip(0, 1), (0, 0), 1)
    soft = ((true > 0) & (true < 1)).astype(np.uint8)
    near = cv2.dilate(soft, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))) > 0
    trimap = np.where(near, 128, np.where(true > 0.5, 255, 0)).astype(np.uint8)
    return np.rint(255 * predicted) / 255, np.rint(255 * true) / 255, trimap


def compared(
    rules: Protocol, predicted: Alpha, true: Alpha, trimap: NDArray[np.uint8], repeats: int
) -> None:
    """Print both times, each the best of several in turn, and how far the scores are apart."""
    single = predicted.astype(np.float32), true.astype(np.float32)
    ways: dict[str, Callable[[], Scores]] = {
        "plain": lambda: plain_scores(predicted, true, trimap, rules),
        "float64": lambda: alpha_scores(predicted, true, trimap, rules.name),
        "float32": lambda: alpha_scores(single[0], single[1], trimap, rules.name),
    }
    scores: dict[str, Scores] = {}
    times = dict.fromkeys(ways, np.inf)
    for _ in range(repeats):
        for way, scored in ways.items():
            start = perf_counter()
            scores[way] = scored()
            times[way] = min(times[way], perf_counter() - start)
    for way in ("float64", "float32"):
        apart = {key: abs(scores[way][key] / value - 1) for key, value in scores["plain"].items()}
        worst = max(apart, key=lambda key: apart[key])
        print(
            f"{rules.name:<11}{way}: plain {times['plain'] * 1e3:5.0f} ms, "
            f"ours {times[way] * 1e3:4.0f} ms, {times['plain'] / times[way]:5.1f} times as fast; "
            f"largest difference {apart[worst]:.1e} ({worst})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV; the port has one")
    options = parser.parse_args()

    cv2.setNumThreads(options.threads)
    predicted, true, trimap = pair(options.height, options.width, options.seed)
    print(f"{true.size / 1e6:.2f} MP, {options.threads} threads")
    for rules in PROTOCOLS.values():
        compared(rules, predicted, true, trimap, options.repeats)


if __name__ == "__main__":
    main()
