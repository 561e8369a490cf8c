"""What is wrong with a recipe, in one line: the key, what was expected, the nearest known key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

Node: TypeAlias = Mapping[str, Any]
Key: TypeAlias = str | int

_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
}
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "path": "a path",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}


def complaint(error: ValidationError, model: type[BaseModel], values: Any) -> str:
    """Say what is wrong with values that a model refused.

    Args:
        error: of the model.
        model: what the values were checked by.
        values: what was checked.

    Returns:
        one line, of the first fault; a key that is unknown goes before one that is missing, since
        one may be the other misspelt.
    """
    schema = model.model_json_schema()
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    fault = faults[0]
    place = _place(fault["loc"], values, is_missing=fault["type"] in ("missing", "extra_forbidden"))
    key = ".".join(str(part) for part in place)
    if fault["type"] == "extra_forbidden":
        return f"{key}: there is no such key; {_nearest(schema, place, values)}"
    if fault["type"] == "missing":
        expected = _described(schema, _node_at(schema, place, values))
        return f"{key}: it is missing; expected {expected}"
    if fault["type"] == "value_error":
        return f"{key}: {fault['ctx']['error']}".removeprefix(": ")
    given = _value_at(values, place)
    if fault["type"].startswith("union_tag"):
        tag = fault["ctx"]["discriminator"].strip("'")
        tags = _resolved(schema, _node_at(schema, place[:-1], values))["properties"][place[-1]]
        options = list(tags["discriminator"]["mapping"])
        return f"{key}.{tag}: expected one of {', '.join(options)}{_given(given.get(tag), options)}"
    node = _node_at(schema, place, values)
    return f"{key}: expected {_described(schema, node)}{_given(given, _options(schema, node))}"


def _given(value: Any, options: Sequence[str] = ()) -> str:
    """What was given, as YAML has it, and which option it resembles."""
    near = get_close_matches(value, options, 1) if isinstance(value, str) else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return f", given {json.dumps(value, default=str):.80}{hint}"


def _options(schema: Node, node: Node) -> list[str]:
    """Words of which one is expected, if any."""
    node = _resolved(schema, node)
    forms = [_options(schema, form) for form in node.get("anyOf", ())]
    return [*node.get("enum", ()), *(option for options in forms for option in options)]


def _place(location: Sequence[Key], values: Any, is_missing: bool) -> list[Key]:
    """Keys down to what is wrong, without the names that pydantic gives to the forms of a union.

    Args:
        location: as pydantic has it.
        values: what was checked.
        is_missing: the last key is named although the values do not have it, or have it wrongly.
    """
    place: list[Key] = []
    *outer, last = location or ("",)
    for part in outer if is_missing else location:
        if _has(values, part):
            place.append(part)
            values = values[part]
    return [*place, last] if is_missing else place


def _has(values: Any, part: Key) -> bool:
    if isinstance(values, dict):
        return part in values
    return isinstance(values, list) and isinstance(part, int) and part < len(values)


def _value_at(values: Any, place: Sequence[Key]) -> Any:
    for part in place:
        values = values[part]
    return values


def _nearest(schema: Node, place: Sequence[Key], values: Any) -> str:
    """The known key that was meant: beside the unknown one, or of the same name elsewhere."""
    *outer, last = place
    known = sorted(_properties(schema, _node_at(schema, outer, values)))
    near = get_close_matches(str(last), known, 1)
    if near:
        return f"did you mean {near[0]}?"
    elsewhere = [path for path in _paths(schema, schema) if path[-1] == str(last)]
    if elsewhere:
        return f"did you mean {'.'.join(elsewhere[0])}?"
    return f"the keys here are {', '.join(known)}"


def _described(schema: Node, node: Node) -> str:
    """A schema in words."""
    node = _resolved(schema, node)
    forms = node.get("anyOf") or node.get("oneOf")
    if forms:
        return " or ".join(dict.fromkeys(_described(schema, form) for form in forms))
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return f"one of {', '.join(map(str, node['enum']))}"
    return _described_kind(schema, node)


def _described_kind(schema: Node, node: Node) -> str:
    kind = _KINDS.get(node.get("format") or node.get("type", ""), "a value")
    if "prefixItems" in node:
        return f"a list of {len(node['prefixItems'])}: {_described(schema, node['prefixItems'][0])}"
    if "items" in node:
        least = " that is not empty" if node.get("minItems") else ""
        return f"a list{least}, each {_described(schema, node['items'])}"
    if "properties" in node:
        return f"{kind} with the keys {', '.join(sorted(node['properties']))}"
    if isinstance(node.get("additionalProperties"), dict):
        least = " that is not empty" if node.get("minProperties") else ""
        return f"{kind}{least}, each value {_described(schema, node['additionalProperties'])}"
    limits = [words.format(node[name]) for name, words in _LIMITS.items() if name in node]
    return " ".join([kind, " and ".join(limits)]).strip()


def _node_at(schema: Node, place: Sequence[Key], values: Any) -> Node:
    """The schema of a place; of a union the form that the values take."""
    node: Node = schema
    for part in place:
        node = _inner(schema, _form(schema, node, values), part)
        values = values[part] if _has(values, part) else None
    return node


def _inner(schema: Node, node: Node, part: Key) -> Node:
    properties = _properties(schema, node)
    if part in properties:
        return _resolved(schema, properties[str(part)])
    if isinstance(part, int) and node.get("prefixItems"):
        found: Node = node["prefixItems"][min(part, len(node["prefixItems"]) - 1)]
        return _resolved(schema, found)
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            return _resolved(schema, node[name])
    return {}


def _form(schema: Node, node: Node, values: Any) -> Node:
    """The form of a union that values take: by its discriminator, or by their kind."""
    node = _resolved(schema, node)
    forms = [_resolved(schema, form) for form in node.get("anyOf") or node.get("oneOf") or ()]
    if not forms:
        return node
    tag = node.get("discriminator", {})
    if tag and isinstance(values, dict):
        named = tag["mapping"].get(values.get(tag["propertyName"]))
        return _resolved(schema, {"$ref": named}) if named else forms[0]
    kind = "object" if isinstance(values, dict) else "array"
    return next((_form(schema, form, values) for form in forms if form.get("type") == kind), node)


def _properties(schema: Node, node: Node) -> Node:
    """Keys that a node has; of a union those of all its forms."""
    node = _resolved(schema, node)
    forms = node.get("anyOf") or node.get("oneOf") or ()
    found = dict(node.get("properties", {}))
    for form in forms:
        found |= _properties(schema, form)
    return found


def _paths(schema: Node, node: Node, outer: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a schema, by its path; the first item stands for a list's."""
    node = _resolved(schema, node)
    for form in node.get("anyOf") or node.get("oneOf") or ():
        yield from _paths(schema, form, outer)
    for name, inner in node.get("properties", {}).items():
        yield (*outer, name)
        yield from _paths(schema, inner, (*outer, name))
    if isinstance(node.get("items"), dict):
        yield from _paths(schema, node["items"], (*outer, "0"))


def _resolved(schema: Node, node: Node) -> Node:
    """Follow a reference into the schema's definitions."""
    reference = node.get("$ref")
    if not reference:
        return node
    found: Node = schema["$defs"][reference.rpartition("/")[2]]
    return found
