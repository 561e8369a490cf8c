"""What people decided of pictures: a table of verdicts."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

Verdict: TypeAlias = Literal["label", "model", "drop"]

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_COLUMNS = ("set", "name", "verdict")


class _Row(NamedTuple):
    verdict: Verdict
    line: int


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
        self._rows: dict[str, _Row] = {}
        for name, row in _rows(path, picture_set):
            earlier = self._rows.setdefault(name, row)
            if earlier.verdict != row.verdict:
                raise ValueError(
                    f"{path}: {name} is {earlier.verdict!r} in line {earlier.line} and "
                    f"{row.verdict!r} in line {row.line}; keep one of them"
                )

    def __len__(self) -> int:
        return len(self._rows)

    def verdict(self, name: str) -> Verdict | None:
        """Return what was decided of a picture, named without suffix; None if it is not listed."""
        row = self._rows.get(name)
        return None if row is None else row.verdict

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
        unknown = [(name, row.line) for name, row in self._rows.items() if name not in names]
        if unknown:
            raise ValueError(
                f"{self.path}: {len(unknown)} of {len(self)} names have no picture in {images}, "
                f"the first is {unknown[0][0]!r} in line {unknown[0][1]}; write names without "
                "suffix, or remove those lines"
            )
        bare = [
            (name, row.line)
            for name, row in self._rows.items()
            if row.verdict == "label" and name not in labelled
        ]
        if bare:
            raise ValueError(
                f"{self.path}: {len(bare)} of {len(self)} names are to keep a label that is not "
                f"there, the first is {bare[0][0]!r} in line {bare[0][1]}; write model or drop, "
                "or add the label"
            )


def set_name(root: Path) -> str:
    """What tables call the set in a folder: the folder's own name, also where it is a link's."""
    return os.path.basename(os.path.abspath(root))  # noqa: PTH100, PTH119  links stay


def _rows(path: Path, picture_set: str) -> Iterator[tuple[str, _Row]]:
    with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write the mark
        table = csv.DictReader(file, skipinitialspace=True)
        try:
            _check_columns(path, table.fieldnames or [])
            for values in table:
                cells = {column: (values[column] or "").strip() for column in _COLUMNS}
                if cells["set"] == picture_set:
                    verdict = _known_verdict(path, cells["verdict"], table.line_num)
                    yield cells["name"], _Row(verdict, table.line_num)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no CSV file in UTF-8: {error}") from error


def _check_columns(path: Path, found: Collection[str]) -> None:
    missing = [column for column in _COLUMNS if column not in found]
    if missing:
        raise ValueError(
            f"{path} lacks the column {', '.join(missing)}; its first line must be "
            f"{','.join(_COLUMNS)} or {','.join(_COLUMNS)},reason"
        )


def _known_verdict(path: Path, text: str, line: int) -> Verdict:
    for known in VERDICTS:
        if text == known:
            return known
    raise ValueError(
        f"{path}: verdict {text!r} in line {line} is unknown; choose one of {', '.join(VERDICTS)}"
    )
