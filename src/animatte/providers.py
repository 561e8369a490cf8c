"""Devices that ONNX Runtime runs networks on, by short names."""

from __future__ import annotations

from collections.abc import Mapping

import onnxruntime

PROVIDERS: Mapping[str, str] = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
# Best first. Core ML and OpenVINO compile anew for every size of picture: only when asked for.
_AUTOMATIC = ("cuda", "directml", "cpu")
_REMEDIES: Mapping[str, str] = {
    "cuda": "pip uninstall onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'",
    "directml": "pip uninstall onnxruntime && pip install onnxruntime-directml",
    "coreml": "pip install onnxruntime, on macOS",
    "openvino": "pip uninstall onnxruntime && pip install onnxruntime-openvino",
    "cpu": "pip install onnxruntime",
}


def devices_to_try(device: str) -> list[str]:
    """Name the devices that one may mean, best first.

    Args:
        device: a key of `PROVIDERS`, or "auto".

    Raises:
        ValueError: if it is unknown, or this ONNX Runtime was built without it.
    """
    available = _available_devices()
    if device == "auto":
        return [name for name in _AUTOMATIC if name in available]
    if device not in PROVIDERS:
        raise ValueError(
            f"device {device!r} is unknown; choose one of auto, {', '.join(PROVIDERS)}"
        )
    if device not in available:
        raise ValueError(unavailable(device, "this ONNX Runtime was built without it"))
    return [device]


def _available_devices() -> list[str]:
    built = onnxruntime.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in built]


def unavailable(device: str, reason: str) -> str:
    """Say in a line that a device cannot be had, why, and what to do."""
    others = [name for name in _available_devices() if name != device]
    return (
        f"device {device!r} is not available: {reason}; available: {', '.join(others)}; "
        f"to mend it: {_REMEDIES.get(device, _REMEDIES['cpu'])}"
    )
