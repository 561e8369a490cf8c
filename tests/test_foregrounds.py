"""The quick way to the subject's colours, for films, beside the thorough one and the truth."""

import numpy as np
import pytest
from tests.scenes import recomposed_error, scene

from animatte.foregrounds import estimated_foreground, quick_foreground


@pytest.mark.parametrize("softness", [0.0, 3.0])
def test_the_quick_colours_take_most_of_the_fringe_away(softness: float) -> None:
    foreground, _, alpha, image = scene((360, 480), 6, softness)
    fringe = recomposed_error(image, foreground, alpha)
    assert recomposed_error(quick_foreground(image, alpha), foreground, alpha) < 0.45 * fringe


def test_along_soft_edges_the_quick_colours_are_as_near_the_truth_as_the_thorough_ones() -> None:
    foreground, _, alpha, image = scene((360, 480), 6, 3.0)
    quick, thorough = quick_foreground(image, alpha), estimated_foreground(image, alpha)
    error = recomposed_error(thorough, foreground, alpha)
    assert recomposed_error(quick, foreground, alpha) < 1.1 * error


def test_the_quick_colours_are_the_image_where_alpha_is_one() -> None:
    _, _, alpha, image = scene((90, 130), 6, 1.0)
    inside = alpha == 1
    assert inside.any()
    assert np.array_equal(quick_foreground(image, alpha)[inside], image[inside])


def test_quick_colours_need_an_alpha_of_the_image_s_size() -> None:
    with pytest.raises(ValueError, match="must be the same"):
        quick_foreground(np.zeros((4, 5, 3), np.float32), np.zeros((4, 6), np.float32))
