"""Large photos: the focus in windows, only where it counts, and what happens without memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animatte.engine import OnnxNetwork
from animatte.images import read_photo
from animatte.predictor import load
from animatte.scales import Fraction, LongerSide
from animatte.seeing import full_size_alpha
from animatte.strategies import Strategy, named_strategy

Array = NDArray[np.float32]
CHELSEA = Path(__file__).parent.parent / "examples" / "chelsea.png"


class NearSighted:
    """A glance by the colour, and a focus that sees 25 pixels around each: a blur of red."""

    name, device, rosta, stride = "near", "cpu", "TT", 32
    card: Mapping[str, object] = {}

    def __init__(self, has_memory_for: float = np.inf) -> None:
        self.has_memory_for = has_memory_for
        self.seen: list[tuple[int, int]] = []

    def glance(self, image: Array) -> Array:
        self._take(image)
        red = image[:, :, 0]
        transition = ((red > 0.05) & (red < 0.95)).astype(np.float32)
        wide = cv2.dilate(transition, np.ones((5, 5)))
        return np.stack([(1 - wide) * (red <= 0.5), wide, (1 - wide) * (red > 0.5)]).astype("f4")

    def focus(self, image: Array) -> Array:
        self.seen.append(self._take(image))
        return np.asarray(cv2.blur(image[:, :, 0], (51, 51)), np.float32)

    def glance_and_focus(self, image: Array) -> tuple[Array, Array]:
        return self.glance(image), self.focus(image)

    def alpha(self, image: Array) -> Array:
        raise AssertionError("glance and focus are apart")

    def branches(self, image: Array) -> tuple[Array, Array]:
        raise AssertionError("only late fusion has them")

    def _take(self, image: Array) -> tuple[int, int]:
        height, width = image.shape[:2]
        if height * width > self.has_memory_for:
            raise MemoryError
        return height, width


def disc(height: int, width: int) -> NDArray[np.uint8]:
    """A soft disc on noise, as levels."""
    y, x = np.mgrid[:height, :width]
    inside = np.clip((min(height, width) / 3 - np.hypot(y - height / 2, x - width / 2)) / 20, 0, 1)
    noise = np.random.default_rng(0).random((height, width, 3)) * 0.02
    image = np.repeat(inside[:, :, None], 3, axis=2) * 0.97 + noise
    return np.asarray(image * 255, np.uint8)


def strategy(merging: str) -> Strategy:
    return Strategy("wide", LongerSide(320), Fraction(1.0, cap=4096), merging)


@pytest.mark.parametrize("merging", ["soft", "labels"])
def test_windows_show_what_the_whole_shows(merging: str) -> None:
    image = disc(1280, 1600)
    whole = full_size_alpha(NearSighted(), image, strategy(merging))
    in_windows = NearSighted()
    tiled = full_size_alpha(in_windows, image, strategy(merging), most_pixels=704**2)
    assert len(in_windows.seen) > 4
    assert np.abs(tiled - whole).max() < 2 / 255
    assert 0.2 < whole.mean() < 0.3


@pytest.mark.parametrize("merging", ["soft", "labels"])
def test_the_focus_looks_only_where_it_counts(merging: str) -> None:
    counts = {}
    for side in (1024, 2048):
        network = NearSighted()
        full_size_alpha(network, disc(side, side), strategy(merging), most_pixels=256**2)
        counts[side] = len(network.seen)
    assert counts[2048] < 3 * counts[1024]  # with the edge, not with the area


def test_a_trained_network_sees_nearly_the_same_in_windows() -> None:
    """GFM's focus has no global context: what lies 256 pixels away hardly changes it."""
    predictor = load(None, "cpu", named_strategy("native"), threads=1)
    image = cv2.resize(disc(300, 400), (1216, 928), interpolation=cv2.INTER_CUBIC)
    whole = predictor.alpha(image)
    predictor.most_pixels = 1024**2
    assert np.abs(predictor.alpha(image) - whole).max() < 2 / 255


def test_the_default_model_sees_a_photo_in_windows_as_it_sees_the_whole() -> None:
    """At a size where both are possible; windows of 1024 with 256 beside differ by 5.9/255."""
    predictor = load(None, "cpu", named_strategy("native"), threads=1)
    photo = read_photo(CHELSEA).seen
    image = cv2.resize(photo, (1696, 1536), interpolation=cv2.INTER_CUBIC)
    assert image.shape[0] * image.shape[1] > predictor.most_pixels
    in_windows = predictor.alpha(image)
    predictor.most_pixels = image.shape[0] * image.shape[1]
    whole = predictor.alpha(image)
    assert np.abs(in_windows - whole).max() < 2 / 255
    assert ((whole > 0) & (whole < 1)).mean() > 0.1


@pytest.mark.parametrize("limit", [600**2, 260**2])
def test_without_memory_less_is_shown_at_once(limit: int) -> None:
    image = disc(1280, 1280)
    short = NearSighted(has_memory_for=limit)
    alpha = full_size_alpha(short, image, strategy("soft"))
    assert max(height * width for height, width in short.seen) <= limit
    whole = full_size_alpha(NearSighted(), image, strategy("soft"))
    assert np.abs(alpha - whole).mean() < 0.01


def test_without_any_memory_there_is_an_end() -> None:
    with pytest.raises(MemoryError):
        full_size_alpha(NearSighted(has_memory_for=1), disc(700, 700), strategy("soft"))


def test_onnx_runtime_s_want_of_memory_is_a_memory_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = OnnxNetwork(tiny_model, "cpu")

    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError("[ONNXRuntimeError] Failed to allocate memory for requested buffer")

    monkeypatch.setattr(network, "_session", lambda _: Session())
    with pytest.raises(MemoryError, match=r"tiny has no memory for 64.96 pixels"):
        network.focus(np.zeros((64, 96, 3), np.float32))


def test_levels_and_floats_are_seen_alike() -> None:
    image = disc(300, 400)
    by_levels = full_size_alpha(NearSighted(), image, strategy("soft"))
    deep = full_size_alpha(NearSighted(), image.astype(np.uint16) * 257, strategy("soft"))
    floats = (image / np.float32(255)).astype(np.float32)
    by_floats = full_size_alpha(NearSighted(), floats, strategy("soft"))
    np.testing.assert_allclose(by_levels, by_floats, atol=1e-5)
    np.testing.assert_allclose(deep, by_floats, atol=1e-5)
