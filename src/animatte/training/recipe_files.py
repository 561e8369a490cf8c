"""Recipe files: which are shipped, how YAML is read, and how its values are replaced.

A file may have `parameters`, so that one file holds a family of recipes:

    parameters:
      root: data                        # a value: {root} below becomes it
      track:                            # a choice; the first option is taken unless told otherwise
        ori: {}
        rssn: {data.composition.track: rssn}   # what the option puts where
    name: gfm-{track}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

import yaml

PARAMETERS = "parameters"
_PACKAGE = Path(__file__).parents[1]
# Beside the package in its repository, inside it once it is installed.
_SHELVES = (_PACKAGE / "recipes", _PACKAGE.parents[1] / "recipes")


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, and takes 1e-3 for the number it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping.

        Raises:
            ConstructorError: if a key stands in it twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    **yaml.SafeLoader.yaml_implicit_resolvers,
    **{
        sign: [
            *yaml.SafeLoader.yaml_implicit_resolvers.get(sign, []),
            ("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$")),
        ]
        for sign in "-+0123456789"
    },
}


def recipe_values(recipe: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a recipe, choose its options and replace values.

    Args:
        recipe: a YAML file, or the name of a shipped recipe.
        overrides: "key.inner=value" each, value in YAML; a parameter is named by itself.

    Returns:
        plain values, not yet checked.

    Raises:
        ValueError: naming the file or the override and what is wrong with it.
    """
    path, words = found_recipe(recipe)
    values = _mapping(path)
    parameters = values.pop(PARAMETERS, {})
    pairs = [_override(text) for text in overrides]
    given = {key: value for key, value in pairs if key in parameters}
    values = _settled(path, values, parameters, {**_named_options(parameters, words), **given})
    for (key, value), text in zip(pairs, overrides, strict=True):
        if key not in parameters:
            _put(values, key, value, f"override {text!r}")
    return values


def shipped_recipes() -> dict[str, list[str]]:
    """Names that `animatte train` takes instead of a path, by their family, sorted.

    A family is written as shells expand it, `gfm-{r34,d121}-{tt,ft}`; what a name leaves out is the
    first of its options.
    """
    families = {}
    for path in _shipped_files():
        pattern, choices = _name_of(path)
        family = _filled(pattern, {key: f"{{{','.join(found)}}}" for key, found in choices.items()})
        families[family] = [
            _filled(pattern, dict(zip(choices, options, strict=True)))
            for options in product(*choices.values())
        ]
    return dict(sorted(families.items()))


def found_recipe(recipe: Path) -> tuple[Path, list[str]]:
    """Find the file of a recipe, and the words of its name that say which of a family it is.

    Raises:
        ValueError: if it is neither a file nor the name of a shipped recipe.
    """
    if recipe.is_file():
        return recipe, []
    if recipe.suffix or len(recipe.parts) != 1:
        raise ValueError(f"{recipe} is no file; give the path of a recipe (YAML)")
    for path in _shipped_files():
        if recipe.name == path.stem:
            return path, []
        words = recipe.name.removeprefix(f"{path.stem}-").split("-")
        options = _options(_mapping(path).get(PARAMETERS, {}))
        if recipe.name.startswith(f"{path.stem}-") and all(word in options for word in words):
            return path, words
    known = [name for names in shipped_recipes().values() for name in names]
    near = get_close_matches(recipe.name, known, 1, 0)
    nearest = f", of which {near[0]} is the nearest" if near else ""
    raise ValueError(
        f"{recipe} is no file and no shipped recipe{nearest}; list them with: animatte train --list"
    )


def _shipped_files() -> list[Path]:
    """Longest names first, so that a file of its own goes before a family."""
    shelf = next((folder for folder in _SHELVES if folder.is_dir()), None)
    found = [] if shelf is None else sorted(shelf.glob("*.yaml"))
    return sorted(found, key=lambda path: -len(path.stem))


def _name_of(path: Path) -> tuple[str, dict[str, list[str]]]:
    """A recipe's name, and the options of each choice that stands in it."""
    values = _mapping(path)
    pattern = str(values.get("name", path.stem))
    choices = {
        f"{{{name}}}": list(map(str, value))
        for name, value in values.get(PARAMETERS, {}).items()
        if isinstance(value, dict) and f"{{{name}}}" in pattern
    }
    return pattern, choices


def _mapping(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no mapping; a recipe starts with 'name: ...'")  # noqa: TRY004  the file is at fault
    if not isinstance(values.get(PARAMETERS, {}), dict):
        raise ValueError(f"{path}: {PARAMETERS} is no mapping; write 'name: value' lines below it")  # noqa: TRY004
    return values


def _options(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Options of all choices, each with the name of its choice."""
    choices = {name: value for name, value in parameters.items() if isinstance(value, dict)}
    return {str(option): name for name, options in choices.items() for option in options}


def _named_options(parameters: Mapping[str, Any], words: Sequence[str]) -> dict[str, str]:
    options = _options(parameters)
    named: dict[str, str] = {}
    for word in words:
        if options[word] in named:
            both = f"{named[options[word]]} and {word}"
            raise ValueError(f"the recipe's name says {both}; {options[word]} can be one of them")
        named[options[word]] = word
    return named


def _settled(
    path: Path, values: dict[str, Any], parameters: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Put what the options say in place, then write every parameter's value where it is named."""
    settled: dict[str, str] = {}
    for name, default in parameters.items():
        if not isinstance(default, dict):
            settled[f"{{{name}}}"] = str(given.get(name, default))
            continue
        options = {str(option): changes for option, changes in default.items()}
        chosen = str(given.get(name, next(iter(options), None)))
        if chosen not in options:
            near = get_close_matches(chosen, options, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{path}: {name}: expected one of {', '.join(options)}, given {chosen!r}{hint}"
            )
        origin, changes = f"{path}: {PARAMETERS}.{name}.{chosen}", options[chosen]
        if not isinstance(changes, dict):
            raise ValueError(f"{origin}: expected a mapping of keys to values, given {changes!r}")  # noqa: TRY004
        for key, value in changes.items():
            _put(values, str(key), value, origin)
        settled[f"{{{name}}}"] = chosen
    filled = _filled(values, settled)
    assert isinstance(filled, dict)
    return filled


def _filled(value: Any, settled: Mapping[str, str]) -> Any:
    """Write parameters' values into all strings of a tree."""
    if isinstance(value, dict):
        return {key: _filled(inner, settled) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, settled) for inner in value]
    if isinstance(value, str):
        for name, text in settled.items():
            value = value.replace(name, text)
    return value


def _override(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ValueError(f"override {text!r} has no '='; write key=value, like seed=1")
    try:
        return key, yaml.load(value, _Loader)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"override {text!r}: the value is not YAML: {reason}") from error


def _put(values: dict[str, Any], key: str, value: Any, origin: str) -> None:
    """Put a value at "key.0.inner".

    Raises:
        ValueError: naming the origin, if there is no such place.
    """
    parts: list[Any] = [int(part) if part.isdigit() else part for part in key.split(".")]
    *outer, last = parts
    node: Any = values
    try:
        for part in outer:
            if isinstance(node, dict) and node.get(part) is None:
                node[part] = {}
            node = node[part]
        if not isinstance(node, dict | list):
            raise TypeError  # noqa: TRY301
        node[last] = value
    except (IndexError, TypeError) as error:
        raise ValueError(f"{origin}: the recipe has no place {key!r}") from error
