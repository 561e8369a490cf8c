"""The perceptual hash."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct

from animatte.data.hashing import near_pairs, perceptual_hash


def photo(seed: int) -> NDArray[np.float32]:
    """A photo-like picture: the lower the frequency, the stronger."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((96, 128, 3), np.float32)
    for side in (3, 6, 12, 24):
        coarse = rng.random((side, side, 3), np.float32) / side
        picture += cv2.resize(coarse, (128, 96), interpolation=cv2.INTER_CUBIC)
    spread = picture.max() - picture.min()
    return np.asarray((picture - picture.min()) / spread, np.float32)


def reference_hash(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """ImageHash's phash, in its own words: Pillow and scipy."""
    grey = Image.fromarray(np.rint(image * 255).astype(np.uint8)).convert("L")
    pixels = np.asarray(grey.resize((32, 32), Image.Resampling.LANCZOS))
    low = dct(dct(pixels, axis=0), axis=1)[:8, :8]
    return np.asarray(low > np.median(low)).ravel()


@pytest.mark.parametrize("seed", range(10))
def test_the_hash_is_that_of_imagehash_but_for_the_resampling(seed: int) -> None:
    image = photo(seed)
    assert np.count_nonzero(perceptual_hash(image) != reference_hash(image)) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_a_copy_resized_compressed_and_brightened_keeps_its_hash(seed: int) -> None:
    image = photo(seed)
    small = cv2.resize(np.rint(image * 230).astype(np.uint8), (75, 50))
    stored = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    again = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert again is not None
    copied = perceptual_hash(again.astype(np.float32) / 255)
    assert np.count_nonzero(copied != perceptual_hash(image)) <= 6


def test_other_pictures_have_other_hashes() -> None:
    bits = np.stack([perceptual_hash(photo(seed)) for seed in range(30)])
    differing = (bits[:, None] != bits[None]).sum(2)
    assert differing[~np.eye(30, dtype=bool)].min() > 10


def test_near_pairs_are_those_of_a_direct_count() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((1500, 64)) > 0.5, rng.random((70, 64)) > 0.5
    first[1400], first[3] = second[9], second[2]
    first[3, :5] ^= True
    expected = [
        (row, column, int((a != b).sum()))
        for row, a in enumerate(first)
        for column, b in enumerate(second)
        if (a != b).sum() <= 15
    ]
    found = list(near_pairs(first, second, 15))
    assert sorted(found) == expected
    assert {(1400, 9, 0), (3, 2, 5)} <= set(found)
