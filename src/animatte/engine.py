"""Networks behind one interface, whatever runs them: arrays in, arrays out."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from animatte.catalogue import DEFAULT_MODEL, shipped_models
from animatte.images.arrays import network_planes, size_text
from animatte.onnx_file import file_bytes, model_card, subgraph
from animatte.providers import PROVIDERS, devices_to_try, unavailable

Array = NDArray[np.float32]

# Networks that merge by themselves, and what they give.
WHOLE_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "RIM": ("alpha",),
    "LFM": ("alpha", "foreground", "background"),
}
# ONNX Runtime's errors have no common base but Exception.
_ORT_ERRORS = (
    RuntimeError,
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
# Starting a session redirects the output of the whole process for a moment: one thread at a time,
# or the last to put it back would leave it redirected.
_starting = Lock()


class Network(Protocol):
    """A matting network that is ready to run.

    Images are (H, W, 3) float32 RGB in [0, 1], both sides divisible by `stride`. Results are
    fresh arrays, the caller's to change.
    """

    @property
    def name(self) -> str:
        """What the model is called."""

    @property
    def rosta(self) -> str:
        """How its glance and focus merge: "TT", "FT", "BT"; "RIM" and "LFM" do it themselves."""

    @property
    def stride(self) -> int:
        """What both sides of an image must be divisible by."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def card(self) -> Mapping[str, Any]:
        """What is stored with the weights; may be empty."""

    def glance(self, image: Array) -> Array:
        """Return (C, H, W) class scores in [0, 1]; the focus decoder rests."""

    def focus(self, image: Array) -> Array:
        """Return (H, W) focus in [0, 1]; the glance decoder rests."""

    def glance_and_focus(self, image: Array) -> tuple[Array, Array]:
        """Return both of one forward."""

    def alpha(self, image: Array) -> Array:
        """Return (H, W) alpha, not clipped; of a network that merges by itself."""

    def branches(self, image: Array) -> tuple[Array, Array]:
        """Return the foreground's and the background's (H, W) probability, of LFM."""


