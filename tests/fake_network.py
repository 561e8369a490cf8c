"""A network whose heads are given, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Heads = Callable[[Array], Array]


class FakeNetwork:
    """A network whose heads are given functions of the image, and which records its calls."""

    name, device = "fake", "cpu"
    card: Mapping[str, Any] = {}

    def __init__(self, glance: Heads, focus: Heads, rosta: str = "TT", stride: int = 32) -> None:
        self.rosta = rosta
        self.stride = stride
        self.calls: list[tuple[str, tuple[int, int]]] = []
        self._heads = (glance, focus)

    def _seen(self, head: str, image: Array) -> Array:
        height, width, channels = image.shape
        assert (height % self.stride, width % self.stride, channels) == (0, 0, 3)
        assert image.dtype == np.float32
        assert height > 0 and width > 0
        self.calls.append((head, (height, width)))
        return image

    def glance(self, image: Array) -> Array:
        return self._heads[0](self._seen("glance", image))

    def focus(self, image: Array) -> Array:
        return self._heads[1](self._seen("focus", image))

    def glance_and_focus(self, image: Array) -> tuple[Array, Array]:
        self._seen("glance_and_focus", image)
        return self._heads[0](image), self._heads[1](image)

    def alpha(self, image: Array) -> Array:
        return self._heads[1](self._seen("alpha", image))

    def branches(self, image: Array) -> tuple[Array, Array]:
        raise AssertionError("no strategy looks at the branches")


def first_channel(image: Array) -> Array:
    return image[:, :, 0].copy()


def certain(labels: NDArray[Any], num_classes: int = 3) -> Array:
    """(C, H, W) probabilities of 0 and 1."""
    planes: Array = np.eye(num_classes, dtype=np.float32)[labels].transpose(2, 0, 1)
    return planes


def trimap_glance(image: Array) -> Array:
    """Background where red is below 0.01, foreground above 0.99, transition between."""
    red = image[:, :, 0]
    return certain((red >= 0.01).astype(int) + (red > 0.99))
