"""Damaged files of every format give a photo or an ImageError, nothing else and no warning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from benchmarks.fuzz import sound_files

from animatte.images import ImageError, read_photo

NUM_DAMAGES = 60


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip some bytes, mostly near the front where headers are; at times cut or repeat some."""
    array = bytearray(data)
    for _ in range(rng.integers(1, 8)):
        reach = len(array) if rng.random() < 0.5 else min(len(array), 200)
        array[rng.integers(4, reach)] = rng.choice([0, 1, 127, 255, int(rng.integers(256))])
    start, stop = sorted(rng.integers(4, len(array), 2).tolist())
    if rng.random() < 0.15:
        del array[start:stop]
    elif rng.random() < 0.15:
        array[start:start] = array[start:stop]
    return bytes(array)


def refusal(data: bytes) -> str:
    """The message if the file is refused, "" if it is read."""
    try:
        photo = read_photo(data, max_pixels=1_000_000)
    except ImageError as error:
        return str(error)
    assert photo.image.shape == photo.colour.shape
    assert np.isfinite(photo.image).all()
    return ""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", sorted(sound_files()))
def test_damaged_file_gives_a_photo_or_an_image_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = sound_files()[name]
    assert refusal(data) == ""
    rng = np.random.default_rng(sum(name.encode()))
    messages = [refusal(damaged(data, rng)) for _ in range(NUM_DAMAGES)]
    assert any(messages)
    assert not caplog.records
    assert not any("\n" in message for message in messages)


def test_threads_may_read_at_once() -> None:
    files = list(sound_files().values()) * 3
    with ThreadPoolExecutor(4) as pool:
        photos = list(pool.map(read_photo, files))
    assert len(photos) == len(files)
