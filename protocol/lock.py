"""The lock that lets one daemon run per user."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from .errors import ErrorCode, NuriError
from .folders import folder_error, make_private_folder

# Who asks whether it is held holds it for a moment.
_TRIES = 5
_PAUSE_SECONDS = 0.01


class DaemonLock:
    """Held by the one daemon beside a connection file; the system frees it when the daemon dies.

    >>> with DaemonLock(lock_path()): serve()

    Raises `NuriError` busy when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Takes the lock or raises `NuriError` busy, within some hundredths of a second."""
        make_private_folder(self.path.parent)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise folder_error(self.path, error) from error
        for left in reversed(range(_TRIES)):
            try:
                _lock(descriptor)
                break
            except OSError:
                if left:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                os.close(descriptor)
                raise NuriError(
                    ErrorCode.busy,
                    f"Another Nuri daemon runs already ({self.path} is locked)",
                    "Use it, or end it with `nuri stop`",
                ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back. The file stays: removing it would let two daemons lock two files."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """True when a process holds this lock, wherever its number is seen.

    False as well where that cannot be told: without the file, and on Windows.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
