"""The models that come with the package, each with its card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from animatte.onnx_file import model_card

DEFAULT_MODEL = "animatte-s"
WEIGHTS = Path(__file__).parent / "weights"
EXAMPLE = WEIGHTS / "chelsea.jpg"  # a cat, to try models on; CC0, by Stéfan van der Walt


@dataclass(frozen=True)
class ModelCard:
    """What to know of a model before using it; it is stored inside the model's file.

    Attributes:
        name: what it is called.
        path: its file.
        rosta: "TT", "FT", "BT" or "RIM".
        parameters: number of them.
        summary: one line.
        licence: of the weights.
        sources: what it was trained with: for each at least `name` and `licence`.
        scores: measured quality, by metric.
    """

    name: str
    path: Path
    rosta: str
    parameters: int
    summary: str
    licence: str
    sources: tuple[Mapping[str, str], ...]
    scores: Mapping[str, float]

    @classmethod
    def of_file(cls, path: str | PathLike[str]) -> ModelCard:
        """Read the card of an ONNX file that animatte wrote.

        Raises:
            ValueError: if it is another kind of file.
        """
        card = model_card(path)
        return cls(
            name=card["name"],
            path=Path(path),
            rosta=card["rosta"],
            parameters=card["parameters"],
            summary=card.get("summary", ""),
            licence=card["licence"],
            sources=tuple(card.get("sources", ())),
            scores=card.get("scores", {}),
        )

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Checksum of the file, computed anew."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def shipped_models(folder: Path = WEIGHTS) -> list[ModelCard]:
    """Return the cards of the models in a folder, the default one first, then by name."""
    cards = [ModelCard.of_file(path) for path in folder.glob("*.onnx")]
    return sorted(cards, key=lambda card: (card.name != DEFAULT_MODEL, card.name))
