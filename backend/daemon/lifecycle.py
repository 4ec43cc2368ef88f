"""Coming and going of the daemon: its connection file, its idle time, signals that end it."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from types import FrameType

from protocol.connection import ConnectionFile, connection_path
from protocol.errors import NuriError

from .mailbox import Mailbox
from .memory import give_back_memory

_CHECK_SECONDS = 5.0
_TRIM_SECONDS = 5.0
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
_logger = logging.getLogger("nuri.daemon")


class Publication:
    """The connection file of this daemon while it runs."""

    def __init__(self, connection: ConnectionFile) -> None:
        self._connection = connection
        self._path = connection_path()
        self._next_check = float("inf")

    def publish(self, now: float) -> None:
        """Writes the file in place of one that a dead daemon left. Raises `NuriError`."""
        try:
            old = ConnectionFile.read(self._path)
            _logger.info("replacing the connection file of process %d, which is gone", old.pid)
        except NuriError:
            # None there, or none that anybody could use.
            pass
        self._connection.write(self._path)
        self._next_check = now + _CHECK_SECONDS

    def renew(self, now: float) -> None:
        """Writes the file again when somebody, a cleaner of old files perhaps, has removed it."""
        if now < self._next_check:
            return
        self._next_check = now + _CHECK_SECONDS
        if not self._path.exists():
            _logger.warning("the connection file had vanished; written again")
            self._connection.write(self._path)

    def withdraw(self) -> None:
        self._connection.remove(self._path)


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


def remove_sockets(folder: Path) -> None:
    """Takes the daemon's socket files away; ZeroMQ leaves them, and so does a killed daemon."""
    for path in folder.glob("*.sock"):
        path.unlink(missing_ok=True)
