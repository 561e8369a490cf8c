"""Photos that have an alpha already: it multiplies alpha, and has no part in their colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.fake_network import FakeNetwork, first_channel, trimap_glance

import animatte
from animatte.backgrounds import Background, parsed_background
from animatte.batch import cut_photos
from animatte.compositing import blurred_background, composite
from animatte.cutting import CutOptions, CutReport, cut_picture
from animatte.foregrounds import estimated_foreground
from animatte.images import encoded_image
from animatte.images.arrays import unit_pixels
from animatte.looks import Matte
from animatte.predictor import Predictor
from animatte.serve.orders import Wishes, answered, order_of
from animatte.strategies import views
from animatte.subjects import Margin

Array = NDArray[np.float32]
SIZE = (64, 96)
PHOTO = Path(__file__).parents[1] / "examples" / "chelsea.png"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Takes red for alpha."""
    network = FakeNetwork(trimap_glance, first_channel)
    return Predictor(network, views(glance=96, focus=96))


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    """RGBA: a soft edge from left to right, a hole at the bottom, and half of the top right."""
    columns = np.broadcast_to(np.linspace(-0.5, 1.5, SIZE[1]), SIZE)
    red = np.clip(columns, 0, 1) * 255
    green = 200 - red / 2
    own = np.full(SIZE, 255)
    own[:30, 40:] = 90
    own[50:, 60:] = 0
    return np.dstack([red, green, np.full(SIZE, 80), own]).round().astype(np.uint8)


@pytest.fixture(scope="module")
def alphas(predictor: Predictor, photo: NDArray[np.uint8]) -> tuple[Array, Array]:
    """The network's, and that of the photo."""
    return predictor.alpha(photo[:, :, :3]), unit_pixels(photo[:, :, 3])


@pytest.fixture(scope="module")
def expected(photo: NDArray[np.uint8], alphas: tuple[Array, Array]) -> NDArray[np.uint8]:
    """Alpha is the product; colours are as those of a photo that is opaque but for the hole."""
    network, own = alphas
    colours = estimated_foreground(photo[:, :, :3], network * (own > 0), bit_depth=8)
    assert not np.array_equal(colours, estimated_foreground(photo[:, :, :3], network * own, 8))
    return np.dstack([colours, np.rint(network * own * 255).astype(np.uint8)])


def test_a_matte_knows_both_alphas(
    predictor: Predictor, photo: NDArray[np.uint8], alphas: tuple[Array, Array]
) -> None:
    network, own = alphas
    found = predictor.matte(photo)
    np.testing.assert_array_equal(found.alpha, network * own)
    np.testing.assert_array_equal(found.mixing, network * (own > 0))
    opaque = predictor.matte(photo[:, :, :3])
    assert opaque.unmultiplied is None
    assert opaque.mixing is opaque.alpha


def test_a_matte_is_multiplied_by_levels_of_any_depth() -> None:
    alpha = np.array([[0, 0.5, 1], [0.25, 1, 1]], np.float32)
    own = np.array([[255, 255, 255], [0, 51, 0]], np.uint8)
    for levels in (own, own.astype(np.uint16) * 257, own / 255):
        found = Matte(alpha.copy()).multiplied(levels)
        np.testing.assert_allclose(found.alpha, [[0, 0.5, 1], [0, 0.2, 0]], atol=1e-7)
        np.testing.assert_array_equal(found.mixing, [[0, 0.5, 1], [0, 1, 0]])


def test_a_predictor_s_cutout_has_the_photo_s_colours(
    predictor: Predictor, photo: NDArray[np.uint8], expected: NDArray[np.uint8]
) -> None:
    np.testing.assert_array_equal(predictor.cutout(photo), expected)


def test_files_in_a_batch_and_requests_have_the_same_colours(
    predictor: Predictor, photo: NDArray[np.uint8], expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    Image.fromarray(photo).save(tmp_path / "cat.png")
    (result,) = cut_photos(predictor, [tmp_path / "cat.png"], [tmp_path / "c.png"], CutOptions())
    assert isinstance(result, CutReport)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "c.png")), expected)
    wishes = Wishes(False, "png", None, "all", None, None, False, "never", "never")
    answer = answered(predictor, (tmp_path / "cat.png").read_bytes(), order_of(wishes, 10**6))
    assert answer.data == (tmp_path / "c.png").read_bytes()


def test_a_composite_mixes_these_colours_by_the_product(
    predictor: Predictor, photo: NDArray[np.uint8], expected: NDArray[np.uint8]
) -> None:
    data = encoded_image(".png", photo[:, :, :3], photo[:, :, 3])
    options = CutOptions(background=parsed_background("#102030"))
    foreground, product = unit_pixels(expected[:, :, :3]), predictor.alpha(photo)
    behind = (0x10 / 255, 0x20 / 255, 0x30 / 255)
    composed = unit_pixels(cut_picture(predictor, data, options).image)
    np.testing.assert_allclose(composed, composite(foreground, behind, product), atol=0.51 / 255)


def test_a_blurred_background_holds_nothing_of_a_subject_that_the_photo_half_shows(
    predictor: Predictor, photo: NDArray[np.uint8], alphas: tuple[Array, Array]
) -> None:
    faint = photo.copy()
    faint[:, :, 3] = 13  # a product of 0.05 passes for background
    data = encoded_image(".png", faint[:, :, :3], faint[:, :, 3])
    blurred = unit_pixels(cut_picture(predictor, data, CutOptions(background=Background())).image)
    behind = blurred_background(faint[:, :, :3], alphas[0])
    foreground = estimated_foreground(faint[:, :, :3], alphas[0])
    expected = composite(foreground, behind, predictor.alpha(faint))
    np.testing.assert_allclose(blurred, expected, atol=1.01 / 255)


def test_a_crop_and_a_subject_change_nothing_of_it(
    predictor: Predictor, photo: NDArray[np.uint8], alphas: tuple[Array, Array]
) -> None:
    network, own = alphas
    data = encoded_image(".png", photo[:, :, :3], photo[:, :, 3])
    picture = cut_picture(predictor, data, CutOptions(subject="largest", crop=Margin(0, False)))
    seen = np.s_[:, np.flatnonzero((network * own > 0.05).any(axis=0))[0] :]
    expected = estimated_foreground(photo[:, :, :3][seen], (network * (own > 0))[seen], bit_depth=8)
    np.testing.assert_array_equal(picture.image, expected)
    np.testing.assert_array_equal(picture.alpha, np.rint((network * own)[seen] * 255))


@pytest.mark.parametrize("beneath", [0, 255, None])
def test_a_cut_out_that_is_cut_again_keeps_its_colours(beneath: int | None) -> None:
    """Its edges are pure: taking the product for the mixture costs 3.6 to 8.7 levels, not 2."""
    predictor = animatte.load(device="cpu")
    first = predictor.cutout(PHOTO)
    again = first.copy()
    if beneath is not None:
        again[again[:, :, 3] == 0, :3] = beneath
    second = predictor.cutout(again)
    by_product = estimated_foreground(again[:, :, :3], predictor.alpha(again), bit_depth=8)
    soft = np.ones(first.shape[:2], np.bool_)
    for alpha in (first[:, :, 3], second[:, :, 3]):
        soft &= (alpha >= 25) & (alpha <= 230)
    errors = [
        np.abs(colours[soft].astype(int) - first[soft][:, :3]).mean()
        for colours in (second[:, :, :3], by_product)
    ]
    assert errors[0] < 0.6 * errors[1]
