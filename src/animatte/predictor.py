"""Any picture in; a full-size alpha or a clean cut-out out."""

from __future__ import annotations

from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animatte.confidence import CARD_ENTRY, Calibration
from animatte.engine import WHOLE_OUTPUTS, Network, load_network
from animatte.foregrounds import estimated_foreground
from animatte.images import Photo, photo_from_array, read_photo
from animatte.images.arrays import Pixels, bands, levels
from animatte.islands import drop_faint_islands
from animatte.looks import Looks, Matte, Seen, matte
from animatte.refining import default_trimap_radius, named_refinement
from animatte.seeing import MOST_PIXELS, full_size_alpha, full_size_branches, full_size_look
from animatte.strategies import SKETCH, Strategy, default_strategy, named_strategy
from animatte.trimap import trimap_around, trimap_from_branches

Picture: TypeAlias = str | PathLike[str] | Image.Image | Photo | NDArray[Any]


class Predictor:
    """A network with the strategy that brings it to photos of any size.

    A picture is a path, a Pillow image, a `Photo`, or an array (H, W), (H, W, 3) RGB or
    (H, W, 4) RGBA of uint8, uint16 or float in [0, 1]. The alpha that it has already multiplies
    the resulting alpha; its colours are taken to be straight, and no part of it.

    Args:
        network: what predicts.
        strategy: at which sizes the network sees a picture; None for the one stored with the
            weights, or else the published one for its RoSTa.
        refine: what follows the network, "guided" or "closed-form" (`animatte.refining`); None
            for nothing.
        looks: whether a picture is straightened, stretched and looked at closely, too; None for
            one look at it as it is.
        most_pixels: the most that the network is shown at once; what is larger it sees in windows.

    Raises:
        ValueError: if `refine` is unknown, or the card's calibration cannot be read.
        ModuleNotFoundError: if `refine` needs an extra that is not installed, naming it.

    Attributes:
        calibration: what makes a confidence, and the threshold of a review; None where none is
            stored with the weights, or the strategy glances at other sizes than it was fitted for.
    """

    def __init__(
        self,
        network: Network,
        strategy: Strategy | None = None,
        refine: str | None = None,
        looks: Looks | None = None,
        most_pixels: int = MOST_PIXELS,
    ) -> None:
        self.network = network
        self.most_pixels = most_pixels
        self.strategy = strategy or _own_strategy(network)
        self.looks = looks or Looks()
        self.calibration = _own_calibration(network, self.strategy)
        self._refinement = None if refine is None else named_refinement(refine)

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
        """Return alpha as `alpha` does, what was done to find it, and how sure to be of it.

        The confidence is that of the network: of several looks the least; before `refine`.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
            ValueError: if its proportions are too far from the aspect that was given.
        """
        photo = _as_photo(image)
        found = matte(photo.seen, self._look, self._sketch, self.looks)
        if self.strategy.merging == "soft" and self.network.rosta not in WHOLE_OUTPUTS:
            drop_faint_islands(found.alpha)  # what was published shows what its network says
        if self._refinement is not None:
            found = found._replace(alpha=self._refinement(found.alpha, photo.seen))
        if photo.own_alpha is not None:
            found = found.multiplied(photo.own_alpha)
        return _with_confidence(found, self.calibration)

    def cutout(self, image: Picture) -> NDArray[np.uint8]:
        """Return (H, W, 4) RGBA with straight alpha and the subject's own colours, without fringe.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
        """
        photo = _as_photo(image)
        found = self.matte(photo)
        result = np.empty((*found.alpha.shape, 4), np.uint8)
        result[:, :, :3] = estimated_foreground(photo.seen, found.mixing, bit_depth=8)
        for rows in bands(found.alpha.shape):
            result[rows, :, 3] = levels(found.alpha[rows], 8)
        return result

    def trimap(
        self, image: Picture, radius: int | None = None, found: Matte | None = None
    ) -> NDArray[np.uint8]:
        """Return (H, W) for other solvers: 0 background, 128 unknown, 255 foreground.

        Of late fusion that looks once from its two branches, as published; else from alpha.

        Args:
            image: the picture.
            radius: how far the unknown reaches on both sides of what alpha leaves open, in pixels
                of the picture; None for 2 % of its longer side.
            found: what `matte` gave for the picture, if that is at hand.

        Raises:
            ImageError: if the picture cannot be read or is of another kind.
            ValueError: if the radius is below 0.
        """
        photo = _as_photo(image)
        chosen = default_trimap_radius(photo.seen.shape) if radius is None else radius
        if self.network.rosta != "LFM" or self.looks != Looks():
            return trimap_around((found or self.matte(photo)).alpha, chosen)
        foreground, background = full_size_branches(self.network, photo.seen, self.strategy)
        if photo.alpha is not None:
            foreground *= photo.alpha
            background = 1 - (1 - background) * photo.alpha
        return trimap_from_branches(foreground, background, chosen)

    def _look(self, image: Pixels) -> Seen:
        return full_size_look(self.network, image, self.strategy, self.most_pixels)

    def _sketch(self, image: Pixels) -> NDArray[np.float32]:
        return full_size_alpha(self.network, image, SKETCH, self.most_pixels)


def load(
    model: str | PathLike[str] | None = None,
    device: str = "auto",
    strategy: str | Strategy | None = None,
    refine: str | None = None,
    looks: Looks | None = None,
    *,
    threads: int | None = None,
    most_pixels: int | None = None,
) -> Predictor:
    """Load a model, ready to predict: what `animatte.load` calls, and describes."""
    chosen = named_strategy(strategy) if isinstance(strategy, str) else strategy
    network = load_network(model, device, threads)
    return Predictor(network, chosen, refine, looks, most_pixels or MOST_PIXELS)


def _own_strategy(network: Network) -> Strategy:
    stored = network.card.get("strategy")
    if stored:
        return Strategy.from_dict(stored)
    return default_strategy(network.rosta, published=network.card.get("published", True))


def _own_calibration(network: Network, strategy: Strategy) -> Calibration | None:
    stored = network.card.get(CARD_ENTRY)
    calibration = Calibration.from_dict(stored) if stored else None
    suits = calibration is not None and calibration.suits(strategy.glance, strategy.mirrored)
    return calibration if suits else None


def _with_confidence(found: Matte, calibration: Calibration | None) -> Matte:
    if calibration is None or not found.signs:
        return found
    least = min(calibration.confidence(signs) for signs in found.signs)
    confidence = 0.0 if found.is_empty else least
    return found._replace(confidence=confidence, needs_review=confidence < calibration.review)


def _as_photo(image: Picture) -> Photo:
    if isinstance(image, Photo):
        return image
    if isinstance(image, str | PathLike):
        return read_photo(image)
    return photo_from_array(image)
