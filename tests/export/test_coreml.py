"""Core ML packages, as far as they can be known off a Mac: read back and followed in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.conftest import lively_network
from torch import Tensor
from torch.nn import functional

from animatte.models.layers import spreading_matrix
from animatte.models.registry import MattingNetwork

ct = pytest.importorskip("coremltools")

from coremltools.converters.mil.frontend.milproto.load import load as read_program  # noqa: E402

from animatte.export import coreml as export  # noqa: E402
from animatte.export import coreml_check  # noqa: E402
from animatte.export.coreml_run import program_output  # noqa: E402

TWO_SIZES = ((64, 96), (128, 64))


def package_output(path: Path, image: Tensor) -> Tensor:
    """Alpha in [0, 1] of RGB in [0, 1], by the package's own program."""
    model = ct.models.MLModel(str(path), skip_model_load=True)
    spec = model.get_spec()
    program = read_program(spec, spec.specificationVersion, model.weights_dir)
    return program_output(program, image * 255) / 255


def picture(height: int, width: int) -> Tensor:
    coarse = torch.rand(1, 3, 5, 7, generator=torch.Generator().manual_seed(3))
    return functional.interpolate(coarse, (height, width), mode="bilinear")


def tiny(kind: str) -> MattingNetwork:
    """A small network, not trained, whose outputs vary."""
    return lively_network("lfm-s") if kind == "lfm-s" else lively_network("tiny", kind)


@pytest.mark.parametrize("kind", ["TT", "BT", "RIM", "lfm-s"])
def test_every_network_becomes_a_package_that_computes_the_same(kind: str, tmp_path: Path) -> None:
    network = tiny(kind)
    path = tmp_path / "Cat.mlpackage"
    report = export.export_coreml(network, path, card={}, sizes=[(64, 96)])
    assert 0 < report.weights < coreml_check.HALF_TOLERANCE
    assert report.program < 1e-4 < coreml_check.PROGRAM_TOLERANCE
    assert 0 < report.rounding < coreml_check.ROUNDING_TOLERANCE
    image = picture(64, 96)
    with torch.inference_mode():
        expected = network(image).alpha.clamp(0, 1)
    assert (package_output(path, image) - expected).abs().mean() < coreml_check.ROUNDING_TOLERANCE
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    return tiny("FT")


@pytest.fixture(scope="module")
def of_two_sizes(network: MattingNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "Cat.mlpackage"
    report = export.export_coreml(network, path, card={}, sizes=TWO_SIZES, quantization="8bit")
    assert coreml_check.HALF_TOLERANCE < report.weights < coreml_check.BYTE_TOLERANCE
    assert report.operations["conv"] > 20
    return path


@pytest.mark.parametrize("size", TWO_SIZES)
def test_sizes_may_be_listed_and_weights_be_bytes(
    network: MattingNetwork, of_two_sizes: Path, size: tuple[int, int]
) -> None:
    image = picture(*size)
    with torch.inference_mode():
        expected = network(image).alpha
    actual = package_output(of_two_sizes, image)
    assert expected.std() > 0.02  # or the comparison would say nothing
    assert (actual - expected).abs().mean() < coreml_check.ROUNDING_TOLERANCE


def test_the_package_asks_for_a_picture_and_gives_one(of_two_sizes: Path) -> None:
    spec = ct.models.MLModel(str(of_two_sizes), skip_model_load=True).get_spec()
    (image,), (alpha,) = spec.description.input, spec.description.output
    colours = ct.proto.FeatureTypes_pb2.ImageFeatureType
    assert spec.specificationVersion == 7  # iOS 16
    assert (image.name, image.type.imageType.colorSpace) == ("image", colours.RGB)
    assert (alpha.name, alpha.type.imageType.colorSpace) == ("alpha", colours.GRAYSCALE)
    sizes = image.type.imageType.enumeratedSizes.sizes
    assert sorted((size.height, size.width) for size in sizes) == sorted(TWO_SIZES)


def test_weights_in_bytes_are_a_byte_each(network: MattingNetwork, of_two_sizes: Path) -> None:
    weights = sum(each.numel() for each in network.parameters())
    stored = sum(file.stat().st_size for file in of_two_sizes.rglob("*") if file.is_file())
    assert weights < stored < 1.7 * weights  # float16 would be twice


def test_a_package_that_holds_other_weights_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, path = tiny("FT"), tmp_path / "Cat.mlpackage"
    path.mkdir()
    (path / "Manifest.json").write_text("the one before")
    honest = export._converted
    weight = next(network.parameters())

    def of_a_changed_network(program: Any, sizes: Any) -> Any:
        with torch.no_grad():
            weight.view(-1)[0] += 1
            model = honest(program, sizes)
            weight.view(-1)[0] -= 1
        return model

    monkeypatch.setattr(export, "_converted", of_a_changed_network)
    with pytest.raises(ValueError, match="Core ML weights differs from torch"):
        export.export_coreml(network, path, card={}, sizes=[(64, 64)])
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "Manifest.json").read_text() == "the one before"


def test_a_program_that_computes_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = program_output
    monkeypatch.setattr(coreml_check, "program_output", lambda *given: 255 - honest(*given))
    with pytest.raises(ValueError, match="Core ML program differs from torch"):
        export.export_coreml(tiny("FT"), tmp_path / "Cat.mlpackage", card={}, sizes=[(64, 96)])
    assert list(tmp_path.iterdir()) == []


def test_exporting_leaves_the_training_mode_as_it_was(tmp_path: Path) -> None:
    network = lively_network()
    network.train()
    with pytest.raises(ValueError, match="multiples of 32"):
        export.export_coreml(network, tmp_path / "Cat.mlpackage", card={}, sizes=[(64, 65)])
    assert network.training


@pytest.mark.parametrize("side", [1, 3, 5])
def test_spreading_by_matrices_is_bilinear_enlarging(side: int) -> None:
    grid = torch.rand(2, 3, side, side, dtype=torch.float64)
    for height, width in [(2, 5), (13, 28), (4, 50)]:
        rows, columns = (spreading_matrix(each, side, grid) for each in (height, width))
        expected = functional.interpolate(
            grid, (height, width), mode="bilinear", align_corners=True
        )
        torch.testing.assert_close(rows @ grid @ columns.transpose(0, 1), expected)
