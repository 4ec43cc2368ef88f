"""The backend as the plugin sees it: found or started when needed, watched, its state in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from krita import Krita

from protocol import launch
from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.folders import state_folder
from protocol.messages import Error, Fetch, Result

from .notice import Offer, OfferError
from .qt import QObject, pyqtSignal
from .steps import Work

POLL_MS = 20
_START_SECONDS = 30.0
_ATTEMPTS = 2


class State(Enum):
    """Where the backend stands."""

    missing = "not installed"
    stopped = "not running"
    starting = "starting"
    ready = "ready"
    failed = "not usable"


@dataclass
class _Attempt:
    """To connect: one job makes it, others wait for it. ``error``: how it ended."""

    error: NuriError | None = None


class Backend(QObject):
    """One connection to the user's daemon, opened when the first job needs it.

    ``state``; ``error``: why it is missing or failed; ``device``: where it computes.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = State.stopped
        self.error: NuriError | None = None
        self.device = ""
        self._client: Client | None = None
        self._attempt: _Attempt | None = None
        self._replies: dict[str, Result | NuriError | None] = {}

    @property
    def models(self) -> list[dict[str, Any]]:
        """What the backend can colour with, as it said when it let us in; empty before that."""
        welcome = self._client.welcome if self._client else None
        return list(welcome.models) if welcome else []

    @property
    def log_file(self) -> Path | None:
        """The backend's log, or what it said while starting; None when there is neither."""
        welcome = self._client.welcome if self._client else None
        names = [Path(welcome.log_file)] if welcome and welcome.log_file else []
        names += [state_folder() / "daemon.log", state_folder() / launch.START_LOG_NAME]
        return next((name for name in names if name.is_file()), None)

    def look(self) -> None:
        """Brings ``state`` up to date without starting or waiting for anything."""
        if self.state is State.starting:
            return
        self.poll()
        if self._client is not None:
            return
        try:
            launch.backend_command()
        except NuriError as error:
            self._set(State.missing, error)
        else:
            if self.state is not State.failed:
                self._set(State.stopped)

    def client(self) -> Work:
        """A ready client; starts the daemon when none runs. Returns `Client`.

        While one caller connects, others wait for what comes of it; where that one is stopped,
        another takes over. Raises `NuriError`: not_found (not installed), unreachable (does not
        start or answer), version_mismatch, unauthenticated, too_many_clients.
        """
        while True:
            self.poll()
            if self._client is not None:
                return self._client
            attempt = self._attempt
            if attempt is None:
                return (yield from self._open())
            while self._attempt is attempt:
                yield POLL_MS
            if attempt.error is not None:
                raise attempt.error

    def ask_again(self) -> Work:
        """As `client`, with `models` as they are by then: styles are taught meanwhile."""
        client = yield from self.client()
        known = client.welcome
        client.ask_again()
        while client.welcome is known and not client.lost:
            yield POLL_MS
            self.poll()
        return client if client.lost is None else (yield from self.client())

    def _open(self) -> Work:
        """As `client`, for one caller at a time."""
        self._attempt = attempt = _Attempt()
        self._set(State.starting)
        try:
            self._client = client = yield from self._connect()
            self.device = client.welcome.device
            self._set(State.ready)
        except NuriError as error:
            attempt.error = error
            if error.code is not ErrorCode.not_found:
                self._set(State.failed, error)
                raise
            self._set(State.missing, error)
            info = error.info
            attempt.error = OfferError(info.code, info.message, info.action, Offer.install)
            raise attempt.error from None
        finally:
            self._attempt = None
            # Cancelled while it was starting.
            if self.state is State.starting:
                self._set(State.stopped)
        return client

    def fetch(self, job: str) -> Work:
        """The kept result of a finished job; returns `Result`.

        Raises `NuriError`: not_found (never kept, or too old), and what `client` raises.
        """
        client = yield from self.client()
        self._replies[job] = None
        try:
            client.send_work(Fetch(job=job))
            while (reply := self._replies[job]) is None:
                if client.lost:
                    raise client.lost
                yield POLL_MS
                self.poll()
        finally:
            del self._replies[job]
        if isinstance(reply, NuriError):
            raise reply
        return reply

    def poll(self) -> None:
        """Moves jobs and fetches on; never blocks."""
        if self._client is None:
            return
        for message in self._client.poll():
            if isinstance(message, Result) and message.job in self._replies:
                self._replies[message.job] = message
            elif isinstance(message, Error) and message.reply_to in self._replies:
                self._replies[message.reply_to] = NuriError.from_info(message.error)
        if self._client.lost:
            self._drop()
            self._set(State.stopped)

    def use(self, command: Path) -> None:
        """Remembers that the backend is this `nuri` command. Raises `NuriError` bad_input."""
        launch.write_record([str(command)], "")
        self.error = None
        self.state = State.stopped
        self.look()
        self.changed.emit()

    def forget(self) -> None:
        """Lets go of the connection; the next `client` makes another, which knows what is new."""
        self._drop()
        self._set(State.stopped)

    def close(self) -> None:
        self._drop()

    def _connect(self) -> Work:
        attempts = _ATTEMPTS
        while True:
            if not launch.daemon_is_ready():
                yield from self._start()
            client = Client.open(name="krita", version=Krita.instance().version())
            try:
                while not (client.ready or client.lost):
                    yield POLL_MS
                    client.poll()
            except BaseException:
                client.close()
                raise
            if client.lost is None:
                return client
            client.close()
            attempts -= 1
            # A daemon that was just leaving is worth one more try with a fresh one.
            leaving = client.lost.code in (ErrorCode.unreachable, ErrorCode.shutting_down)
            if not leaving or attempts == 0:
                raise client.lost

    def _start(self) -> Work:
        for pause in launch.starting(timeout=_START_SECONDS):
            yield round(1000 * pause)

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _set(self, state: State, error: NuriError | None = None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self.changed.emit()
