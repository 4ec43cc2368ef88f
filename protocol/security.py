"""Keys of the encrypted endpoints, and the lock that lets one daemon run per user."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .errors import ErrorCode, NuriError
from .folders import folder_error, make_private_folder

# Length of a CURVE key in Z85 text.
KEY_LENGTH = 40


@dataclass(frozen=True)
class CurveKeys:
    """One CURVE key pair as Z85 text. The secret half stays out of every text shown."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"CurveKeys(public={self.public!r}, secret=...)"


def generate_keys() -> CurveKeys:
    """A fresh key pair. Raises `NuriError` unsupported where ZeroMQ was built without CURVE."""
    import zmq

    if not zmq.has("curve"):
        raise NuriError(
            ErrorCode.unsupported,
            "This build of ZeroMQ has no CURVE encryption, which every TCP endpoint needs",
            "Install pyzmq from PyPI: pip install --force-reinstall pyzmq",
        )
    public, secret = zmq.curve_keypair()
    return CurveKeys(public.decode("ascii"), secret.decode("ascii"))


class DaemonLock:
    """Held by the one daemon beside a connection file; the system frees it when the daemon dies.

    >>> with DaemonLock(lock_path()): serve()

    Raises `NuriError` busy when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Takes the lock or raises `NuriError` busy at once; never waits."""
        make_private_folder(self.path.parent)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise folder_error(self.path, error) from error
        try:
            _lock(descriptor)
        except OSError:
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


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
