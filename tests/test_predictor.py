from __future__ import annotations

import inspect
import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.conftest import CHECKPOINTS

import animatte
from animatte import predictor as predictor_module
from animatte.catalogue import DEFAULT_MODEL, EXAMPLE
from animatte.foregrounds import estimated_foreground
from animatte.images import ImageError, photo_from_array
from animatte.looks import Aspect, Looks
from animatte.onnx_file import model_card, with_card
from animatte.predictor import Predictor, load
from animatte.refining import named_refinement
from animatte.strategies import STRATEGIES, default_strategy, named_strategy, views
from animatte.trimap import trimap_around

if TYPE_CHECKING:
    from animatte.models.gfm import GFM

HEIGHT, WIDTH = 90, 140


@pytest.fixture(scope="module")
def predictor(tiny_model: Path) -> Predictor:
    return load(tiny_model, device="cpu", strategy=views(glance=96, focus=160))


@pytest.fixture(scope="module")
def colours() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    planes = [rows * 2, columns, 127 + 120 * np.sin(rows / 9 + columns / 7)]
    return np.stack(planes, axis=2).astype(np.uint8)


def test_alpha_has_the_picture_s_size_and_range(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    alpha = predictor.alpha(colours)
    assert alpha.shape == (HEIGHT, WIDTH)
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() < alpha.max() <= 1
    assert alpha.std() > 0.01  # the untrained network still sees something


def test_every_kind_of_picture_gives_the_same(
    predictor: Predictor, colours: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "cat.png"
    Image.fromarray(colours).save(path)
    pictures: list[Any] = [
        path,
        str(path),
        Image.open(path),
        photo_from_array(colours),
        colours.astype(np.uint16) * 257,
        colours.astype(np.float32) / 255,
        np.dstack([colours, np.full((HEIGHT, WIDTH), 255, np.uint8)]),
    ]
    expected = predictor.alpha(colours)
    for picture in pictures:
        np.testing.assert_allclose(predictor.alpha(picture), expected, atol=1e-4)


def test_a_grey_picture_is_one_of_three_equal_channels(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    grey = colours[:, :, 0]
    np.testing.assert_array_equal(
        predictor.alpha(grey), predictor.alpha(np.repeat(grey[:, :, None], 3, axis=2))
    )


def test_the_picture_s_own_alpha_multiplies_the_result(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    own = np.zeros((HEIGHT, WIDTH), np.uint8)
    own[:, 50:] = 51
    alpha = predictor.alpha(np.dstack([colours, own]))
    np.testing.assert_allclose(alpha, predictor.alpha(colours) * (own / 255), atol=1e-6)
    assert predictor.cutout(np.dstack([colours, own]))[:, :50, 3].max() == 0


def test_a_cutout_holds_alpha_and_estimated_colours(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    cutout = predictor.cutout(colours)
    assert cutout.shape == (HEIGHT, WIDTH, 4)
    assert cutout.dtype == np.uint8
    alpha = predictor.alpha(colours)
    np.testing.assert_array_equal(cutout[:, :, 3], np.rint(alpha * 255))
    foreground = estimated_foreground((colours / np.float32(255)).astype(np.float32), alpha)
    assert np.abs(cutout[:, :, :3] - foreground * 255).max() < 0.51


def test_looks_are_taken_and_told(tiny_model: Path, colours: NDArray[np.uint8]) -> None:
    plain = load(tiny_model, "cpu")
    turning = load(tiny_model, "cpu", looks=Looks(straighten=90))
    matte = turning.matte(colours)
    assert matte.as_dict() == {"turned": 90, "zoomed": [], "aspect": None}
    expected = np.rot90(plain.alpha(np.rot90(colours)), -1)
    np.testing.assert_array_equal(matte.alpha, expected)
    np.testing.assert_array_equal(turning.cutout(colours)[:, :, 3], np.rint(expected * 255))
    assert plain.matte(colours).as_dict()["turned"] == 0


def test_integration_is_straightened_and_zoomed_too(
    tiny_rim_model: Path, colours: NDArray[np.uint8]
) -> None:
    predictor = load(tiny_rim_model, "cpu", looks=Looks("always", "always", Aspect(1, 1)))
    assert predictor.alpha(colours).shape == (HEIGHT, WIDTH)


def test_predicting_changes_neither_the_picture_nor_the_next_result(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    picture = colours.astype(np.float32) / 255
    before = picture.copy()
    first = predictor.alpha(picture)
    second = predictor.alpha(picture)
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 300), (200, 31)])
def test_small_and_thin_pictures_work(predictor: Predictor, size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 90, np.uint8)
    assert predictor.alpha(picture).shape == size
    assert predictor.cutout(picture).shape == (*size, 4)


@pytest.mark.parametrize("strategy", ["view", "resize", "hybrid"])
def test_torch_and_onnx_runtime_agree_through_the_whole(
    tiny_model: Path, tiny_network: GFM, colours: NDArray[np.uint8], strategy: str
) -> None:
    """Except where labels tie: there rounding decides between 0, 1 and the focus."""
    from animatte.torch_engine import TorchNetwork  # noqa: PLC0415

    by_torch = Predictor(TorchNetwork(tiny_network, "cpu"), named_strategy(strategy))
    large = np.kron(colours, np.ones((3, 3, 1), np.uint8))
    difference = np.abs(load(tiny_model, "cpu", strategy).alpha(large) - by_torch.alpha(large))
    assert np.quantile(difference, 0.98) < 0.02
    assert difference.mean() < 0.01


def test_what_it_is_can_be_asked(predictor: Predictor) -> None:
    assert (predictor.name, predictor.device) == ("tiny", "cpu")
    assert str(predictor.strategy) == "view"


def test_the_stored_strategy_is_used_unless_another_is_asked_for(
    tiny_model: Path, tmp_path: Path
) -> None:
    card = {**model_card(tiny_model), "strategy": STRATEGIES["hybrid"].as_dict()}
    model = tmp_path / "hybrid.onnx"
    model.write_bytes(with_card(tiny_model.read_bytes(), card))
    assert load(model, "cpu").strategy == STRATEGIES["hybrid"]
    assert load(model, "cpu", "resize").strategy == STRATEGIES["resize"]
    with pytest.raises(ValueError, match="strategy 'best' is unknown"):
        load(model, "cpu", "best")


@pytest.mark.parametrize(("name", "expected"), [("animatte-s", "view"), ("r34", "hybrid")])
def test_a_checkpoint_is_shown_photos_as_it_was_trained_on_them(
    name: str, expected: str, tmp_path: Path
) -> None:
    from animatte.checkpoint import save_checkpoint  # noqa: PLC0415
    from animatte.models.registry import built_network, network_config  # noqa: PLC0415

    config = network_config(name)
    save_checkpoint(tmp_path / "a.safetensors", built_network(config), config)
    assert str(load(tmp_path / "a.safetensors", "cpu").strategy) == expected


def test_integration_works_from_end_to_end(
    tiny_rim_model: Path, colours: NDArray[np.uint8]
) -> None:
    integrated = load(tiny_rim_model, "cpu")
    assert integrated.strategy == default_strategy("RIM", published=False)
    alpha = integrated.alpha(colours)
    assert alpha.shape == (HEIGHT, WIDTH)
    assert 0 <= alpha.min() <= alpha.max() <= 1


@pytest.mark.parametrize("name", ["guided", "closed-form"])
def test_a_refinement_follows_the_network_and_the_picture_s_own_alpha_comes_last(
    tiny_model: Path, predictor: Predictor, colours: NDArray[np.uint8], name: str
) -> None:
    refining = load(tiny_model, "cpu", predictor.strategy, name)
    image = (colours / np.float32(255)).astype(np.float32)
    expected = named_refinement(name)(predictor.alpha(colours), image)
    np.testing.assert_allclose(refining.alpha(colours), expected, atol=1e-5)
    half = np.dstack([colours, np.full((HEIGHT, WIDTH), 51, np.uint8)])
    np.testing.assert_allclose(refining.alpha(half), expected / 5, atol=1e-5)


def test_an_unknown_refinement_is_refused_when_loading(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="'magic' is unknown; choose one of guided, closed-form"):
        load(tiny_model, "cpu", refine="magic")


def test_a_trimap_is_taken_around_the_alpha(
    predictor: Predictor, colours: NDArray[np.uint8]
) -> None:
    alpha = predictor.alpha(colours)
    np.testing.assert_array_equal(predictor.trimap(colours), trimap_around(alpha, 3))
    np.testing.assert_array_equal(predictor.trimap(colours, 0), trimap_around(alpha, 0))
    with pytest.raises(ValueError, match="radius is -1"):
        predictor.trimap(colours, -1)


def test_what_is_no_picture_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        predictor.alpha(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="at least 1 pixel"):
        predictor.alpha(np.zeros((0, 5, 3), np.uint8))
    with pytest.raises(ImageError, match="shape"):
        predictor.cutout(np.zeros((5, 5, 2), np.uint8))


def test_the_package_s_load_is_the_predictor_s() -> None:
    assert inspect.signature(animatte.load) == inspect.signature(predictor_module.load)


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, animatte; print(sorted({'cv2', 'numpy', 'PIL'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_the_shipped_default_cuts(colours: NDArray[np.uint8]) -> None:
    predictor = animatte.load(device="cpu")
    assert predictor.name == DEFAULT_MODEL
    stream = io.BytesIO()
    Image.fromarray(predictor.cutout(colours)).save(stream, "PNG")
    assert predictor.alpha(colours).shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize("name", ["animatte-s", "animatte-m"])
def test_a_checkpoint_in_the_repository_finds_the_cat_that_the_default_finds(name: str) -> None:
    expected = animatte.load(device="cpu").alpha(EXAMPLE) > 0.5
    found = load(CHECKPOINTS / f"{name}.safetensors", "cpu").alpha(EXAMPLE) > 0.5
    assert 0.2 < expected.mean() < 0.9
    assert (found & expected).sum() > 0.9 * (found | expected).sum()
