"""Networks that torch runs, behind the same interface as ONNX Runtime's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animatte.checkpoint import load_checkpoint
from animatte.images.arrays import network_planes
from animatte.models.gfm import GFM
from animatte.models.late_fusion import LFM
from animatte.models.registry import MattingNetwork, is_published, network_kind

Array = NDArray[np.float32]

DEVICES = ("cuda", "mps", "cpu")


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Make torch's want of memory, whose class depends on the device, a MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if "memory" in str(error) and "alloc" in str(error):
            raise MemoryError("torch has no memory for a picture of this size") from error
        raise


class TorchNetwork:
    """A network that torch runs (`animatte.engine.Network`).

    Args:
        network: it is moved to the device and set to evaluation.
        device: "cuda", "mps", "cpu", or "auto" for the first of these that is there.
        name: what to call it.
        card: what was stored with its weights; to it comes whether it is of a paper's form.

    Raises:
        ValueError: if `device` cannot be had.
    """

    def __init__(
        self,
        network: MattingNetwork,
        device: str = "auto",
        name: str = "unnamed",
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.device = available_device(device)
        self.name = name
        self.card = {"published": is_published(network), **(card or {})}
        self.rosta = network_kind(network)
        self.stride = network.stride
        self._network = network.to(self.device).eval()

    @_memory_errors()
    @torch.inference_mode()
    def glance(self, image: Array) -> Array:
        """Return (C, H, W) class scores in [0, 1]; the focus decoder rests."""
        return _array(self._single().glance(self._batch(image))[0])

    @_memory_errors()
    @torch.inference_mode()
    def focus(self, image: Array) -> Array:
        """Return (H, W) focus in [0, 1]; the glance decoder rests."""
        return _array(self._single().focus(self._batch(image))[0, 0])

    @_memory_errors()
    @torch.inference_mode()
    def glance_and_focus(self, image: Array) -> tuple[Array, Array]:
        """Return both of one forward."""
        output = self._single()(self._batch(image))
        return _array(output.glance[0]), _array(output.focus[0, 0])

    @_memory_errors()
    @torch.inference_mode()
    def alpha(self, image: Array) -> Array:
        """Return (H, W) alpha, not clipped; of a network that merges by itself."""
        assert not isinstance(self._network, GFM), "glance and focus are to be merged"
        return _array(self._network(self._batch(image)).alpha[0, 0])

    @_memory_errors()
    @torch.inference_mode()
    def branches(self, image: Array) -> tuple[Array, Array]:
        """Return the foreground's and the background's (H, W) probability, of LFM."""
        assert isinstance(self._network, LFM), "only late fusion has two branches"
        output = self._network(self._batch(image))
        return _array(output.foreground[0, 0]), _array(output.background[0, 0])

    def _single(self) -> GFM:
        assert isinstance(self._network, GFM), "a network that merges by itself gives alpha alone"
        return self._network

    def _batch(self, image: Array) -> Tensor:
        planes = network_planes(image, self.stride)
        return torch.from_numpy(planes).to(self.device)


def _array(values: Tensor) -> Array:
    array: Array = values.cpu().numpy()
    return array


def available_device(device: str) -> str:
    """Return the device that "auto" stands for, or `device` itself if it is there.

    Raises:
        ValueError: if it is not.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    available = [name for name in DEVICES if there.get(name, True)]
    if device == "auto":
        return available[0]
    if device not in DEVICES:
        raise ValueError(f"device {device!r} is unknown; choose one of auto, {', '.join(DEVICES)}")
    if device not in available:
        raise ValueError(
            f"device {device!r} is not available: this torch does not see one; available: "
            f"{', '.join(available)}; to mend it: pip install a torch built for it (pytorch.org)"
        )
    return device


def load_torch_network(path: str | PathLike[str], device: str = "auto") -> TorchNetwork:
    """Load a checkpoint (`animatte.checkpoint`) to be run by torch.

    Raises:
        ValueError: if it is no checkpoint, or `device` cannot be had.
    """
    network, _ = load_checkpoint(Path(path))
    return TorchNetwork(network, device, Path(path).stem)
