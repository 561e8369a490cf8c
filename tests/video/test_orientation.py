import numpy as np
import pytest

from animatte.video.orientation import Orientation

PICTURE = np.arange(6).reshape(2, 3, 1)


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return np.array([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], np.int32).tobytes()


@pytest.mark.parametrize("a,b,c,d", [
    (1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1),
    (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0),
])  # fmt: skip
def test_each_pixel_goes_where_the_matrix_sends_it(a: int, b: int, c: int, d: int) -> None:
    sent = {}
    for y, x in np.ndindex(2, 3):
        sent[a * x + c * y, b * x + d * y] = PICTURE[y, x, 0]
    left, top = min(x for x, _ in sent), min(y for _, y in sent)
    orientation = Orientation(matrix(a, b, c, d))
    upright = orientation.upright(PICTURE)
    assert upright.shape[:2] == orientation.upright_size((2, 3))
    assert all(upright[y - top, x - left, 0] == value for (x, y), value in sent.items())


def test_without_a_matrix_nothing_is_turned() -> None:
    assert np.array_equal(Orientation().upright(PICTURE), PICTURE)
