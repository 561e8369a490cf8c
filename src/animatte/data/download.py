"""Data sets from their publishers: resumed where interrupted, checked, unpacked whole or not."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

OnBytes: TypeAlias = Callable[[int, int], None]

_TIMEOUT = 60.0  # seconds without a byte
_ATTEMPTS = 5
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """A .tar.gz of the publisher's.

    Attributes:
        url: where it is.
        md5: of the file, against damage; the publisher's host is trusted through HTTPS.
        folder: what is in it, and the only thing.
    """

    url: str
    md5: str
    folder: str

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


# Checksums as torchvision publishes them (torchvision.datasets.OxfordIIITPet).
_PETS = "https://thor.robots.ox.ac.uk/pets"
DOWNLOADS: Mapping[str, Sequence[Archive]] = {
    "pets": (
        Archive(f"{_PETS}/annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f", "annotations"),
        Archive(f"{_PETS}/images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c", "images"),
    )
}


def downloaded(archive: Archive, root: Path, on_bytes: OnBytes | None = None) -> Path:
    """Fetch an archive and unpack it; what is there already is left alone.

    What has come stays in `root/NAME.part`, and the next call goes on from there. The folder
    appears whole, by one renaming, or not at all.

    Args:
        archive: what to fetch.
        root: where its folder goes; made if missing.
        on_bytes: called with how many bytes have come, and of how many.

    Returns:
        The folder.

    Raises:
        ValueError: if what came is not what was published, or would leave the folder.
        OSError: if the connection or the disk fails; call again to go on.
    """
    folder = root / archive.folder
    if folder.exists():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    part = root / f"{archive.name}.part"
    _fetch(archive, part, on_bytes)
    _check(archive, part)
    unpacked = root / f".{archive.folder}.unpacking"
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        _unpack(part, unpacked)
        found = sorted(path.name for path in unpacked.iterdir())
        if found != [archive.folder]:
            raise ValueError(f"{archive.url} holds {found}, not the folder {archive.folder} alone")
        (unpacked / archive.folder).rename(folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    part.unlink()
    return folder


def _fetch(archive: Archive, part: Path, on_bytes: OnBytes | None) -> None:
    """Bring `part` to full length, going on from what it has."""
    reason = "the connection broke off"
    for _ in range(_ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        try:
            total = _fetched_once(archive, part, have, on_bytes)
        except HTTPError as error:
            raise OSError(f"{archive.url} answers {error.code} ({error.reason})") from error
        except (URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            continue
        if part.stat().st_size >= total:
            return
    have = part.stat().st_size if part.exists() else 0
    raise OSError(
        f"{archive.url} stopped after {have} bytes ({reason}); what came is kept: run the same "
        "command again to go on"
    )


def _fetched_once(archive: Archive, part: Path, have: int, on_bytes: OnBytes | None) -> int:
    """Ask for what is missing, append what comes; return the full length."""
    headers = {"User-Agent": "animatte", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = urlopen(Request(archive.url, headers=headers), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return have  # all of it has come; the checksum decides
        raise
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server starts over
        length = answer.headers["Content-Length"]
        total = have + int(length) if length else 0
        with part.open("ab" if have else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if on_bytes is not None:
                    on_bytes(have, total)
    return total


def _check(archive: Archive, part: Path) -> None:
    """Refuse, and remove, a file that is not the published one."""
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != archive.md5:
        part.unlink()
        raise ValueError(
            f"{archive.url} has MD5 {digest.hexdigest()}, {archive.md5} was published; what came "
            "is removed: try again, and if it happens again the publisher changed the file"
        )


def _unpack(path: Path, folder: Path) -> None:
    """Unpack files and folders; refuse links, devices, and what would leave the folder."""
    top = folder.resolve()
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            target = (top / member.name).resolve()
            if not target.is_relative_to(top) or not (member.isfile() or member.isdir()):
                raise ValueError(
                    f"{path.name} holds {member.name!r}, which is no file inside it; "
                    "nothing is unpacked"
                )
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
