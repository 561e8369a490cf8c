"""Cutting with a stand-in for the network: what is written, in which colours, how deep."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from animatte.backgrounds import Background, parsed_background
from animatte.batch import CutFailure, cut_photos
from animatte.cutting import CutOptions, CutReport, cut_photo
from animatte.images import ImageError, Photo, read_photo
from animatte.looks import Matte
from animatte.outputs import FORMATS
from animatte.trimap import trimap_around

SUBJECT = np.array([220, 140, 40], np.float32)
BEHIND = np.array([20, 60, 200], np.float32)
SIZE = (48, 64)


def disc() -> NDArray[np.float32]:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    distance = np.hypot(rows - SIZE[0] / 2, columns - SIZE[1] / 2)
    return np.asarray(np.clip((20 - distance) / 6, 0, 1), np.float32)


class DiscPredictor:
    """Finds a disc in whatever it is shown."""

    def matte(self, image: Photo, /) -> Matte:
        own = np.float32(1) if image.alpha is None else image.alpha
        return Matte(disc() * own)

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        return trimap_around(self.matte(image).alpha, 4)


class BlindPredictor:
    def matte(self, image: Photo, /) -> Matte:
        return Matte(np.zeros(image.size, np.float32))

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        return np.zeros(image.size, np.uint8)


class BrokenPredictor:
    def matte(self, image: Photo, /) -> Matte:
        raise RuntimeError("out of memory on device")

    def trimap(self, image: Photo, /, *, found: Matte | None = None) -> NDArray[np.uint8]:
        raise RuntimeError("out of memory on device")


def mixed() -> NDArray[np.float32]:
    alpha = disc()[:, :, None]
    return alpha * SUBJECT + (1 - alpha) * BEHIND


@cache
def wide_profile() -> bytes:
    """An RGB profile that is plainly not sRGB: sRGB with red and blue exchanged.

    Kept, since a profile holds the second in which it was made.
    """
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "dog.png"
    Image.fromarray(mixed().round().astype(np.uint8)).save(path)
    return path


@pytest.fixture
def deep_photo(tmp_path: Path) -> Path:
    path = tmp_path / "deep.png"
    deep = (mixed() * 257).round().astype(np.uint16)
    assert cv2.imwrite(str(path), np.ascontiguousarray(deep[:, :, ::-1]))
    return path


def test_a_cutout_has_the_alpha_predicted_and_the_photo_colours_inside(
    photo: Path, tmp_path: Path
) -> None:
    report = cut_photo(DiscPredictor(), photo, tmp_path / "out.png", CutOptions())
    written = np.asarray(Image.open(report.output))
    assert written.shape == (*SIZE, 4)
    np.testing.assert_array_equal(written[:, :, 3], (disc() * 255).round())
    inside = disc() == 1
    np.testing.assert_array_equal(written[inside][:, :3], np.asarray(Image.open(photo))[inside])
    assert not report.is_empty


@pytest.mark.parametrize(("name", "widened"), [("png", 1), ("png16", 257)])
def test_a_trimap_is_written_as_it_is(photo: Path, tmp_path: Path, name: str, widened: int) -> None:
    options = CutOptions(trimap=True, output_format=FORMATS[name])
    report = cut_photo(DiscPredictor(), photo, tmp_path / "out.png", options)
    written = np.asarray(Image.open(report.output))
    np.testing.assert_array_equal(written, trimap_around(disc(), 4).astype(int) * widened)
    assert options.kind == "trimap"
    assert not report.is_empty
    assert cut_photo(BlindPredictor(), photo, tmp_path / "none.png", options).is_empty


def test_the_old_background_is_gone_from_the_edge(photo: Path, tmp_path: Path) -> None:
    cut_photo(DiscPredictor(), photo, tmp_path / "out.png", CutOptions())
    written = np.asarray(Image.open(tmp_path / "out.png")).astype(np.float32)
    edge = (disc() > 0.3) & (disc() < 0.9)
    assert np.abs(written[edge][:, :3] - SUBJECT).max() < 25
    assert np.abs(mixed()[edge] - SUBJECT).max() > 90


@pytest.mark.parametrize(
    ("name", "kind", "bits"),
    [("png", "PNG", 8), ("webp", "WEBP", 8), ("png16", "PNG", 16), ("tiff16", "TIFF", 16)],
)
def test_formats_and_depths(
    deep_photo: Path, tmp_path: Path, name: str, kind: str, bits: int
) -> None:
    output = tmp_path / f"out{FORMATS[name].suffixes[0]}"
    cut_photo(DiscPredictor(), deep_photo, output, CutOptions(output_format=FORMATS[name]))
    with Image.open(output) as image:
        assert image.format == kind
    written = read_photo(output)
    assert written.colour.dtype == np.dtype(f"uint{bits}")
    assert written.alpha is not None
    np.testing.assert_allclose(written.alpha, disc(), atol=0.5 / (2**bits - 1) + 1e-6)


@pytest.mark.parametrize("name", ["png16", "tiff16"])
def test_sixteen_bits_come_out_as_they_went_in(deep_photo: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / f"out{FORMATS[name].suffixes[0]}"
    cut_photo(DiscPredictor(), deep_photo, output, CutOptions(output_format=FORMATS[name]))
    inside = disc() == 1
    before, after = read_photo(deep_photo).colour, read_photo(output).colour
    np.testing.assert_array_equal(after[inside], before[inside])


def test_the_photo_s_own_alpha_multiplies_the_result_once(tmp_path: Path) -> None:
    own = np.full(SIZE, 128, np.uint8)
    rgba = np.dstack([mixed().round().astype(np.uint8), own])
    Image.fromarray(rgba).save(tmp_path / "dog.png")
    cut_photo(DiscPredictor(), tmp_path / "dog.png", tmp_path / "out.png", CutOptions(matte=True))
    written = np.asarray(Image.open(tmp_path / "out.png"))
    np.testing.assert_allclose(written, disc() * 128, atol=0.51)


@pytest.mark.parametrize("name", ["png", "webp", "png16", "tiff16"])
def test_the_profile_and_the_numbers_of_the_photo_are_kept(tmp_path: Path, name: str) -> None:
    photo, output = tmp_path / "dog.png", tmp_path / f"out{FORMATS[name].suffixes[0]}"
    Image.fromarray(mixed().round().astype(np.uint8)).save(photo, icc_profile=wide_profile())
    assert read_photo(photo).icc_profile == wide_profile()
    cut_photo(DiscPredictor(), photo, output, CutOptions(output_format=FORMATS[name]))
    with Image.open(output) as image:
        assert image.info["icc_profile"] == wide_profile()
        written = np.asarray(image.convert("RGBA"))
    np.testing.assert_array_equal(written[24, 32, :3], SUBJECT)


def test_a_blurred_background_keeps_the_profile_too(tmp_path: Path) -> None:
    Image.fromarray(mixed().round().astype(np.uint8)).save(
        tmp_path / "dog.png", icc_profile=wide_profile()
    )
    options = CutOptions(background=Background())
    cut_photo(DiscPredictor(), tmp_path / "dog.png", tmp_path / "out.png", options)
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == wide_profile()
        np.testing.assert_array_equal(np.asarray(image)[24, 32], SUBJECT)


def test_on_a_colour_the_result_is_srgb(tmp_path: Path) -> None:
    Image.fromarray(mixed().round().astype(np.uint8)).save(
        tmp_path / "dog.png", icc_profile=wide_profile()
    )
    options = CutOptions(background=parsed_background("#102030"))
    cut_photo(DiscPredictor(), tmp_path / "dog.png", tmp_path / "out.png", options)
    with Image.open(tmp_path / "out.png") as image:
        assert "icc_profile" not in image.info
        written = np.asarray(image)
    np.testing.assert_array_equal(written[0, 0], [0x10, 0x20, 0x30])
    expected = ImageCms.profileToProfile(
        Image.new("RGB", (1, 1), (220, 140, 40)),
        ImageCms.ImageCmsProfile(BytesIO(wide_profile())),
        ImageCms.createProfile("sRGB"),
    )
    assert expected is not None
    np.testing.assert_allclose(written[24, 32], np.asarray(expected)[0, 0], atol=2)


def test_a_matte_is_the_alpha_in_grey(photo: Path, tmp_path: Path) -> None:
    options = CutOptions(matte=True, output_format=FORMATS["png16"])
    cut_photo(DiscPredictor(), photo, tmp_path / "out.png", options)
    written = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert written is not None
    np.testing.assert_array_equal(written, (disc() * 65535).round())


def test_on_a_colour_the_edge_mixes_subject_and_colour(photo: Path, tmp_path: Path) -> None:
    options = CutOptions(background=parsed_background("white"))
    cut_photo(DiscPredictor(), photo, tmp_path / "out.png", options)
    written = np.asarray(Image.open(tmp_path / "out.png")).astype(np.float32)
    alpha = disc()[:, :, None]
    assert written.shape == (*SIZE, 3)
    np.testing.assert_allclose(written, alpha * SUBJECT + (1 - alpha) * 255, atol=30)
    np.testing.assert_array_equal(written[0, 0], [255, 255, 255])


def test_a_picture_of_any_size_becomes_the_background(photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 20), (9, 99, 19)).save(tmp_path / "lawn.png")
    options = CutOptions(background=parsed_background(str(tmp_path / "lawn.png")))
    cut_photo(DiscPredictor(), photo, tmp_path / "out.png", options)
    written = np.asarray(Image.open(tmp_path / "out.png"))
    np.testing.assert_allclose(written[0, 0], [9, 99, 19], atol=1)
    np.testing.assert_array_equal(written[24, 32], SUBJECT)


def test_a_jpg_goes_with_a_background_only(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jpg cannot hold transparency"):
        CutOptions(output_format=FORMATS["jpg"])
    with pytest.raises(ValueError, match="jpg cannot hold transparency, and blurs a matte"):
        CutOptions(matte=True, output_format=FORMATS["jpg"])
    options = CutOptions(background=Background(), output_format=FORMATS["jpg"])
    cut_photo(DiscPredictor(), photo, tmp_path / "out.jpg", options)
    with Image.open(tmp_path / "out.jpg") as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")


def test_matte_and_background_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="choose one"):
        CutOptions(matte=True, background=Background())


@pytest.mark.parametrize("text", ["blur", "BLUR"])
def test_blur_is_a_background(text: str) -> None:
    assert parsed_background(text).is_blur


def test_a_background_that_is_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'beach' is neither blur, nor a colour, nor a file"):
        parsed_background("beach")


def test_a_background_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("not a picture")
    with pytest.raises(ImageError, match=r"notes\.jpg"):
        parsed_background(str(tmp_path / "notes.jpg"))


def test_folders_for_the_result_are_made(photo: Path, tmp_path: Path) -> None:
    output = tmp_path / "a" / "b" / "out.png"
    assert cut_photo(DiscPredictor(), photo, output, CutOptions()).output == output
    assert output.is_file()


def test_an_earlier_result_is_replaced(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out.png").write_text("old")
    cut_photo(DiscPredictor(), photo, tmp_path / "out.png", CutOptions())
    assert np.asarray(Image.open(tmp_path / "out.png")).shape == (*SIZE, 4)


def test_a_photo_without_subject_is_said_to_be_empty(photo: Path, tmp_path: Path) -> None:
    assert cut_photo(BlindPredictor(), photo, tmp_path / "out.png", CutOptions()).is_empty


def test_a_photo_over_the_limit_is_refused_and_nothing_written(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="--max-pixels"):
        cut_photo(DiscPredictor(), photo, tmp_path / "out.png", CutOptions(max_pixels=100))
    assert not (tmp_path / "out.png").exists()


def _truncated(path: Path) -> None:
    Image.fromarray(mixed().round().astype(np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:200])


def _text(path: Path) -> None:
    path.write_text("not a picture")


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.touch()


def _nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("spoil", [_truncated, _text, _folder, _empty, _nothing])
def test_a_bad_file_does_not_stop_the_rest(
    photo: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    bad = tmp_path / "bad.png"
    spoil(bad)
    outputs = [tmp_path / "out" / name for name in ("1.png", "2.png", "3.png")]
    results = list(cut_photos(DiscPredictor(), [photo, bad, photo], outputs, CutOptions()))
    assert [type(result) for result in results] == [CutReport, CutFailure, CutReport]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.png", "3.png"]


def test_what_nobody_expected_is_a_failure_of_that_photo_too(photo: Path, tmp_path: Path) -> None:
    (result,) = cut_photos(BrokenPredictor(), [photo], [tmp_path / "out.png"], CutOptions())
    assert isinstance(result, CutFailure)
    assert isinstance(result.error, RuntimeError)
    assert not (tmp_path / "out.png").exists()


def test_a_result_that_cannot_be_written_leaves_nothing(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "out.png"
    (result,) = cut_photos(DiscPredictor(), [photo], [output], CutOptions())
    assert isinstance(result, CutFailure)
    assert f"folder {output.parent} cannot be made" in str(result.error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dog.png", "file"]
