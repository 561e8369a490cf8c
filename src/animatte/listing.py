"""Which photos are meant: files, patterns, and whole folders with what lies below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from animatte.images import OUTPUT_SUFFIXES, READABLE_SUFFIXES


@dataclass(frozen=True)
class Filters:
    """Which files of a folder are photos to be cut; case does not count.

    Attributes:
        include: patterns of which one must match, if there are any.
        exclude: patterns of which none may match.

    A pattern is matched with the name, and with the path below the folder.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def admit(self, below: Path) -> bool:
        """Whether a path below the folder is taken."""
        texts = below.name.lower(), below.as_posix().lower()

        def match(patterns: tuple[str, ...]) -> bool:
            return any(fnmatchcase(text, each.lower()) for each in patterns for text in texts)

        return (not self.include or match(self.include)) and not match(self.exclude)


@dataclass
class Listing:
    """Photos in the order in which they are cut, each once.

    Attributes:
        photos: the files.
        below: for each, its folder below the one that was named; empty for a file named itself.
        others: how many files of the folders are of other kinds, by suffix.
        closed: folders that could not be read, and why.
    """

    photos: list[Path] = field(default_factory=list)
    below: list[Path] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    closed: list[tuple[Path, OSError]] = field(default_factory=list)
    has_folders: bool = False


def checked_folders(names: Sequence[str], output: str | None) -> str | None:
    """The output, marked as a folder where a folder is among the names.

    Raises:
        ValueError: if results of a folder have no folder of their own to go to.
    """
    folders = [name for name in names if _is_folder(name)]
    if not folders:
        return output
    if output is None:
        raise ValueError(f"{folders[0]} is a folder; say with -o OUT where its results go")
    for folder in folders:
        if os.path.realpath(output) == os.path.realpath(folder):
            raise ValueError(f"output {output} is the folder that is read; choose another")
    if not Path(output).is_dir() and Path(output).suffix.lower() in OUTPUT_SUFFIXES:
        raise ValueError(
            f"output {output} is one file, but {folders[0]} is a folder; name a folder"
        )
    return os.path.join(output, "")  # noqa: PTH118  the slash says folder


def listing(
    names: Sequence[str], filters: Filters = Filters(), without: Path | None = None
) -> Listing:
    """The photos named: patterns that the shell left as they are expanded, folders searched.

    A pattern that matches nothing stays, to be reported as a file that does not exist. In folders,
    hidden files and folders are left out, and links to folders not followed.

    Args:
        names: files, patterns, folders.
        filters: for what lies in folders.
        without: a folder, the output's, not to be searched.
    """
    result = Listing()
    seen: set[str] = set()
    for name in names:
        path = Path(name)
        is_folder = _is_folder(name)
        result.has_folders |= is_folder
        found: Iterable[tuple[Path, Path]] = (
            _in_folder(path, filters, without, result)
            if is_folder
            else [(each, Path()) for each in (_matches(name) or [path])]
        )
        for photo, below in found:
            if os.path.realpath(photo) not in seen:
                seen.add(os.path.realpath(photo))
                result.photos.append(photo)
                result.below.append(below)
    return _checked(result)


def _checked(found: Listing) -> Listing:
    """Pass on what holds a photo, or at least a reason why not.

    Raises:
        ValueError: if folders are all that was named, and no photo lies in them.
    """
    if not found.photos and not found.closed:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in found.others.most_common())
        raise ValueError(
            "no photo was found in the folder"
            + (f", other files: {kinds}" if kinds else "")
            + f"; photos are {', '.join(READABLE_SUFFIXES)}, less what --include and --exclude say"
        )
    return found


def _in_folder(
    root: Path, filters: Filters, without: Path | None, result: Listing
) -> Iterator[tuple[Path, Path]]:
    """Photos of a folder and those below, each with its own folder below the root, sorted."""
    left_out = None if without is None else os.path.realpath(without)

    def note(error: OSError) -> None:
        result.closed.append((Path(error.filename), error))

    for name, folders, files in os.walk(root, onerror=note):
        folder = Path(name)
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and os.path.realpath(folder / each) != left_out
        )
        for each in sorted(file for file in files if not file.startswith(".")):
            below = folder.relative_to(root)
            if Path(each).suffix.lower() not in READABLE_SUFFIXES:
                result.others[Path(each).suffix.lower() or "no suffix"] += 1
            elif filters.admit(below / each):
                yield folder / each, below


def _is_folder(name: str) -> bool:
    """As `Path.is_dir`, which raises for names that no file can have."""
    return os.path.isdir(name)  # noqa: PTH112


def _matches(pattern: str) -> list[Path]:
    """Files that match a pattern, sorted, hidden ones left out; none for a plain name."""
    path = Path(pattern)
    if not any(letter in pattern for letter in "*?[") or path.exists():
        return []
    root = Path(path.anchor or ".")
    found = root.glob(str(path.relative_to(path.anchor) if path.anchor else path))
    return sorted(match for match in found if match.is_file() and not match.name.startswith("."))
