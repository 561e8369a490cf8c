"""What people decided of pictures: a table of verdicts."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from animatte.data.tables import Row, check_names, table_rows

Verdict: TypeAlias = Literal["label", "model", "drop"]

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class _Decided(NamedTuple):
    verdict: Verdict
    row: Row


class Table:
    """The rows of one set in a CSV file with the columns set, name and verdict.

    Other columns are for people. Rows of other sets are passed over unread.

    Args:
        path: the file.
        picture_set: whose rows count.

    Raises:
        ValueError: if it is no CSV file, lacks a column, holds an unknown verdict, or two for one
            picture.
        OSError: if it cannot be read.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, picture_set: str) -> None:
        self.path = path
        self._decided: dict[str, _Decided] = {}
        for row in table_rows(path, picture_set, ["verdict"], ["reason"]):
            verdict = _known_verdict(path, row)
            earlier = self._decided.setdefault(row.name, _Decided(verdict, row))
            if earlier.verdict != verdict:
                raise ValueError(
                    f"{path}: {row.name} is {earlier.verdict!r} in line {earlier.row.line} and "
                    f"{verdict!r} in line {row.line}; keep one of them"
                )

    def __len__(self) -> int:
        return len(self._decided)

    def verdict(self, name: str) -> Verdict | None:
        """Return what was decided of a picture, named without suffix; None if it is not listed."""
        decided = self._decided.get(name)
        return None if decided is None else decided.verdict

    def check(self, images: Path, names: Collection[str], labelled: Collection[str]) -> None:
        """See that all that is listed is there.

        Args:
            images: the pictures' folder, for messages.
            names: of the pictures, without suffixes.
            labelled: of those that have a label.

        Raises:
            ValueError: if a picture is listed that is not there, or whose label is wanted and
                missing.
        """
        check_names(self.path, images, names, [each.row for each in self._decided.values()])
        bare = [
            each.row
            for name, each in self._decided.items()
            if each.verdict == "label" and name not in labelled
        ]
        if bare:
            raise ValueError(
                f"{self.path}: {len(bare)} of {len(self)} names are to keep a label that is not "
                f"there, the first is {bare[0].name!r} in line {bare[0].line}; write model or "
                "drop, or add the label"
            )


def _known_verdict(path: Path, row: Row) -> Verdict:
    text = row.cells["verdict"]
    for known in VERDICTS:
        if text == known:
            return known
    raise ValueError(
        f"{path}: verdict {text!r} in line {row.line} is unknown; choose one of "
        f"{', '.join(VERDICTS)}"
    )
