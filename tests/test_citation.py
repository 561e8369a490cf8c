"""CITATION.cff and the page of credits say the same, and what the package says."""

import re
from pathlib import Path

import pytest
import yaml

from animatte import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def citation() -> dict[str, object]:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert isinstance(content, dict)
    return content


def test_the_citation_has_what_its_format_demands(citation: dict[str, object]) -> None:
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["type"] == "software"


def test_the_citation_is_of_this_version(citation: dict[str, object]) -> None:
    assert citation["version"] == __version__


def test_both_papers_are_cited_with_all_authors_there_and_on_the_page(
    citation: dict[str, object],
) -> None:
    references = citation["references"]
    assert isinstance(references, list)
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "credits.md").read_text(encoding="utf-8"))
    assert [paper["title"].split(":")[0] for paper in references] == [
        "Bridging Composite and Real",
        "A Late Fusion CNN for Digital Matting",
    ]
    for paper in references:
        assert {"type", "title", "authors"} <= paper.keys()
        assert paper["title"] in page
        names = [f"{each['given-names']} {each['family-names']}" for each in paper["authors"]]
        assert ", ".join(names) in page
