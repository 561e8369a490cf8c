"""The short version of `benchmarks/serve.py`, with a network that takes no time."""

from __future__ import annotations

import asyncio

import numpy as np
from benchmarks.serve import is_whole, load, photos
from tests.serve.conftest import Started

from animatte.images import encoded_image


def test_of_many_clients_nobody_who_was_accepted_is_lost(started: Started) -> None:
    client = started(workers=1, queue=1, pixels=1_000_000)
    good, bad = asyncio.run(load(str(client.base_url), photos(0.1), num_clients=12, seconds=2))
    assert good.lost == 0
    assert good.statuses[200] == len(good.seconds) == good.kinds.total() > 0
    assert set(good.statuses) <= {200, 503}
    assert set(bad.statuses) <= {0, 413, 422, 503}


def test_a_picture_that_is_cut_short_counts_as_lost() -> None:
    picture = encoded_image(".webp", np.zeros((9, 9, 3), np.uint8))
    assert is_whole(picture)
    assert not is_whole(picture[:-1])
    assert not is_whole(b"")
