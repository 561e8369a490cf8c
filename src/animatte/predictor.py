"""Any picture in; a full-size alpha or a clean cut-out out."""

from __future__ import annotations

from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.compositing import estimated_foreground
from animatte.engine import Network, load_network
from animatte.images import Photo, photo_from_array, read_photo
from animatte.images.arrays import levels
from animatte.looks import Looks, Matte, matte
from animatte.strategies import (
    SKETCH,
    Strategy,
    default_strategy,
    full_size_alpha,
    named_strategy,
)

Picture: TypeAlias = str | PathLike[str] | Image.Image | Photo | NDArray[Any]


class Predictor:
    """A network with the strategy that brings it to photos of any size.

    A picture is a path, a Pillow image, a `Photo`, or an array (H, W), (H, W, 3) RGB or
    (H, W, 4) RGBA of uint8, uint16 or float in [0, 1]. The alpha that it has already multiplies
    the result.

    Args:
        network: what predicts.
        strategy: at which sizes the network sees a picture; None for the one stored with the
            weights, or else the published one for its RoSTa.
        looks: whether a picture is straightened, stretched and looked at closely, too; None for
            one look at it as it is.
    """

    def __init__(
        self, network: Network, strategy: Strategy | None = None, looks: Looks | None = None
    ) -> None:
        self.network = network
        self.strategy = strategy or _own_strategy(network)
        self.looks = looks or Looks()

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.network.name

    @property
    def device(self) -> str:
        """Where the network runs."""
        return self.network.device

    def alpha(self, image: Picture) -> NDArray[np.float32]:
        """Return (H, W) alpha in [0, 1], at the picture's own size.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
        """
        return self.matte(image).alpha

    def matte(self, image: Picture) -> Matte:
        """Return alpha as `alpha` does, and what was done to find it.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
            ValueError: if its proportions are too far from the aspect that was given.
        """
        photo = _as_photo(image)
        found = matte(photo.image, self._look, self._sketch, self.looks)
        if photo.alpha is not None:
            np.multiply(found.alpha, photo.alpha, out=found.alpha)
        return found

    def cutout(self, image: Picture) -> NDArray[np.uint8]:
        """Return (H, W, 4) RGBA with straight alpha and the subject's own colours, without fringe.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
        """
        photo = _as_photo(image)
        alpha = self.alpha(photo)
        result = np.empty((*alpha.shape, 4), np.uint8)
        result[:, :, :3] = levels(estimated_foreground(photo.image, alpha), 8)
        result[:, :, 3] = levels(alpha, 8)
        return result

    def _look(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        return full_size_alpha(self.network, image, self.strategy)

    def _sketch(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        return full_size_alpha(self.network, image, SKETCH)


def load(
    model: str | PathLike[str] | None = None,
    device: str = "auto",
    strategy: str | Strategy | None = None,
    looks: Looks | None = None,
) -> Predictor:
    """Load a model, ready to predict: what `animatte.load` calls, and describes."""
    chosen = named_strategy(strategy) if isinstance(strategy, str) else strategy
    return Predictor(load_network(model, device), chosen, looks)


def _own_strategy(network: Network) -> Strategy:
    stored = network.card.get("strategy")
    return Strategy.from_dict(stored) if stored else default_strategy(network.rosta)


def _as_photo(image: Picture) -> Photo:
    if isinstance(image, Photo):
        return image
    if isinstance(image, str | PathLike):
        return read_photo(image)
    return photo_from_array(image)
