"""The guides as a site: every page is in it, and links lead where they do in the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def named(entry: Any) -> list[str]:
    """The pages below an entry of the navigation."""
    if isinstance(entry, str):
        return [entry]
    children = entry.values() if isinstance(entry, dict) else entry
    return [page for child in children for page in named(child)]


def outward_links(markdown: str, page: str) -> str:
    spec = spec_from_file_location("outward_links", DOCS / "hooks" / "outward_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.outward_links(markdown, page, "https://example.org/animatte")
    assert isinstance(result, str)
    return result


def test_every_page_is_in_the_navigation_once() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(named(settings["nav"])) == PAGES


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index.md"])
def test_every_page_is_in_the_table_of_the_first(page: str) -> None:
    assert f"]({page})" in (DOCS / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("index.md", "../CHANGELOG.md", "https://example.org/animatte/blob/main/CHANGELOG.md"),
        ("index.md", "cut.md#photos", "cut.md#photos"),
        ("models/lfm-s.md", "../cut.md", "../cut.md"),
        ("models/lfm-s.md", "../../LICENSE#x", "https://example.org/animatte/blob/main/LICENSE#x"),
        ("index.md", "https://example.com/../x", "https://example.com/../x"),
    ],
)
def test_links_that_leave_the_guides_lead_to_the_repository(
    page: str, link: str, expected: str
) -> None:
    assert outward_links(f"see [it]({link}).", page) == f"see [it]({expected})."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_is_built_without_a_broken_link(site: Path) -> None:
    for page in PAGES:
        name = page.removesuffix(".md").removesuffix("index")
        assert (site / name / "index.html").is_file(), page


def test_its_pages_ask_no_other_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//[^"]*"', text) == []
        assert re.findall(r'<link[^>]*rel="stylesheet"[^>]*href="(?:https?:)?//', text) == []


def test_its_pages_show_no_picture_that_is_missing(site: Path) -> None:
    for page in site.rglob("*/index.html"):
        for source in re.findall(r'<img[^>]*src="([^"]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / source).is_file(), (page, source)
