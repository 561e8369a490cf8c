"""Where pictures of a large run lie, and their results: on disk, in Parquet lists, in stores."""

# ruff: noqa: PLC0415 - pyarrow comes with the extra

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from animatte.images import READABLE_SUFFIXES, write_whole
from animatte.listing import Filters, Listing, checked_folders, listing
from animatte.outputs import OutputFormat, output_paths

_COLUMNS = ("path", "uri")


class Work(NamedTuple):
    """Pictures to be cut.

    Attributes:
        listing: of them, as of pictures on disk; an address stands there without its scheme.
        photos: for each a path, or an address such as `s3://bucket/dog.jpg`.
        output: the folder of the results, as an address or with a slash at its end; None for
            beside the pictures.
    """

    listing: Listing
    photos: list[str]
    output: str | None


def is_address(name: str) -> bool:
    """Whether a name is an address in a store rather than a path."""
    return "://" in name


def listed_work(names: Sequence[str], filters: Filters, output: str | None) -> Work:
    """The pictures named: first what lies on disk, then what lies in stores, each once.

    Args:
        names: files, patterns, folders, addresses of pictures or of folders of them, and Parquet
            files whose column `path` or `uri` names pictures.
        filters: for what lies in folders.
        output: where results go, a path or an address.

    Raises:
        ValueError: if there are none, or a Parquet file has no such column.
        OSError: if a store or a Parquet file cannot be read.
    """
    given = [each for name in names for each in _expanded(name)]
    local = [name for name in given if not is_address(name)]
    if output is not None and not is_address(output):
        output = checked_folders(local, output)
    elif output is None:
        checked_folders(local, None)
    folder = None if output is None or is_address(output) else Path(output)
    found = listing(local, filters, folder) if local else Listing()
    photos = [str(photo) for photo in found.photos]
    for address, below in _in_stores([name for name in given if is_address(name)], filters):
        photos.append(address)
        found.photos.append(Path(address.partition("://")[2]))
        found.below.append(below)
        found.has_folders |= below != Path()
    if not photos:
        raise ValueError("no photo was found; name pictures, folders, addresses or Parquet files")
    if output is None and any(is_address(photo) for photo in photos):
        raise ValueError("pictures of a store have no place beside them; name a folder with -o")
    return Work(found, photos, output)


def scaled_targets(
    work: Work, kind: str, output_format: OutputFormat, kept: Sequence[Path]
) -> list[str]:
    """Where each result goes, a path or an address: named as by `output_paths`."""
    photos, below = work.listing.photos, work.listing.below
    if work.output is None or not is_address(work.output):
        planned = output_paths(photos, work.output, kind, output_format, kept=kept, below=below)
        return [str(path) for path in planned]
    planned = output_paths(photos, f"results{os.sep}", kind, output_format, below=below)
    root = work.output.rstrip("/")
    return [f"{root}/{path.relative_to('results').as_posix()}" for path in planned]


def content(address: str) -> bytes:
    """The picture at an address.

    Raises:
        OSError: if it cannot be read.
    """
    store, path = _store(address)
    with store.open_input_stream(path) as stream:
        read: bytes = stream.read()
    return read


def keep(address: str, data: bytes) -> None:
    """Write a result to an address, whole or not at all; an earlier one is replaced.

    Raises:
        OSError: if it cannot be written.
    """
    store, path = _store(address)
    if store.type_name == "local":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), [data])
        return
    with store.open_output_stream(path) as stream:  # an object is there once it is closed
        stream.write(data)


def _store(address: str) -> tuple[Any, str]:
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem

    try:
        found: tuple[Any, str] = FileSystem.from_uri(address)
    except (ArrowException, ValueError) as error:
        raise ValueError(
            f"{address} is no address that pyarrow knows; write file:///…, s3://… or gs://…"
        ) from error
    return found


def _expanded(name: str) -> list[str]:
    """The name itself, or what a Parquet file names."""
    if not name.lower().endswith(".parquet"):
        return [name]
    from pyarrow import ArrowInvalid, parquet

    store, path = _store(name) if is_address(name) else (None, name)
    try:
        columns = parquet.read_schema(path, filesystem=store).names
        column = next((known for known in _COLUMNS if known in columns), None)
        if column is None:
            raise ValueError(
                f"{name} has the columns {', '.join(columns)}; one must be path or uri"
            )
        table = parquet.read_table(path, columns=[column], filesystem=store)
    except ArrowInvalid as error:
        raise ValueError(f"{name} is no Parquet file; write one with a column path") from error
    return [str(value) for value in table[column].to_pylist() if value is not None]


def _in_stores(names: Sequence[str], filters: Filters) -> Iterator[tuple[str, Path]]:
    """Addresses of pictures, each once, and the folder of each below the one named."""
    seen: set[str] = set()
    for name in names:
        for address, below in _below(name.rstrip("/"), filters):
            if address not in seen:
                seen.add(address)
                yield address, below


def _below(name: str, filters: Filters) -> Iterator[tuple[str, Path]]:
    from pyarrow.fs import FileSelector, FileType

    if PurePosixPath(name).suffix.lower() in READABLE_SUFFIXES:
        yield name, Path()  # not asked for: a list may name millions
        return
    store, root = _store(name)
    found = store.get_file_info(FileSelector(root, recursive=True))
    for info in sorted(found, key=lambda each: each.path):
        inner = PurePosixPath(info.path).relative_to(root)
        is_hidden = any(part.startswith(".") for part in inner.parts)
        is_picture = info.type == FileType.File and inner.suffix.lower() in READABLE_SUFFIXES
        if is_picture and not is_hidden and filters.admit(Path(inner)):
            yield f"{name}/{inner}", Path(inner.parent)
