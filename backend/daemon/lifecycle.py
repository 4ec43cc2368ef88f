"""Coming and going of the daemon: its connection file, its idle time, signals that end it."""

from __future__ import annotations

import contextlib
import logging
import signal
from pathlib import Path
from types import FrameType

from protocol.connection import ConnectionFile, is_for_elsewhere
from protocol.errors import ErrorCode, NuriError
from protocol.folders import connection_path, file_identity

from .mailbox import Mailbox
from .memory import give_back_memory

_CHECK_SECONDS = 5.0
_TRIM_SECONDS = 5.0
_IPC = "ipc://"
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
_logger = logging.getLogger("nuri.daemon")


def make_way() -> None:
    """Takes the connection file of a dead daemon away; call with the lock held.

    The lock is the sign of life of who wrote the file, and must not be taken for ours. Raises
    `NuriError` bad_input for a file that was carried here from another machine.
    """
    path = connection_path()
    _spare_carried(path)
    try:
        old = ConnectionFile.read(path)
    except NuriError:
        # None there, or none that anybody could use.
        return
    _logger.info("taking away the connection file of process %d, which is gone", old.pid)
    # Windows keeps a file that is being read; publishing replaces it.
    with contextlib.suppress(OSError):
        path.unlink()


class Publication:
    """The connection file of this daemon while it runs. Make it when the sockets are bound.

    ``is_cut_off``: the file of a socket has vanished, so that no new client can come.
    """

    def __init__(self, connection: ConnectionFile) -> None:
        self.is_cut_off = False
        self._connection = connection
        self._path = connection_path()
        endpoints = (connection.work, connection.control)
        paths = [Path(e.removeprefix(_IPC)) for e in endpoints if e.startswith(_IPC)]
        self._sockets = {path: file_identity(path, follow=False) for path in paths}
        self._next_check = float("inf")

    def publish(self, now: float) -> None:
        """Writes the file. Raises `NuriError`."""
        _spare_carried(self._path)
        self._connection.write(self._path)
        self._next_check = now + _CHECK_SECONDS

    def renew(self, now: float) -> None:
        """Writes the file again when somebody, a cleaner of old files perhaps, has removed it."""
        if now < self._next_check:
            return
        self._next_check = now + _CHECK_SECONDS
        lost = [
            path
            for path, file in self._sockets.items()
            if file_identity(path, follow=False) != file
        ]
        if lost and not self.is_cut_off:
            _logger.warning("%s has vanished; leaving after the last job", lost[0])
        self.is_cut_off = bool(lost)
        if not self._path.exists():
            _logger.warning("the connection file had vanished; written again")
            self._connection.write(self._path)

    def withdraw(self) -> None:
        self._connection.remove(self._path)


def _spare_carried(path: Path) -> None:
    if is_for_elsewhere(path):
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} leads to a Nuri daemon on another machine and is not written over",
            "Unset NURI_CONNECTION, or let it name another file",
        )


class IdleClock:
    """How long the daemon has been without jobs, and without clients too.

    ``seconds``: an auto-started daemon leaves after so long without either; None: never.
    """

    def __init__(self, seconds: float | None, now: float) -> None:
        self._seconds = seconds
        self._last_use = now
        self._last_job = now
        self._has_trimmed = False

    def note(self, jobs: int, clients: int, now: float) -> None:
        """Takes note of what there is now; gives memory back once jobs have ceased."""
        if jobs:
            self._last_job = now
            self._has_trimmed = False
        elif not self._has_trimmed and now > self._last_job + _TRIM_SECONDS:
            self._has_trimmed = True
            give_back_memory()
        if jobs or clients:
            self._last_use = now

    def without_jobs(self, now: float) -> float:
        """Seconds since the last job ended."""
        return now - self._last_job

    def is_over(self, now: float) -> bool:
        return self._seconds is not None and now - self._last_use >= self._seconds


class Signals:
    """SIGTERM, SIGINT and the like ask the work loop to end; call from the main thread."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.received = ""
        mailbox.wake_on_signals()
        for name in _SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name
