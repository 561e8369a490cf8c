"""Windows that overlap: together they cover a picture once."""

import numpy as np
import pytest

from animatte.windows import stretches, windows


@pytest.mark.parametrize("length", [32, 320, 352, 704, 1600, 9984])
@pytest.mark.parametrize("side", [192, 320, 1024])
def test_weights_of_all_windows_sum_to_one_and_the_grid_stays(length: int, side: int) -> None:
    total = np.zeros(length)
    for seen, kept, weights in stretches(length, side, 32):
        assert (seen.start % 32, seen.stop % 32) == (0, 0)
        assert seen.start <= kept.start < kept.stop <= seen.stop <= length
        assert seen.stop - seen.start <= max(side, 32)
        assert weights.min() > 0
        total[kept] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_what_a_network_sees_too_little_around_does_not_count() -> None:
    for seen, kept, _ in stretches(4096, 1536, 32):
        assert seen.start == 0 or kept.start - seen.start == 384
        assert seen.stop == 4096 or seen.stop - kept.stop == 384


def test_a_small_picture_is_one_window() -> None:
    (window,) = windows((320, 640), 704, 32)
    assert window.seen == window.kept == window.kept_of_seen == np.s_[0:320, 0:640]
    assert window.weights.min() == 1
