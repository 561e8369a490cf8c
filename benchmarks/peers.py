"""Other programs that cut subjects out, each as a function from a photo to an alpha.

None is downloaded: a peer whose package or weights are not on the machine is said to be skipped.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from animatte.images.arrays import levels
from animatte.scales import LongerSide, resized, resized_in_range

Array: TypeAlias = NDArray[np.float32]
Peer: TypeAlias = Callable[[Array], Array]

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
REMBG = ("u2net", "isnet-general-use", "birefnet-general")
# Peers that run of a file alone, and how their publishers prepare a photo for them.
WITH_FILES = ("modnet", "rvm", "onnx")
_GRABCUT_SIDE, _GRABCUT_MARGIN, _GRABCUT_ROUNDS = 320, 0.05, 5


class SkippedError(Exception):
    """Why a peer cannot be run here, and what would mend it."""


@dataclass(frozen=True)
class Preparation:
    """How a photo becomes a network's input, and its output an alpha.

    Attributes:
        size: both sides in pixels; None for `longer_side`.
        longer_side: keeps the photo's proportions.
        mean: taken from RGB in [0, 1].
        deviation: by which that is divided.
        stretched: the output's least value is 0, its largest 1, as U²-Net's users do.
    """

    size: int | None = None
    longer_side: int | None = None
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    deviation: tuple[float, ...] = (0.5, 0.5, 0.5)
    stretched: bool = False

    def planes(self, image: Array) -> Array:
        """(1, 3, h, w) of a photo (H, W, 3) in [0, 1]."""
        if self.size is not None:
            size = self.size, self.size
        else:
            size = LongerSide(self.longer_side or 512).size(image.shape[:2], stride=32)
        values = (resized(image, size) - np.array(self.mean)) / np.array(self.deviation)
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32)

    def alpha(self, output: Array, size: tuple[int, int]) -> Array:
        """(H, W) in [0, 1] of an output whose last two sides are the picture's."""
        plane = output.reshape(-1, *output.shape[-2:])[0].astype(np.float32)
        if self.stretched:
            plane = (plane - plane.min()) / max(float(np.ptp(plane)), 1e-6)
        alpha = resized_in_range(np.ascontiguousarray(np.clip(plane, 0, 1)), size)
        return np.asarray(alpha, np.float32)


def peer_named(text: str, threads: int) -> tuple[str, Peer]:
    """Take a peer: "grabcut", "rembg:MODEL", "modnet=FILE", "rvm=FILE" or "onnx=FILE,KEY=VALUE…".

    Raises:
        SkippedError: if it cannot be run here.
        ValueError: if it is unknown.
    """
    kind, _, file = text.partition("=")
    if kind == "grabcut":
        return kind, grabcut
    if kind.startswith("rembg:"):
        return kind, _rembg(kind.removeprefix("rembg:"))
    if kind not in WITH_FILES:
        raise ValueError(
            f"peer {text!r} is unknown; choose grabcut, {', '.join(f'rembg:{n}' for n in REMBG)}, "
            "modnet=FILE, rvm=FILE or onnx=FILE,size=320,…"
        )
    if not file:
        raise SkippedError(f"its weights are not on this machine; give --peer {kind}=FILE.onnx")
    path, *settings = file.split(",")
    if not Path(path).is_file():
        raise SkippedError(f"there is no file {path}")
    if kind == "rvm":
        return kind, _rvm(path, threads)
    preparation = Preparation(longer_side=512) if kind == "modnet" else _declared(settings)
    return kind if kind == "modnet" else Path(path).stem, _onnx(path, preparation, threads)


def all_peers() -> list[str]:
    """Every peer that is known, those of files without one."""
    return ["grabcut", *(f"rembg:{name}" for name in REMBG), "modnet", "rvm"]


def grabcut(image: Array) -> Array:
    """GrabCut (Rother et al. 2004) by OpenCV, told that the subject is in the picture's middle."""
    size: tuple[int, int] = (image.shape[0], image.shape[1])
    side = LongerSide(_GRABCUT_SIDE, max_enlargement=1).size(size, stride=1)
    small = levels(resized(image, side), 8)
    top, left = (max(1, round(length * _GRABCUT_MARGIN)) for length in side)
    box = (left, top, max(1, side[1] - 2 * left), max(1, side[0] - 2 * top))
    mask = np.zeros(side, np.uint8)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        small[:, :, ::-1].copy(), mask, box, *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_RECT
    )
    found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(resized(found, size), np.float32)


def _rembg(name: str) -> Peer:
    if importlib.util.find_spec("rembg") is None:
        raise SkippedError("its package is not installed; pip install 'rembg[cpu]'")
    homes = [os.environ.get("U2NET_HOME", "~/.u2net"), os.environ.get("REMBG_HOME", "~/.rembg")]
    if not any((Path(home).expanduser() / f"{name}.onnx").is_file() for home in homes):
        raise SkippedError(f"{name}.onnx is in none of {', '.join(homes)}; rembg downloads it")
    rembg = importlib.import_module("rembg")
    session = rembg.new_session(name)

    def alpha(image: Array) -> Array:
        mask = rembg.remove(Image.fromarray(levels(image, 8)), session=session, only_mask=True)
        return np.asarray(mask, np.float32) / np.float32(255)

    return alpha


def _declared(settings: list[str]) -> Preparation:
    """Read "size=320", "longer_side=512", "mean=imagenet", "mean=0.5", "stretched=yes"."""
    values: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key in ("size", "longer_side"):
            values[key] = int(value)
        elif key == "stretched":
            values[key] = value == "yes"
        elif setting == "mean=imagenet":
            values["mean"], values["deviation"] = IMAGENET
        elif key in ("mean", "deviation"):
            values[key] = (float(value),) * 3
        else:
            raise ValueError(
                f"{setting!r} of a peer is unknown; choose size=N, longer_side=N, mean=imagenet, "
                "mean=X, deviation=X or stretched=yes"
            )
    return Preparation(**values)


def _onnx(path: str, preparation: Preparation, threads: int) -> Peer:
    session = _session(path, threads)
    name = session.get_inputs()[0].name

    def alpha(image: Array) -> Array:
        output = session.run(None, {name: preparation.planes(image)})[0]
        return preparation.alpha(output, (image.shape[0], image.shape[1]))

    return alpha


def _rvm(path: str, threads: int) -> Peer:
    """RobustVideoMatting on a single frame: its memory empty, its small view of 512 pixels."""
    session = _session(path, threads)
    memory: Mapping[str, Array] = {
        f"r{number}i": np.zeros((1, 1, 1, 1), np.float32) for number in (1, 2, 3, 4)
    }

    def alpha(image: Array) -> Array:
        ratio = np.array([min(512 / max(image.shape), 1)], np.float32)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
        inputs = {"src": planes, **memory, "downsample_ratio": ratio}
        return np.asarray(session.run(["pha"], inputs)[0][0, 0], np.float32)

    return alpha


def _session(path: str, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
