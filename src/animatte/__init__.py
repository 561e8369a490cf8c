"""animatte: automatic image matting. One photo in, the alpha matte and a clean cut-out out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from animatte.looks import Looks
    from animatte.predictor import Predictor
    from animatte.strategies import Strategy

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


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
    """Load a model, ready to predict: `animatte.load().cutout("cat.jpg")`.

    Args:
        model: a shipped model's name (None for the default one), or an `.onnx` or `.safetensors`
            file.
        device: "auto", "cpu", "cuda"…; one that is asked for and not there is an error.
        strategy: "view", "hybrid", "resize"… (`animatte.strategies`), or one of your own; None
            for the model's.
        refine: "guided" or "closed-form", what follows the network (`animatte.refining`); None
            for nothing.
        looks: `animatte.looks.Looks(straighten="auto", zoom="auto")` for photos that lie on their
            side or show their subject small; None for one look at the photo as it is.
        threads: of one forward on the CPU; None for one a core.
        most_pixels: the most that the network is shown at once, for machines with little memory;
            a larger focus it sees in windows. None for what the published strategies show.

    Raises:
        ValueError: if model, device, strategy or refine is unknown or cannot be had.
        ModuleNotFoundError: if an extra that they need is not installed, naming it.
    """
    from animatte import predictor  # noqa: PLC0415  `import animatte` stays cheap

    return predictor.load(
        model, device, strategy, refine, looks, threads=threads, most_pixels=most_pixels
    )
