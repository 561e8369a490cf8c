"""The `Sample` noun."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.sample import Sample


def plane(*shape: int) -> NDArray[np.uint8]:
    return np.zeros(shape, np.uint8)


def test_image_and_alpha_are_enough() -> None:
    sample = Sample("a", plane(4, 6, 3), plane(4, 6))
    assert (sample.trimap, sample.foreground, sample.background) == (None, None, None)
    assert sample.subject is None


@pytest.mark.parametrize("part", ["trimap", "foreground", "background"])
def test_every_part_has_the_picture_s_size(part: str) -> None:
    channels = () if part == "trimap" else (3,)
    fitting, other = plane(4, 6, *channels), plane(4, 5, *channels)
    Sample("a", plane(4, 6, 3), plane(4, 6), **{part: fitting})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"'a': image is .*, {part} \(4, 5.* one height"):
        Sample("a", plane(4, 6, 3), plane(4, 6), **{part: other})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one height and width"):
        Sample("a", plane(4, 6, 3), plane(4, 5))
