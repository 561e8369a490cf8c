"""Tables that people write about the pictures of sets, as CSV files."""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

NAMED = ("set", "name")  # the columns that say which picture a row is of


class Row(NamedTuple):
    """A row of one set.

    Attributes:
        name: of the picture, without suffix.
        cells: by column, without blanks around them.
        line: of the file, counted from 1.
    """

    name: str
    cells: Mapping[str, str]
    line: int


def table_rows(
    path: Path, picture_set: str, columns: Sequence[str], spare: Sequence[str] = ()
) -> Iterator[Row]:
    """Read the rows of one set; those of others are passed over unread.

    Args:
        path: the file.
        picture_set: whose rows count.
        columns: that must be there beside set and name; others are for people.
        spare: columns for people that a message proposes.

    Raises:
        ValueError: if it is no CSV file, or lacks a column.
        OSError: if it cannot be read.
    """
    wanted = (*NAMED, *columns)
    with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write the mark
        table = csv.DictReader(file, skipinitialspace=True)
        try:
            _check_columns(path, table.fieldnames or [], wanted, spare)
            for values in table:
                cells = {column: (values[column] or "").strip() for column in wanted}
                if cells["set"] == picture_set:
                    yield Row(cells["name"], cells, table.line_num)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no CSV file in UTF-8: {error}") from error


def check_names(path: Path, images: Path, names: Collection[str], rows: Iterable[Row]) -> None:
    """See that every row is of a picture that is there.

    Args:
        path: the table, for messages.
        images: the pictures' folder, for messages.
        names: of the pictures, without suffixes.
        rows: of the table.

    Raises:
        ValueError: naming the first that is not.
    """
    lines: dict[str, int] = {}
    for row in rows:
        lines.setdefault(row.name, row.line)
    unknown = [name for name in lines if name not in names]
    if unknown:
        raise ValueError(
            f"{path}: {len(unknown)} of {len(lines)} names have no picture in {images}, "
            f"the first is {unknown[0]!r} in line {lines[unknown[0]]}; write names without "
            "suffix, or remove those lines"
        )


def set_name(root: Path) -> str:
    """What tables call the set in a folder: the folder's own name, also where it is a link's."""
    return os.path.basename(os.path.abspath(root))  # noqa: PTH100, PTH119  links stay


def _check_columns(
    path: Path, found: Collection[str], wanted: Sequence[str], spare: Sequence[str]
) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        first = ",".join(wanted)
        other = f" or {first},{','.join(spare)}" if spare else ""
        raise ValueError(
            f"{path} lacks the column {', '.join(missing)}; its first line must be {first}{other}"
        )
