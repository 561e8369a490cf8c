"""Writing: exact round trips, what each format cannot hold, and whole files or none."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image, ImageCms

from animatte.images import (
    OUTPUT_SUFFIXES,
    ImageError,
    encoded_image,
    read_alpha,
    read_photo,
    write_alpha,
    write_image,
)

Depth = Literal[8, 16]
DEPTHS: list[Depth] = [8, 16]
SIDES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=80)


def pictures(depth: Depth) -> st.SearchStrategy[NDArray[Any]]:
    dtype = np.uint8 if depth == 8 else np.uint16
    return SIDES.flatmap(lambda size: arrays.arrays(dtype, (*size, 4)))


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", DEPTHS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_colour_and_alpha_come_back_exactly(suffix: str, depth: Depth, data: st.DataObject) -> None:
    pixels = data.draw(pictures(depth))
    encoded = encoded_image(suffix, pixels[:, :, :3], pixels[:, :, 3], bit_depth=depth)
    photo = read_photo(encoded)
    np.testing.assert_array_equal(photo.colour, pixels[:, :, :3])
    assert photo.alpha is not None
    np.testing.assert_array_equal(np.rint(photo.alpha * (2**depth - 1)), pixels[:, :, 3])


def test_webp_is_lossless_even_where_nothing_shows() -> None:
    pixels = (noise(20, 30, 4) * 255).astype(np.uint8)
    pixels[:10, :, 3] = 0
    photo = read_photo(encoded_image(".webp", pixels[:, :, :3], pixels[:, :, 3]))
    np.testing.assert_array_equal(photo.colour, pixels[:, :, :3])


def test_16_bit_files_read_the_same_in_opencv() -> None:
    pixels = (noise(70, 30, 4) * 65535).astype(np.uint16)
    for suffix in (".png", ".tif"):
        data = encoded_image(suffix, pixels[:, :, :3], pixels[:, :, 3], bit_depth=16)
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert read is not None
        np.testing.assert_array_equal(read[:, :, [2, 1, 0, 3]], pixels)


@pytest.mark.parametrize("depth", DEPTHS)
def test_tiff_marks_its_alpha_as_straight(depth: Depth) -> None:
    data = encoded_image(".tiff", noise(9, 7, 3), noise(9, 7), bit_depth=depth)
    tags: Any = getattr(Image.open(io.BytesIO(data)), "tag_v2")  # noqa: B009
    assert tags[338] == (2,)
    assert tags[258] == (depth,) * 4


@pytest.mark.parametrize("suffix", OUTPUT_SUFFIXES)
def test_every_suffix_is_written_in_its_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cat{suffix.upper()}"
    write_image(path, np.full((16, 16, 3), 0.5))
    assert np.abs(read_photo(path).image - 0.5).max() < 0.01
    with Image.open(path) as image:
        assert image.format == Image.registered_extensions()[suffix]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_profile_is_embedded(suffix: str) -> None:
    data = encoded_image(suffix, noise(8, 8, 3), icc_profile=srgb_profile())
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == srgb_profile()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_profile_is_embedded_beside_16_bits_and_alpha(suffix: str) -> None:
    data = encoded_image(
        suffix, noise(8, 8, 3), noise(8, 8), bit_depth=16, icc_profile=srgb_profile()
    )
    assert read_photo(data).icc_profile == srgb_profile()
    Image.open(io.BytesIO(data)).load()


def test_grey_image_with_alpha_becomes_rgb() -> None:
    photo = read_photo(encoded_image(".png", noise(8, 8), noise(8, 8)))
    np.testing.assert_array_equal(photo.colour[:, :, 0], photo.colour[:, :, 2])
    assert photo.alpha is not None


def test_levels_are_the_nearest() -> None:
    image = np.array([[0, 0.4999 / 255, 0.5001 / 255, 1]])
    np.testing.assert_array_equal(
        read_photo(encoded_image(".png", image)).colour[0, :, 0], [0, 0, 1, 255]
    )
    deep = np.array([[0, 128, 129, 65535]], np.uint16)
    np.testing.assert_array_equal(
        read_photo(encoded_image(".png", deep)).colour[0, :, 0], [0, 0, 1, 255]
    )
    shallow = np.array([[0, 1, 255]], np.uint8)
    wide = read_photo(encoded_image(".png", shallow, bit_depth=16))
    np.testing.assert_array_equal(wide.colour[0, :, 0], [0, 257, 65535])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_alpha_alone_comes_back(suffix: str, depth: Depth, tmp_path: Path) -> None:
    path = tmp_path / f"matte{suffix}"
    write_alpha(path, noise(9, 7), bit_depth=depth)
    np.testing.assert_allclose(read_alpha(path), noise(9, 7), atol=0.51 / (2**depth - 1))
    with Image.open(path) as image:
        assert image.mode in (("L",) if depth == 8 else ("I;16", "I"))  # "I" before Pillow 11


@pytest.mark.parametrize("suffix", [".webp", ".jpg"])
def test_alpha_alone_comes_back_from_8_bit_formats(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"matte{suffix}"
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    write_alpha(path, ramp)
    np.testing.assert_allclose(read_alpha(path), ramp, atol=0.03)


def test_quality_makes_smaller_files() -> None:
    image = noise(64, 64, 3)
    for suffix in (".jpg", ".webp"):
        assert len(encoded_image(suffix, image, quality=20)) < len(encoded_image(suffix, image))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cat.jpg", {"alpha": noise(8, 8)}, "cannot hold transparency.*--background"),
        ("cat.bmp", {"alpha": noise(8, 8)}, "cannot hold transparency"),
        ("cat.gif", {}, "suffix '.gif' names no format.*use .png"),
        ("cat", {}, "suffix '' names no format"),
        ("cat.webp", {"bit_depth": 16}, "holds 8 bits, not 16; write .png or .tif"),
        ("cat.png", {"bit_depth": 12}, "bit depth is 12; it must be 8 or 16"),
        ("cat.jpg", {"quality": 101}, "quality is 101"),
        ("cat.png", {"alpha": noise(8, 9)}, r"alpha has shape \(8, 9\), the image \(8, 8\)"),
        ("cat.png", {"alpha": noise(8, 8) * 255}, "alpha has float values.*divide"),
        ("nowhere/cat.png", {}, "nowhere does not exist; create it first"),
    ],
)
def test_impossible_wishes_are_refused(
    name: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=message):
        write_image(tmp_path / name, noise(8, 8, 3), **options)
    assert list(tmp_path.iterdir()) == []


def test_wrong_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"shape \(8, 8, 4\)"):
        write_image(tmp_path / "cat.png", noise(8, 8, 4))
    with pytest.raises(ImageError, match=r"alpha has shape \(8, 8, 1\)"):
        write_alpha(tmp_path / "cat.png", noise(8, 8, 1))
    with pytest.raises(ImageError, match=r"0.*both sides must be at least 1 pixel"):
        write_alpha(tmp_path / "cat.png", noise(0, 8))


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16384), (".jpg", 65501)])
def test_side_too_long_for_the_format_is_refused(suffix: str, side: int) -> None:
    with pytest.raises(ImageError, match="pixels a side: write"):
        encoded_image(suffix, np.zeros((1, side, 3), np.uint8))


def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ImageError, match=r"cat\.png cannot be written \(No space left on device\)"):
        write_image(path, noise(8, 8, 3))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"old" * 10000)
    write_image(path, np.zeros((4, 4, 3), np.uint8))
    assert read_photo(path).size == (4, 4)
    assert list(tmp_path.iterdir()) == [path]


def test_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.png").mkdir()
    with pytest.raises(ImageError, match=r"cat\.png cannot be written"):
        write_image(tmp_path / "cat.png", noise(8, 8, 3))
    assert len(list(tmp_path.iterdir())) == 1


def test_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    write_image(tmp_path / "cat.png", noise(8, 8, 3))
    assert (tmp_path / "cat.png").stat().st_mode == other.stat().st_mode


def test_where_every_file_has_a_name_from_the_start_writing_works_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    write_image(tmp_path / "a.png", np.zeros((3, 4, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert read_photo(tmp_path / "a.png").size == (3, 4)