class OnnxNetwork:
    """A network that ONNX Runtime runs; each output has a session of what it needs, on first use.

    Args:
        source: an ONNX file that animatte wrote, or its content.
        device: a key of `PROVIDERS`, or "auto" for the best that works; see `device`.
        threads: CPU threads; None for one a core.

    Raises:
        ValueError: if it is another kind of file, or `device` cannot be had.
    """

    def __init__(
        self,
        source: str | PathLike[str] | bytes,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.card = model_card(source)
        self.name = str(self.card["name"])
        self.rosta = str(self.card["rosta"])
        self.stride = int(self.card["stride"])
        self._source = source
        self._options = _session_options(threads)
        self._sessions: dict[tuple[str, ...], onnxruntime.InferenceSession] = {}
        self._outputs = WHOLE_OUTPUTS.get(self.rosta, ("glance", "focus"))
        self.device = "cpu"
        for name in devices_to_try(device):
            if self._starts_on(name):
                break
        else:
            raise ValueError(unavailable(device, "ONNX Runtime could not start it"))

    def glance(self, image: Array) -> Array:
        """Return (C, H, W) class scores in [0, 1]; the focus decoder rests."""
        (glance,) = self._run(image, "glance")
        return _first(glance)

    def focus(self, image: Array) -> Array:
        """Return (H, W) focus in [0, 1]; the glance decoder rests."""
        (focus,) = self._run(image, "focus")
        return _first(_first(focus))

    def glance_and_focus(self, image: Array) -> tuple[Array, Array]:
        """Return both of one forward."""
        glance, focus = self._run(image, "glance", "focus")
        return _first(glance), _first(_first(focus))

    def alpha(self, image: Array) -> Array:
        """Return (H, W) alpha, not clipped; of a network that merges by itself."""
        (alpha,) = self._run(image, "alpha")
        return _first(_first(alpha))

    def branches(self, image: Array) -> tuple[Array, Array]:
        """Return the foreground's and the background's (H, W) probability, of LFM."""
        foreground, background = self._run(image, "foreground", "background")
        return _first(_first(foreground)), _first(_first(background))

    def _run(self, image: Array, *outputs: str) -> list[Array]:
        planes = network_planes(image, self.stride)
        session = self._session(outputs)
        try:
            results: list[Array] = session.run(list(outputs), {"image": planes})
        except _ORT_ERRORS as error:
            if "alloc" in str(error).lower():  # "Failed to allocate memory…", "std::bad_alloc"
                raise MemoryError(
                    f"{self.name} has no memory for {size_text(image.shape[:2])} pixels"
                ) from error
            raise
        return results

    def _session(self, outputs: tuple[str, ...]) -> onnxruntime.InferenceSession:
        """Return the session that computes `outputs` and nothing else."""
        with _starting:
            if outputs not in self._sessions:
                model = file_bytes(self._source)
                if outputs != self._outputs:
                    model = subgraph(model, outputs)
                self._sessions[outputs] = self._started(model)
            return self._sessions[outputs]

    def _started(self, model: bytes) -> onnxruntime.InferenceSession:
        providers = list(dict.fromkeys([PROVIDERS[self.device], PROVIDERS["cpu"]]))
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore", UserWarning)  # what follows says it better
                # Without fallback: a GPU that fails must not become a slow CPU unseen.
                return onnxruntime.InferenceSession(
                    model, self._options, providers=providers, enable_fallback=0
                )
        except _ORT_ERRORS as error:
            label = "these bytes" if isinstance(self._source, bytes) else self._source
            reason = str(error).splitlines()[0]
            raise ValueError(f"{label}: ONNX Runtime cannot load it: {reason}") from error

    def _starts_on(self, device: str) -> bool:
        """Take a device, and see whether ONNX Runtime really took it too."""
        self.device = device
        if device == "cpu":
            return True
        if device == "cuda" and hasattr(onnxruntime, "preload_dlls"):
            with _starting, contextlib.redirect_stdout(io.StringIO()):  # prints what is missing
                onnxruntime.preload_dlls()
        self._sessions.clear()
        try:
            providers = self._session(self._outputs[:1]).get_providers()
        except ValueError:  # the next device, or the caller, says what is wrong
            return False
        return bool(providers[0] == PROVIDERS[device])


def _first(batch: Array) -> Array:
    first: Array = batch[0]
    return first


def _session_options(threads: int | None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.enable_mem_pattern = False  # made for one size; with many it only grows
    # Threads that wait sleep: spinning, they take the core from whoever decodes and encodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        if threads < 1:
            raise ValueError(f"threads is {threads}; it must be at least 1")
        options.intra_op_num_threads = threads
    return options


def load_network(
    model: str | PathLike[str] | None = None, device: str = "auto", threads: int | None = None
) -> Network:
    """Load a network by name or from a file.

    Args:
        model: a shipped model's name (None for the default one), or an `.onnx` or `.safetensors`
            file; the latter is run by torch.
        device: where to run it: "auto", "cpu", "cuda"…
        threads: CPU threads of ONNX Runtime; None for one a core.

    Raises:
        ValueError: if there is no such model, it cannot be read, or `device` cannot be had.
    """
    path = model_file(model)
    if path.suffix.lower() == ".safetensors":
        return _torch_network(str(path), device)
    return OnnxNetwork(path, device, threads)


def model_file(model: str | PathLike[str] | None = None) -> Path:
    """Return the file of a model, as `load_network` takes it; one that is named need not exist.

    Raises:
        ValueError: if there is no model of that name, or the file is of another kind.
    """
    name = fspath(model) if model is not None else DEFAULT_MODEL
    suffix = Path(name).suffix.lower()
    if suffix in (".pth", ".pt", ".ckpt"):
        raise ValueError(
            f"{name}: a pickled checkpoint is not run as it is; convert it once with "
            "`animatte models import`"
        )
    return Path(name) if suffix in (".onnx", ".safetensors") else _shipped_file(name)


def _shipped_file(name: str) -> Path:
    known = {card.name: card.path for card in shipped_models()}
    if name not in known:
        names = ", ".join(known) or "(this installation has none)"
        raise ValueError(
            f"model {name!r} is unknown; choose one of {names}, "
            "or give an .onnx or .safetensors file"
        )
    return known[name]


def _torch_network(path: str, device: str) -> Network:
    try:
        from animatte.torch_engine import load_torch_network  # noqa: PLC0415  torch is optional
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{path}: a .safetensors model is run by torch, and {error.name!r} is not installed; "
            "pip install 'animatte[train]', or use an .onnx file"
        ) from error
    return load_torch_network(path, device)
