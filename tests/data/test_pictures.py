"""Decoding for training: the same pixels as with all care, only sooner."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from animatte.data.augmentation import View
from animatte.data.folders import Pair, Part
from animatte.data.pictures import PictureCache, Plane, decoded_alpha, decoded_image, header
from animatte.images import read_alpha, read_photo
from animatte.images.arrays import levels
from animatte.sample import Sample


def photo(height: int = 90, width: int = 120) -> Plane:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def saved(path: Path, turned: int = 1, profile: bool = False) -> Path:
    exif = Image.Exif()
    exif[0x0112] = turned
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if profile else None
    Image.fromarray(photo()).save(path, exif=exif, icc_profile=icc)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize(("turned", "profile"), [(1, False), (6, False), (1, True)])
def test_pictures_are_what_read_photo_sees(
    tmp_path: Path, suffix: str, turned: int, profile: bool
) -> None:
    path = saved(tmp_path / f"a{suffix}", turned, profile)
    expected = read_photo(path).image
    assert np.array_equal(decoded_image(path), levels(expected, 8))
    assert header(path).size == expected.shape[:2]


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA", "1"])
def test_alphas_are_what_read_alpha_reads(tmp_path: Path, mode: str) -> None:
    Image.fromarray(photo()).convert("L").convert(mode).save(tmp_path / "a.png")
    expected = levels(read_alpha(tmp_path / "a.png"), 8)
    assert np.array_equal(decoded_alpha(tmp_path / "a.png"), expected)


def test_a_shrinking_view_of_a_jpeg_is_the_view_of_the_whole_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(photo(360, 480)).save(path, quality=98, subsampling=0)
    upright = np.array([[-4.0, 0, 441.5], [0, 4, 41.5]])
    turned = np.array([[3.9, 0.8, 40.2], [-0.8, 3.9, 80.7]])
    for matrix in (upright, turned):
        view = View(matrix, (60, 90), 4.0)
        cache = PictureCache(10**8)
        found, expected = cache.seen(path, view), view.of(decoded_image(path))
        assert np.abs(found.astype(int) - expected)[4:-4, 4:-4].mean() < 1
        assert [plane.shape for plane in cache.planes.values()] == [(90, 120, 3)]


@pytest.mark.parametrize(("side", "part"), [(640, 2), (960, 2), (1080, 2), (1280, 4)])
def test_gfms_crops_of_a_jpeg_look_like_the_mean_of_all_their_pixels(
    tmp_path: Path, side: int, part: int
) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(photo(1280, 1440)).save(path, quality=95)
    scale = side / 320
    view = View(
        np.array([[scale, 0, scale / 2 + 7.5], [0, scale, scale / 2 - 0.5]]), (320,) * 2, scale
    )
    whole = decoded_image(path)[:side, 8 : 8 + side]
    expected = cv2.resize(whole, (320, 320), interpolation=cv2.INTER_AREA)
    cache = PictureCache(10**8)
    off = np.abs(cache.seen(path, view).astype(int) - expected)
    assert off.mean() < 0.7
    assert off.max() <= 12
    assert [plane.shape[0] for plane in cache.planes.values()] == [1280 // part]


@pytest.mark.parametrize("part", [1, 2, 8])
def test_a_jpeg_with_something_behind_its_end_is_decoded_all_the_same(
    tmp_path: Path, part: int
) -> None:
    path, plain = saved(tmp_path / "a.jpg"), saved(tmp_path / "plain.jpg")
    path.write_bytes(path.read_bytes() + b"a note")
    assert np.array_equal(decoded_image(path, part), decoded_image(plain, part))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_damage_is_named(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ValueError, match=rf"a\{suffix}"):
        decoded_image(path)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"a\.jpg is not an image"):
        PictureCache(0).seen(Pair(path, None), View.whole((90, 120)))


def test_the_cache_keeps_within_its_limit(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{number}.png") for number in range(4)]
    cache = PictureCache(2 * 90 * 120 * 3 + 10)
    for path in paths:
        cache.seen(path, View.whole((90, 120)))
    assert len(cache.planes) == 2
    Image.new("RGB", (120, 90)).save(paths[0])
    assert cache.seen(paths[0], View.whole((90, 120))).any()


class Odd(Pair):
    """A pair that does not read what lies at its path."""

    def read(self, *parts: Part) -> Sample:
        image = np.full((5, 5, 3), 7, np.uint8)
        return Sample("odd", image, image[..., 0])


def test_a_pair_that_reads_in_its_own_way_is_read_in_that_way(tmp_path: Path) -> None:
    cache = PictureCache(10**6)
    pair = Odd(tmp_path / "nowhere.png", tmp_path / "nowhere.png")
    assert (cache.seen(pair, View.whole((5, 5))) == 7).all()
    assert (cache.alpha(pair) == 7).all()
