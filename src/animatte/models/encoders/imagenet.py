"""ImageNet weights for the encoders, as torchvision publishes them. Nothing loads them unasked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

from torch import Tensor, hub

from animatte.models.state_dicts import CheckpointError, tensors_from_file, tensors_in

_SITE = "https://download.pytorch.org/models/"
# Encoder: address. The part of the name after the dash starts the file's SHA-256.
IMAGENET_URLS: Mapping[str, str] = {
    "mobilenet_v2": f"{_SITE}mobilenet_v2-b0353104.pth",
    "mobilenet_v2_frozen": f"{_SITE}mobilenet_v2-b0353104.pth",
    "mobilenet_v2_detail": f"{_SITE}mobilenet_v2-b0353104.pth",
    "resnet34": f"{_SITE}resnet34-b627a593.pth",
    "resnet34_2b": f"{_SITE}resnet34-b627a593.pth",
    "resnet101": f"{_SITE}resnet101-63fe2227.pth",
    "densenet121": f"{_SITE}densenet121-a639ec97.pth",
    "densenet201": f"{_SITE}densenet201-c1103571.pth",
}


def imagenet_state(name: str, path: Path | None = None) -> dict[str, Tensor]:
    """Return torchvision's ImageNet weights for an encoder's `load_torchvision`.

    They were trained with the input scaling "imagenet" of `encoders.base.INPUT_SCALINGS`.

    Args:
        name: a key of `IMAGENET_URLS`.
        path: a file (torch or safetensors) to read instead; without it torch's hub downloads
            the weights once and checks their hash.

    Raises:
        ValueError: if the name is unknown, or the weights cannot be had.
    """
    if path is not None:
        return tensors_from_file(path)
    if name not in IMAGENET_URLS:
        known = ", ".join(IMAGENET_URLS)
        raise ValueError(f"no ImageNet weights are known for {name!r}; choose one of {known}")
    url = IMAGENET_URLS[name]
    try:
        state = hub.load_state_dict_from_url(
            url, map_location="cpu", check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise CheckpointError(
            f"ImageNet weights for {name} could not be had from {url} ({error}); "
            "download that file where you can and name it instead"
        ) from error
    return tensors_in(state)
