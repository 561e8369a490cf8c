"""Checkpoints of our own: what was saved comes back, and every bad file gets one clear line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.torch_files import cut, with_bytes, written
from torch import Tensor

from animatte import checkpoint
from animatte.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from animatte.models.gfm import GFM, IntegratedGFM
from animatte.models.registry import GFMConfig, built_gfm, gfm_config
from animatte.models.state_dicts import weights

ROSTAS = ("TT", "FT", "BT", "RIM")


def filled(config: GFMConfig) -> GFM | IntegratedGFM:
    """A network none of whose tensors has its fresh value."""
    torch.manual_seed(1)
    network = built_gfm(config).eval()
    for value in weights(network).values():
        value.mul_(1 + 0.1 * torch.rand_like(value)).add_(0.001 * torch.rand_like(value))
    return network


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "slim.safetensors"
    config = gfm_config("animatte-s")
    save_checkpoint(path, filled(config), config, {"licence": "MIT"})
    return path


def rewritten(path: Path, saved: Path, metadata: object, **tensors: Tensor) -> Path:
    """A copy of a good checkpoint with other metadata and some other tensors."""
    with safe_open(saved, framework="pt") as file:
        names = file.keys()
        content = {name: file.get_tensor(name) for name in names} | tensors
    save_file(content, path, {"animatte": json.dumps(metadata)})
    return path


def metadata_of(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        values: dict[str, Any] = json.loads(file.metadata()["animatte"])
    return values


@pytest.mark.parametrize("rosta", ROSTAS)
def test_a_checkpoint_gives_back_the_network_and_its_configuration(
    rosta: str, tmp_path: Path
) -> None:
    config = gfm_config("animatte-s", rosta)
    network, path = filled(config), tmp_path / "a.safetensors"
    save_checkpoint(path, network, config)
    loaded, loaded_config = load_checkpoint(path)
    assert loaded_config == config
    assert not loaded.training
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        expected, predicted = network(image), loaded(image)
    assert 0.01 < expected.focus.mean() < 0.99
    assert torch.equal(predicted.focus, expected.focus)
    assert torch.equal(predicted.glance, expected.glance)
    assert torch.equal(predicted.alpha, expected.alpha)


def test_a_loaded_network_can_be_trained_on(saved: Path) -> None:
    network, _ = load_checkpoint(saved)
    network.train()
    network(torch.rand(2, 3, 32, 32)).focus.mean().backward()
    assert all(value.requires_grad for value in network.parameters())


def test_batch_norm_s_statistics_are_saved_and_its_step_counters_are_not(saved: Path) -> None:
    with safe_open(saved, framework="pt") as file:
        names = set(file.keys())
        assert file.metadata()["licence"] == "MIT"
    assert any(name.endswith("running_var") for name in names)
    assert not any("num_batches_tracked" in name for name in names)


def test_a_network_in_channels_last_order_is_saved(tmp_path: Path) -> None:
    config = gfm_config("animatte-s")
    network = filled(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    save_checkpoint(tmp_path / "a.safetensors", network, config)
    loaded, _ = load_checkpoint(tmp_path / "a.safetensors")
    for name, value in weights(network).items():
        assert torch.equal(weights(loaded)[name], value)


def test_saving_replaces_the_file_and_leaves_nothing_beside_it(saved: Path, tmp_path: Path) -> None:
    path = with_bytes(tmp_path / "a.safetensors", b"old")
    network, config = load_checkpoint(saved)
    save_checkpoint(path, network, config)
    assert load_checkpoint(path)[1] == config
    assert list(tmp_path.iterdir()) == [path]


def test_a_saved_file_can_be_read_by_whom_the_umask_lets(saved: Path, tmp_path: Path) -> None:
    plain = with_bytes(tmp_path / "plain", b"")
    assert saved.stat().st_mode == plain.stat().st_mode


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_tensors: object, part: Path, _metadata: object) -> None:
        part.write_bytes(b"half")
        raise OSError("No space left on device")

    path = with_bytes(tmp_path / "a.safetensors", b"old")
    network, config = load_checkpoint(saved)
    monkeypatch.setattr(checkpoint, "save_file", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, network, config)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_under_a_configuration_of_another_network_is_refused(
    saved: Path, tmp_path: Path
) -> None:
    network, config = load_checkpoint(saved)
    assert isinstance(config, GFMConfig)
    other = dataclasses.replace(config, bridge=(64, 64, 32))
    with pytest.raises(CheckpointError, match="the configuration describes another network: "):
        save_checkpoint(tmp_path / "a.safetensors", network, other)
    assert list(tmp_path.iterdir()) == []


def test_saving_into_a_folder_that_is_not_there_is_refused(saved: Path, tmp_path: Path) -> None:
    network, config = load_checkpoint(saved)
    with pytest.raises(CheckpointError, match="does not exist; create it first"):
        save_checkpoint(tmp_path / "none" / "a.safetensors", network, config)


def test_extra_metadata_may_not_take_the_configuration_s_place(saved: Path, tmp_path: Path) -> None:
    network, config = load_checkpoint(saved)
    with pytest.raises(CheckpointError, match="may not be called 'animatte'"):
        save_checkpoint(tmp_path / "a.safetensors", network, config, {"animatte": "x"})


BAD_FILES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "missing": (lambda f, s: f / "none.safetensors", "cannot be read: No such file"),
    "folder": (lambda f, s: f, "cannot be read: Is a directory"),
    "empty": (
        lambda f, s: with_bytes(f / "e.safetensors", b""),
        "expected a safetensors file, found an empty file",
    ),
    "torch": (
        lambda f, s: written(f / "t.safetensors", {"a": torch.zeros(3)}),
        r"expected a safetensors file, found a zip file \(torch's own format is one\)",
    ),
    "cut in the tensors": (
        lambda f, s: cut(with_bytes(f / "c.safetensors", s.read_bytes()), 0.9),
        "damaged or cut short",
    ),
    "cut in the header": (
        lambda f, s: with_bytes(f / "h.safetensors", s.read_bytes()[:200]),
        "damaged or cut short",
    ),
    "foreign safetensors": (
        lambda f, s: (save_file({"a": torch.zeros(3)}, f / "f.st"), f / "f.st")[1],
        "expected a checkpoint of animatte, found a safetensors file without 'animatte'",
    ),
    "no configuration": (
        lambda f, s: rewritten(f / "n.safetensors", s, "hello"),
        "its configuration cannot be read",
    ),
    "configuration with a field too few": (
        lambda f, s: rewritten(
            f / "w.safetensors", s, {"format": 1, "network": "gfm", "config": {"encoder": "r"}}
        ),
        "its configuration cannot be read: not a GFM configuration",
    ),
    "a later format": (
        lambda f, s: rewritten(f / "v.safetensors", s, metadata_of(s) | {"format": 2}),
        "expected a 'gfm' or 'lfm' network of format 1, found 'gfm', 2",
    ),
    "another kind of network": (
        lambda f, s: rewritten(f / "o.safetensors", s, metadata_of(s) | {"network": "unet"}),
        "expected a 'gfm' or 'lfm' network of format 1, found 'unet', 1",
    ),
    "unknown encoder": (
        lambda f, s: rewritten(f / "u.safetensors", s, changed_config(s, encoder="vgg16")),
        "its configuration builds no network: encoder 'vgg16' is unknown",
    ),
    "impossible width": (
        lambda f, s: rewritten(f / "i.safetensors", s, changed_config(s, context_channels=-4)),
        "its configuration builds no network",
    ),
    "another configuration": (
        lambda f, s: rewritten(f / "d.safetensors", s, changed_config(s, prior_channels=8)),
        r"the weights do not fit the configuration: .*'trunk\.context\.\S*' is .* instead of",
    ),
    "a tensor too many": (
        lambda f, s: rewritten(f / "m.safetensors", s, metadata_of(s), spare=torch.zeros(1)),
        r"the weights do not fit the configuration: 1 are unknown \(first 'spare'\)",
    ),
}


def changed_config(saved: Path, **fields: object) -> dict[str, Any]:
    values = metadata_of(saved)
    return {**values, "config": {**values["config"], **fields}}


@pytest.mark.parametrize("kind", list(BAD_FILES))
def test_a_bad_checkpoint_gets_one_clear_line(kind: str, saved: Path, tmp_path: Path) -> None:
    make, message = BAD_FILES[kind]
    path = make(tmp_path, saved)
    with pytest.raises(CheckpointError, match=message) as raised:
        load_checkpoint(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
