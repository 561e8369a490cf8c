"""ONNX files as bytes: the model card inside, and the part of a graph that some outputs need.

Inference does without the `onnx` package, and ONNX Runtime always runs the whole graph, also for
one output of several. So the little that is needed of the format is read here: a file is nested
protocol buffers, and leaving out a node means leaving out its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

CARD_KEY = "animatte"
CARD_FORMAT = 1
_CARD_KEYS = ("name", "rosta", "stride", "licence", "parameters")

# Field numbers of onnx.proto.
_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_GRAPH_NODE, _GRAPH_INITIALISER, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 1, 5, 12, 13
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME, _VALUE_NAME = 8, 1
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_FIXED_WIDTHS = {1: 8, 5: 4}


class _Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: which one.
        payload: its content, where it has a length; empty for plain numbers.
        whole: tag, length and content.
    """

    number: int
    payload: memoryview
    whole: memoryview


def file_bytes(source: str | PathLike[str] | bytes) -> bytes:
    """Return a file's content; bytes as they are.

    Raises:
        ValueError: if there is no such file.
    """
    if isinstance(source, bytes):
        return source
    path = Path(source)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; give an .onnx file")
    return path.read_bytes()


def model_card(source: str | PathLike[str] | bytes) -> dict[str, Any]:
    """Return the card that `animatte` writes into its ONNX files.

    Raises:
        ValueError: if it is no ONNX file, or one that another program wrote.
    """
    label = "these bytes" if isinstance(source, bytes) else str(source)
    try:
        model = _fields(memoryview(file_bytes(source)))
        entries = [_entry(field.payload) for field in model if field.number == _MODEL_METADATA]
    except (LookupError, UnicodeDecodeError) as error:
        raise ValueError(f"{label}: broken, or not an ONNX file") from error
    text = dict(entries).get(CARD_KEY)
    if text is None:
        raise ValueError(
            f"{label}: not an animatte model: its metadata has no {CARD_KEY!r} entry; "
            "use a file that animatte exported"
        )
    return _checked_card(text, label)


def _checked_card(text: str, label: str) -> dict[str, Any]:
    try:
        card: dict[str, Any] = {"format": None, **json.loads(text)}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{label}: its card cannot be read ({error}); export it again") from error
    if card["format"] != CARD_FORMAT:
        raise ValueError(
            f"{label}: its card has format {card['format']}, and this version reads {CARD_FORMAT}; "
            "upgrade animatte or export the model again"
        )
    missing = [key for key in _CARD_KEYS if key not in card]
    if missing:
        raise ValueError(f"{label}: its card has no {', '.join(missing)}; export it again")
    return card


def with_card(model: bytes, card: Mapping[str, Any]) -> bytes:
    """Return a model with this card in place of its own; the network stays byte for byte.

    Args:
        model: an ONNX file's content.
        card: plain values; what `model_card` demands is not looked for here.
    """
    kept = [
        field.whole
        for field in _fields(memoryview(model))
        if field.number != _MODEL_METADATA or _entry(field.payload)[0] != CARD_KEY
    ]
    key, value = CARD_KEY.encode(), json.dumps(card).encode()
    entry = _with_length(_ENTRY_KEY, key) + _with_length(_ENTRY_VALUE, value)
    return b"".join([*kept, _with_length(_MODEL_METADATA, entry)])


def subgraph(model: bytes, outputs: Iterable[str]) -> bytes:
    """Return a model that computes only `outputs`: without the nodes and weights of the others.

    Args:
        model: an ONNX file's content; its nodes have no inner graphs (no If, no Loop).
        outputs: names of outputs that it has.
    """
    parts: list[bytes | memoryview] = []
    for field in _fields(memoryview(model)):
        if field.number == _MODEL_GRAPH:
            graph = b"".join(_kept(list(_fields(field.payload)), set(outputs)))
            parts.append(_with_length(_MODEL_GRAPH, graph))
        else:
            parts.append(field.whole)
    return b"".join(parts)


def _kept(graph: list[_Field], outputs: set[str]) -> Iterator[memoryview]:
    """Pass on the fields that `outputs` depend on."""
    needed = set(outputs)
    unused = set()
    for index in reversed(range(len(graph))):
        if graph[index].number != _GRAPH_NODE:
            continue
        names = list(_fields(graph[index].payload))
        if needed.isdisjoint(_strings(names, _NODE_OUTPUT)):
            unused.add(index)
        else:
            needed.update(_strings(names, _NODE_INPUT))
    for index, field in enumerate(graph):
        if field.number == _GRAPH_INITIALISER:
            keep = not needed.isdisjoint(_strings(_fields(field.payload), _TENSOR_NAME))
        elif field.number == _GRAPH_OUTPUT:
            keep = not outputs.isdisjoint(_strings(_fields(field.payload), _VALUE_NAME))
        else:
            keep = index not in unused and field.number != _GRAPH_VALUE_INFO
        if keep:
            yield field.whole


def _entry(message: memoryview) -> tuple[str, str]:
    """Key and value of a metadata entry."""
    fields: Mapping[int, memoryview] = {f.number: f.payload for f in _fields(message)}
    return str(fields[_ENTRY_KEY], "utf-8"), str(fields.get(_ENTRY_VALUE, b""), "utf-8")


def _strings(fields: Iterable[_Field], number: int) -> list[str]:
    return [str(field.payload, "utf-8") for field in fields if field.number == number]


def _fields(message: memoryview) -> Iterator[_Field]:
    """Walk through a message.

    Raises:
        IndexError: if the bytes end early or are no such message.
    """
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind, payload_start = tag & 7, at
        if kind == 0:
            payload_start = at = _varint(message, at)[1]
        elif kind == 2:
            length, payload_start = _varint(message, at)
            at = payload_start + length
        elif kind in _FIXED_WIDTHS:
            payload_start = at = at + _FIXED_WIDTHS[kind]
        else:
            raise IndexError(f"field kind {kind}")
        if tag < 8:
            raise IndexError("field number 0")
        if at > len(message):
            raise IndexError("a field ends after its message")
        yield _Field(tag >> 3, message[payload_start:at], message[start:at])


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends.

    Raises:
        IndexError: if it does not end with the message, or after 64 bits.
    """
    value = 0
    for shift in range(0, 64, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError("a number of more than 64 bits")


def _with_length(number: int, payload: bytes) -> bytes:
    """A field with its tag and length, of a number below 16."""
    return bytes([number << 3 | 2]) + _as_varint(len(payload)) + payload


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
