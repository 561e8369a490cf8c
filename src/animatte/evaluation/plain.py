"""Records as plain values, ready for JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def flattened(
    record: DataclassInstance, *inner: str, named: Callable[[str, str], str] = lambda _, key: key
) -> dict[str, Any]:
    """The fields of a record by their names, those of the records within it at the end.

    Args:
        record: a dataclass.
        inner: its fields that are dataclasses.
        named: gives a value within one its name, by the field's and its own; by default its own.
    """
    values = asdict(record)
    for field in inner:
        within = values.pop(field)
        values |= {named(field, key): value for key, value in within.items()}
    return values
