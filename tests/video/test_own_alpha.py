"""The alpha that a film has of its own: exact, never steadied, and no part of its colours."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.video.conftest import RedPredictor
from tests.video.runs import GREEN, run

from animatte.images import Photo
from animatte.looks import Matte

SIZE = (48, 64)


class Opaque(RedPredictor):
    """Takes all of a frame for the subject."""

    def matte(self, image: Photo, /) -> Matte:
        self.seen.append(image.size)
        own = np.float32(1) if image.alpha is None else image.alpha
        return Matte(np.ones(image.size, np.float32) * own)


def frames(folder: Path, *alphas: int | NDArray[np.uint8]) -> Path:
    """One picture of coarse noise over and over, with an alpha each."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    folder.mkdir()
    for number, alpha in enumerate(alphas):
        pixels = np.empty((*SIZE, 4), np.uint8)
        pixels[:, :, :3] = noise.repeat(4, axis=0).repeat(4, axis=1)
        pixels[:, :, 3] = alpha
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def pictures(folder: Path) -> list[NDArray[np.uint8]]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("how", ["flow", "delay", "none"])
@pytest.mark.parametrize("kind", ["cutout", "matte", "composite", "side-by-side"])
def test_what_a_film_hides_stays_hidden_whatever_was_shown_before(
    tmp_path: Path, how: str, kind: str
) -> None:
    film = frames(tmp_path / "in", 255, 0, 0, 128)
    run(film, tmp_path / "out", "png", kind=kind, background=GREEN, stabilise=how,
        predictor=Opaque())  # fmt: skip
    for own, picture, before in zip(
        (255, 0, 0, 128), pictures(tmp_path / "out"), pictures(film), strict=True
    ):
        if kind in ("cutout", "matte"):
            assert np.unique(picture if kind == "matte" else picture[:, :, 3]).tolist() == [own]
            continue
        if kind == "side-by-side":
            assert np.unique(picture[:, 64:128]).tolist() == [own]
            picture = picture[:, 128:]  # noqa: PLW2901
        mixed = before[:, :, :3] * (own / 255.0) + np.array([0, 255, 0]) * (1 - own / 255.0)
        assert np.abs(picture - mixed).max() <= 1


def test_a_run_that_goes_on_hides_it_too(tmp_path: Path) -> None:
    class Stopping(Opaque):
        def matte(self, image: Photo, /) -> Matte:
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().matte(image)

    film = frames(tmp_path / "in", 255, 0, 0)
    again: dict[str, Any] = {"stabilise": "flow", "segment_seconds": Fraction(1, 25)}
    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "out", "png", predictor=Stopping(), **again)
    assert run(film, tmp_path / "out", "png", predictor=Opaque(), **again).num_resumed == 1
    assert [int(each[:, :, 3].max()) for each in pictures(tmp_path / "out")] == [255, 0, 0]


def test_straight_colours_are_kept_where_a_frame_is_partly_transparent(tmp_path: Path) -> None:
    """They are the subject's alone: nothing of a background is to be taken from them."""
    soft = np.broadcast_to(np.linspace(1, 255, SIZE[1]).astype(np.uint8), SIZE)
    film = frames(tmp_path / "in", soft)
    run(film, tmp_path / "out", "png", predictor=Opaque())
    before, after = pictures(film)[0], pictures(tmp_path / "out")[0]
    assert np.array_equal(after, before)


def test_what_lies_under_a_wholly_transparent_part_does_not_come_into_the_colours(
    tmp_path: Path,
) -> None:
    """Whatever colours an editor has left there, the subject's are carried on."""
    film = tmp_path / "in"
    film.mkdir()
    pixels = np.zeros((*SIZE, 4), np.uint8)
    pixels[:, 32:] = (200, 100, 50, 255)
    pixels[:, :32, :3] = (0, 0, 255)
    Image.fromarray(pixels).save(film / "0.png")
    run(film, tmp_path / "out", "png", predictor=Opaque())
    found = pictures(tmp_path / "out")[0].astype(int)
    assert np.array_equal(found[:, 32:], pixels[:, 32:])
    assert found[:, :32, 3].max() == 0
    assert np.abs(found[:, 24:32, :3] - (200, 100, 50)).max() <= 6
