"""Which file each result goes to, and in which format."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from animatte.images import OUTPUT_SUFFIXES, ImageError


@dataclass(frozen=True)
class OutputFormat:
    """A kind of file that results are written to.

    Attributes:
        name: as users write it.
        suffixes: of its files; the first is the default.
        bit_depth: bits a channel.
    """

    name: str
    suffixes: tuple[str, ...]
    bit_depth: Literal[8, 16]


FORMATS: Mapping[str, OutputFormat] = {
    known.name: known
    for known in (
        OutputFormat("png", (".png",), 8),
        OutputFormat("webp", (".webp",), 8),
        OutputFormat("png16", (".png",), 16),
        OutputFormat("tiff16", (".tif", ".tiff"), 16),
        OutputFormat("jpg", (".jpg", ".jpeg"), 8),
    )
}


def named_format(name: str | None, output: str | None, num_photos: int) -> OutputFormat:
    """The format by its name, else by the suffix of a single output file, else PNG.

    Args:
        name: a key of `FORMATS`, in any case, or None.
        output: what the user gave as output: file or folder, or None.
        num_photos: how many photos are to be cut.

    Raises:
        ValueError: for an unknown name or suffix, or if the two contradict each other.
    """
    suffix = Path(output).suffix.lower() if output and _is_file(output, num_photos) else None
    if name is None:
        return _format_of_suffix(suffix) if suffix else FORMATS["png"]
    if name.lower() not in FORMATS:
        raise ValueError(f"format {name!r} is unknown; choose one of {', '.join(FORMATS)}")
    chosen = FORMATS[name.lower()]
    if suffix and suffix not in chosen.suffixes:
        raise ValueError(
            f"output {output} is not a {chosen.name} file; "
            f"name it {chosen.suffixes[0]} or leave --format out"
        )
    return chosen


def output_paths(
    photos: Sequence[Path],
    output: str | None,
    kind: str,
    output_format: OutputFormat,
    *,
    kept: Sequence[Path] = (),
    below: Sequence[Path] | None = None,
) -> list[Path]:
    """Where each photo's result goes: `NAME.KIND.SUFFIX` beside it or in a folder, or one file.

    No result takes the place of a photo or of another result: the second of one name becomes
    `NAME-2.KIND.SUFFIX`, and so on, in the order given.

    Args:
        photos: files to be cut, each once.
        output: a folder (it exists, ends with a slash, or has no suffix), one photo's file, or
            None for beside the photos.
        kind: the word in the names: "cutout", "matte", "trimap" or "composite".
        output_format: gives the suffix.
        kept: further files that no result may replace.
        below: for each photo the folder below `output` that its result goes to; None for none.

    Raises:
        ValueError: if the output is one file for several photos, or a file that is read.
    """
    if output is not None and _is_file(output, len(photos)):
        return [unread_path(output, [*photos, *kept])]
    taken = {_key(path) for path in (*photos, *kept)}
    folder = None if output is None else Path(output)
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"output {output} is a file, not a folder; choose another name")
    ending = f".{kind}{output_format.suffixes[0]}"
    outputs = []
    for photo, inner in zip(photos, below or [Path()] * len(photos), strict=True):
        target = photo.parent if folder is None else folder / inner
        path = _free_path(target, photo.stem, ending, taken)
        taken.add(_key(path))
        outputs.append(path)
    return outputs


def unread_path(name: str, read: Iterable[Path], what: str = "output") -> Path:
    """A file that is to be written.

    Args:
        name: of it, as given.
        read: files that are to be read.
        what: how messages name it.

    Raises:
        ValueError: if it is one of those.
    """
    if _key(Path(name)) in {_key(path) for path in read}:
        raise ValueError(f"{what} {name} is a file to be read; choose another name")
    return Path(name)


def is_same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or would where case does not count."""
    return _key(path) == _key(other)


def names_folder(output: str) -> bool:
    """Whether an output is a folder for sure: it exists as one, or ends with a slash."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def make_folder(folder: Path) -> None:
    """Make the folder of a result, if need be.

    Raises:
        ImageError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"folder {folder} cannot be made ({error.strerror}); choose another with -o"
        ) from error


# Standard output, by the name that pipes know it by.
STANDARD = Path("-")


def report_path(name: str, read: Sequence[Path]) -> Path:
    """The file of a report, or `STANDARD`.

    Raises:
        ValueError: if it is a folder, or a file that is to be read.
    """
    if Path(name).is_dir():
        raise ValueError(f"report {name} is a folder; name a file, such as report.jsonl")
    return unread_path(name, read, "report")


@contextmanager
def line_file(
    path: Path | None, append: bool = False
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a file of JSON lines, an earlier one replaced; yields what writes a line.

    A line is handed to the system in one piece, line feed included, so that whoever reads along,
    and whatever stops the run, finds whole lines.

    Args:
        path: the file, whose folder is made if need be, or `STANDARD`; None writes nowhere.
        append: to an earlier one.
    """
    if path is None:
        yield lambda _: None
        return
    if path == STANDARD:
        yield lambda values: print(json.dumps(values), flush=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    is_torn = append and path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("ab" if append else "wb", buffering=0) as file:
        if is_torn:
            file.write(b"\n")  # what a kill cut short stays a line of its own

        def write(values: Mapping[str, Any]) -> None:
            # ASCII: a name that is no valid Unicode must not stop the batch.
            file.write(json.dumps(values).encode("ascii") + b"\n")

        yield write


def _is_file(output: str, num_photos: int) -> bool:
    """Whether an output names one file rather than a folder."""
    path = Path(output)
    if names_folder(output):
        return False
    if num_photos > 1 and path.suffix.lower() in OUTPUT_SUFFIXES:
        raise ValueError(
            f"output {output} is one file, but there are {num_photos} photos; name a folder"
        )
    return num_photos == 1 and bool(path.suffix)


def _format_of_suffix(suffix: str) -> OutputFormat:
    for known in FORMATS.values():
        if suffix in known.suffixes:
            return known
    suffixes = ", ".join(
        dict.fromkeys(each for known in FORMATS.values() for each in known.suffixes)
    )
    raise ValueError(
        f"output suffix {suffix!r} is unknown; choose one of {suffixes}, "
        "or end the name with / to mean a folder"
    )


def _free_path(folder: Path, stem: str, ending: str, taken: set[str]) -> Path:
    path = folder / f"{stem}{ending}"
    for number in count(2):
        if _key(path) not in taken:
            break
        path = folder / f"{stem}-{number}{ending}"
    return path


def _key(path: Path) -> str:
    """The same for names that a case-blind file system takes for one.

    `Path.resolve` would raise for links in a circle, before the first photo is cut.
    """
    return os.path.realpath(path).casefold()
