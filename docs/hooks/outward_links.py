"""For mkdocs: links from a page to files outside docs/ lead to the repository.

In the repository the same links are relative, so that they work on a branch and offline.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(\]\()([^)\s:#]+)((?:#[^)\s]*)?\))")
_BRANCH = "blob/main"


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """What mkdocs calls for each page: its text, with such links replaced.

    Args:
        markdown: the page's text.
        page: its file says where it lies below docs/.
        config: names the repository's address.
        _: whatever else mkdocs passes.
    """
    return outward_links(markdown, page.file.src_uri, config["repo_url"])


def outward_links(markdown: str, page: str, repository: str) -> str:
    """Text in which links that leave docs/ are addresses in the repository.

    Args:
        markdown: the text.
        page: its path below docs/, with slashes.
        repository: its address.
    """

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), found[2]))
        if target.split("/")[0] == "docs":
            return found[0]
        return f"{found[1]}{repository}/{_BRANCH}/{target}{found[3]}"

    return _LINK.sub(replaced, markdown)
