"""One run at a time: a lock that a process holds, and that vanishes with it, however it ends."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# What file systems say that know no locks: on them, runs are not kept apart.
_NO_LOCKS: Final = (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK)


class RunLock:
    """An exclusive lock, held until it is closed or its process ends, be it by a kill.

    Args:
        path: a file that serves nothing else: it is made, and removed when the lock is closed.

    Raises:
        BlockingIOError: if another one is held, in this process or in any other.
        OSError: if the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _locked(path)

    def close(self) -> None:
        """Let the next one in."""
        if sys.platform == "win32":  # where what is open cannot be removed
            os.close(self._descriptor)
            with suppress(OSError):  # it stays where the next one has opened it already
                self._path.unlink()
        else:
            with suppress(OSError):  # one that stays is in nobody's way
                self._path.unlink()  # while it is held: it cannot be the next one's
            os.close(self._descriptor)


def _locked(path: Path) -> int:
    """The descriptor of a file that is locked by it, and still has its name."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(descriptor)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed since it was opened: it would keep nobody out


def _take(descriptor: int) -> None:
    """Lock an open file at once, or not at all."""
    if sys.platform == "win32":
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(errno.EAGAIN, "it is locked") from error
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(descriptor: int, path: Path) -> bool:
    if sys.platform == "win32":
        return True  # what is open is not removed
    else:  # noqa: RET505 - for mypy, which looks at one of the two
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False
