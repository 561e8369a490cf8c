from __future__ import annotations

import pytest
from tests.serve.conftest import PatientNetwork

from animatte.serve.pace import Pace, pace_of


def test_a_larger_photo_is_expected_to_take_longer() -> None:
    pace = Pace()
    assert 0 < pace.seconds(100) < pace.seconds(2_000_000) < pace.seconds(12_000_000)


def test_the_pace_of_photos_that_were_cut_is_learned() -> None:
    pace = Pace()
    for pixels in (1_000_000, 3_000_000) * 30:
        pace.learn(pixels, (pixels + 1_000_000) * 2e-6)
    assert pace.seconds(9_000_000) == pytest.approx(20, rel=0.01)


def test_late_photos_count_most() -> None:
    pace = Pace()
    for seconds in [1.0] * 50 + [8.0] * 30:
        pace.learn(1_000_000, seconds)
    assert pace.seconds(1_000_000) == pytest.approx(8, rel=0.1)


def test_a_model_s_pace_is_seen_beforehand() -> None:
    network = PatientNetwork(0.2)
    slow = pace_of(network.predictor())
    assert network.seen == 2
    assert slow.seconds(451 * 300) > 0.2
