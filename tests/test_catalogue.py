from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from animatte.catalogue import DEFAULT_MODEL, WEIGHTS, ModelCard, shipped_models
from animatte.onnx_file import CARD_FORMAT


def test_a_card_is_read_from_the_model_itself(tiny_model: Path) -> None:
    card = ModelCard.of_file(tiny_model)
    assert (card.name, card.licence, card.rosta) == ("tiny", "MIT", "TT")
    assert card.summary == "untrained, for tests"
    assert card.parameters > 1_000_000
    assert card.sources == ({"name": "nothing", "licence": "none"},)
    assert card.scores == {"SAD": 12.5}
    assert card.bytes == tiny_model.stat().st_size
    assert card.sha256 == hashlib.sha256(tiny_model.read_bytes()).hexdigest()


def test_a_card_without_optional_entries_has_empty_ones(tiny_rim_model: Path) -> None:
    card = ModelCard.of_file(tiny_rim_model)
    assert (card.summary, card.sources, card.scores) == ("", (), {})
    assert card.licence == "not stated"


def test_models_are_listed_by_name(tiny_model: Path, tiny_rim_model: Path, tmp_path: Path) -> None:
    for path in (tiny_rim_model, tiny_model):
        shutil.copy(path, tmp_path)
    (tmp_path / "notes.txt").write_text("not a model")
    assert [card.name for card in shipped_models(tmp_path)] == ["tiny", "tiny-rim"]


def test_an_empty_folder_has_no_models(tmp_path: Path) -> None:
    assert shipped_models(tmp_path) == []
    assert shipped_models(tmp_path / "missing") == []


def test_the_default_is_the_first_of_the_shipped() -> None:
    assert shipped_models()[0].name == DEFAULT_MODEL
    assert CARD_FORMAT == 1


@pytest.mark.parametrize("card", shipped_models(), ids=lambda card: card.name)
def test_a_shipped_model_states_licences_of_weights_and_data(card: ModelCard) -> None:
    assert card.path.parent == WEIGHTS
    assert card.licence != "not stated"
    assert card.sources
    assert all(source["name"] and source["licence"] for source in card.sources)
    assert card.summary
    assert card.scores
