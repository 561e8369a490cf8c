"""Colour error: by hand, and that it sees a halo."""

from __future__ import annotations

import numpy as np
import pytest

from animatte.compositing import composite
from animatte.metrics import colour_error


def test_colour_error_by_hand() -> None:
    alpha = np.array([[0.5, 0.2, 1.0, 0.0]])
    true = np.zeros((1, 4, 3))
    colours = np.zeros((1, 4, 3))
    colours[0, 0] = 0.3, 0.0, 0.0  # weighs 0.25
    colours[0, 1] = 0.6, 0.6, 0.6  # weighs 0.16
    colours[0, 2:] = 1  # opaque, and not to be seen: neither weighs
    expected = (0.25 * 0.1 + 0.16 * 0.6) / 0.41
    assert colour_error(colours, true, alpha) == pytest.approx(expected)


def test_a_halo_is_seen() -> None:
    ramp = np.linspace(0, 1, 50)[None].repeat(4, 0)
    foreground = np.broadcast_to([0.8, 0.5, 0.2], (4, 50, 3))
    green = np.broadcast_to([0.1, 0.9, 0.1], (4, 50, 3))
    photo = composite(
        foreground.astype(np.float32), green.astype(np.float32), ramp.astype(np.float32)
    )
    # The photo's own colours are green at the edge: |F − B| is 0.4, and of it shows 1 − α, whose
    # mean weighed by α(1 − α) is a half.
    assert colour_error(photo, foreground, ramp) == pytest.approx(0.4 / 2, rel=1e-3)
    assert colour_error(foreground, foreground, ramp) == 0


def test_a_hard_edge_has_no_halo() -> None:
    assert colour_error(np.ones((2, 2, 3)), np.zeros((2, 2, 3)), np.eye(2)) == 0


@pytest.mark.parametrize(
    ("shape", "message"),
    [((2, 3, 3), r"foreground is \(2, 3, 3\); it must be \(2, 2, 3\)"), ((2, 2), "H, W, 3")],
)
def test_colours_of_another_size_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        colour_error(np.zeros(shape), np.zeros((2, 2, 3)), np.eye(2))
