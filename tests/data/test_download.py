"""Downloads, from a server on this machine: interrupted, resumed, wrong, malicious."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from animatte.data.download import DOWNLOADS, Archive, downloaded


@dataclass
class Site:
    """What the server gives and what it was asked.

    Attributes:
        content: the file.
        breaks: after how many bytes each coming answer breaks off.
        resumes: whether it understands ranges.
        asked: the range of each request.
    """

    content: bytes = b""
    breaks: list[int] = field(default_factory=list)
    resumes: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            site.asked.append(wanted)
            if self.path.startswith("/missing"):
                self.send_error(404)
                return
            start = int(wanted[len("bytes=") : -1]) if wanted and site.resumes else 0
            if start >= len(site.content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(site.content) - start))
            self.end_headers()
            until = start + site.breaks.pop(0) if site.breaks else None
            self.wfile.write(site.content[start:until])

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/images.tar.gz"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def tarball(files: dict[str, bytes], link: str | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link is not None:
            member = tarfile.TarInfo("images/link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return stream.getvalue()


def published(site: Site, content: bytes) -> Archive:
    site.content = content
    return Archive(site.url, hashlib.md5(content).hexdigest(), "images")


@pytest.fixture
def archive(site: Site) -> Archive:
    noise = np.random.default_rng(0).bytes(50_000)
    return published(site, tarball({"images/a.jpg": noise, "images/deep/b.txt": b"b"}))


def test_an_archive_is_fetched_checked_and_unpacked(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    folder = downloaded(archive, tmp_path / "pets", lambda *each: seen.append(each))
    assert folder == tmp_path / "pets/images"
    assert (folder / "deep/b.txt").read_bytes() == b"b"
    assert len((folder / "a.jpg").read_bytes()) == 50_000
    assert [path.name for path in (tmp_path / "pets").iterdir()] == ["images"]
    assert seen[-1] == (len(site.content), len(site.content))


def test_what_is_there_is_not_fetched_again(site: Site, archive: Archive, tmp_path: Path) -> None:
    downloaded(archive, tmp_path)
    downloaded(archive, tmp_path)
    assert site.asked == [None]


def test_a_connection_that_breaks_off_is_resumed(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    site.breaks = [1000, 20_000]
    downloaded(archive, tmp_path)
    assert site.asked == [None, "bytes=1000-", "bytes=21000-"]
    assert (tmp_path / "images/deep/b.txt").exists()


def test_an_interrupted_download_goes_on_with_the_next_call(
    site: Site, archive: Archive, tmp_path: Path
) -> None:
    site.breaks = [1000] * 5
    with pytest.raises(OSError, match=r"stopped after 5000 bytes .* run the same command again"):
        downloaded(archive, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["images.tar.gz.part"]
    downloaded(archive, tmp_path)
    assert site.asked[-1] == "bytes=5000-"
    assert (tmp_path / "images/a.jpg").exists()


def test_a_whole_part_is_not_fetched_again(site: Site, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "images.tar.gz.part").write_bytes(site.content)
    downloaded(archive, tmp_path)
    assert (tmp_path / "images/a.jpg").exists()


def test_a_server_without_ranges_starts_over(site: Site, archive: Archive, tmp_path: Path) -> None:
    site.resumes, site.breaks = False, [1000]
    downloaded(archive, tmp_path)
    assert (tmp_path / "images/a.jpg").exists()


def test_a_wrong_checksum_leaves_nothing(site: Site, archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has MD5 .*, 0123 was published"):
        downloaded(replace(archive, md5="0123"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.txt", "images/../../evil.txt", "/tmp/evil-images.txt"])
def test_a_path_that_leaves_the_folder_is_refused(site: Site, tmp_path: Path, name: str) -> None:
    archive = published(site, tarball({"images/a.jpg": b"a", name: b"evil"}))
    with pytest.raises(ValueError, match=r"evil.* nothing is unpacked"):
        downloaded(archive, tmp_path / "root")
    assert not (tmp_path / "evil.txt").exists()
    assert not Path("/tmp/evil-images.txt").exists()
    assert not (tmp_path / "root/images").exists()


def test_links_and_other_folders_are_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="images/link"):
        downloaded(published(site, tarball({"images/a": b""}, "/etc")), tmp_path)
    (tmp_path / "images.tar.gz.part").unlink()
    with pytest.raises(ValueError, match=r"\['images', 'more'\]"):
        downloaded(published(site, tarball({"images/a": b"", "more/b": b""})), tmp_path)
    assert not (tmp_path / "images").exists()


def test_a_missing_file_and_no_server_are_one_line(site: Site, tmp_path: Path) -> None:
    missing = Archive(site.url.replace("images", "missing"), "", "images")
    with pytest.raises(OSError, match="answers 404"):
        downloaded(missing, tmp_path)
    nowhere = Archive("http://127.0.0.1:9/images.tar.gz", "", "images")
    with pytest.raises(OSError, match="stopped after 0 bytes"):
        downloaded(nowhere, tmp_path)


def test_pets_come_from_the_publisher_over_https() -> None:
    assert [archive.folder for archive in DOWNLOADS["pets"]] == ["annotations", "images"]
    for archive in DOWNLOADS["pets"]:
        assert archive.url.startswith("https://thor.robots.ox.ac.uk/pets/")
        assert len(bytes.fromhex(archive.md5)) == 16
