"""The half of a client that an event loop needs: it hands in jobs and moves them on, unblocked."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from . import wire
from .connection import ConnectionFile
from .errors import ErrorCode, ErrorInfo, NuriError
from .folders import connection_path
from .job import Job
from .link import Link
from .messages import (
    Accepted,
    Cancel,
    Cancelled,
    Error,
    Failed,
    Hello,
    Message,
    Pong,
    Refused,
    Stopping,
    Submit,
    Welcome,
)
from .pixels import Plane
from .version import PROTOCOL_VERSION, can_talk, mismatch
from .watch import no_answer, unreachable

HANDSHAKE_SECONDS = 10.0
_Client = TypeVar("_Client", bound="PolledClient")


class PolledClient:
    """Connection to one daemon: `open` it, then `poll` again and again. Only `wait` blocks.

    ``welcome``: what the daemon said of itself, None until then. ``lost``: why the connection is
    of no more use, None while it is. ``connection``: the file it was opened from.
    """

    def __init__(
        self, connection: ConnectionFile, name: str, version: str, patience: float
    ) -> None:
        self.connection = connection
        self.welcome: Welcome | None = None
        self.lost: NuriError | None = None
        self._jobs: dict[str, Job] = {}
        self._local: list[Message] = []
        self._greeting_due = time.monotonic() + patience
        self._closed = False
        self._hello = Hello(
            protocol=PROTOCOL_VERSION, client=name, client_version=version, pid=os.getpid()
        )
        self._link = Link(connection, self._hello)

    @classmethod
    def open(
        cls: type[_Client],
        connection: ConnectionFile | Path | str | None = None,
        name: str = "script",
        version: str = "",
        patience: float = HANDSHAKE_SECONDS,
    ) -> _Client:
        """Begins to connect and returns at once; `poll` until ``ready`` or ``lost``.

        ``connection``: a read file or its path, by default the user's own. ``name``, ``version``:
        of the program that calls. Jobs may be submitted before the client is ready.
        ``patience``: after so many seconds without a welcome it is ``lost`` (unreachable).
        Raises `NuriError`: unreachable (no daemon runs), version_mismatch, unauthenticated,
        malformed (the connection file).
        """
        if not isinstance(connection, ConnectionFile):
            path = Path(connection) if connection is not None else connection_path()
            connection = ConnectionFile.read(path)
        if connection.is_stale():
            raise unreachable("The Nuri backend is not running any more")
        if not can_talk(connection.protocol):
            raise _mismatch(connection.protocol, connection.version)
        return cls(connection, name, version, patience)

    @property
    def ready(self) -> bool:
        """True from `Welcome` on, until the connection is lost or closed."""
        return self.welcome is not None and self.lost is None

    @property
    def jobs(self) -> dict[str, Job]:
        """The jobs of this client that have not ended, by id."""
        return dict(self._jobs)

    def submit(
        self,
        task: str,
        inputs: Iterable[Plane],
        options: Mapping[str, Any] | None = None,
        *,
        lane: str = "interactive",
        document: str = "",
        deadline: float = 120.0,
        frames: int = 0,
        keep: bool = True,
        job: str | None = None,
    ) -> Job:
        """Hands in a job and returns at once; see `Submit` for the fields.

        Raises `NuriError`: malformed or too_large (the request itself), or ``lost``.
        """
        message = Submit(
            job=job or os.urandom(8).hex(),
            task=task,
            options=dict(options or {}),
            inputs=tuple(inputs),
            lane=lane,
            document=document,
            deadline=deadline,
            frames=frames,
            keep=keep,
        )
        if message.job in self._jobs:
            raise NuriError(ErrorCode.malformed, f"The job {message.job} exists already")
        self._check(message)
        job_entry = Job(self, message)
        self._jobs[message.job] = job_entry
        self._link.send_work(message)
        return job_entry

    def send_work(self, message: Message) -> None:
        """Sends a message of an open job (`Frame`, `Credit`) on the work socket, when it can.

        Raises `NuriError` too_large, or ``lost``.
        """
        self._check(message)
        self._link.send_work(message)

    def poll(self) -> list[Message]:
        """Sends and receives what is possible right now, moves jobs on; never blocks.

        Returns what arrived, in order. A lost connection ends every open job with `Failed`.
        """
        messages: list[Message] = []
        if not self.lost:
            messages, reason = self._link.receive()
            for message in messages:
                self._route(message)
            if self.welcome is None and time.monotonic() > self._greeting_due:
                reason = reason or no_answer(self.connection)
            if reason and not self.lost:
                self._lose(reason)
            if not self.lost:
                self._link.flush()
        messages.extend(self._local)
        self._local.clear()
        return messages

    def wait(self, timeout: float) -> list[Message]:
        """Like `poll`, but waits up to ``timeout`` seconds for something to arrive."""
        give_up = time.monotonic() + timeout
        while True:
            messages = self.poll()
            if messages or self.lost or time.monotonic() >= give_up:
                return messages
            self._link.wait(give_up)

    def cancel(self, job_id: str) -> None:
        """Asks the daemon to stop this job and returns at once; one not yet sent ends here."""
        job = self._jobs.get(job_id)
        if job is not None:
            job.cancel_requested = True
            if self._link.take_back(job_id):
                self._end_locally(Cancelled(job=job_id))
                return
        if not self.lost:
            self._link.send_control(Cancel(job=job_id))

    def ask_again(self) -> None:
        """Asks what the daemon has by now; ``welcome`` is another object once it has answered."""
        if not self.lost:
            self._link.send_control(self._hello)

    def close(self) -> None:
        """Closes the sockets at once; jobs that were sent go on in the daemon."""
        if self._closed:
            return
        self._closed = True
        self._link.close()
        if self.lost is None:
            self._lose(unreachable("This connection to the Nuri backend was closed"))

    def _check(self, message: Message) -> None:
        """Raises what stands in the way of sending ``message``, before it is queued."""
        if self.lost:
            raise self.lost
        wire.encode(message)
        if self.welcome is not None and message.PLANES:
            self.welcome.limits.check(getattr(message, message.PLANES))

    def _route(self, message: Message) -> None:
        job_id = getattr(message, "reply_to" if isinstance(message, Error) else "job", "")
        if isinstance(message, Welcome):
            self._greet(message)
        elif isinstance(message, Refused):
            info = ErrorInfo(ErrorCode.version_mismatch, message.message, message.action)
            self._lose(NuriError.from_info(info))
        elif isinstance(message, Stopping):
            stopped = "The Nuri backend has been stopped"
            action = "Start it again with `nuri serve`"
            self._lose(NuriError(ErrorCode.shutting_down, stopped, action))
        elif isinstance(message, Error) and (
            job_id == Hello.TYPE or message.code is ErrorCode.unauthenticated
        ):
            self._lose(NuriError.from_info(message.error))
        job = self._jobs.get(job_id)
        if job is None or isinstance(message, Pong):
            return
        job.receive(message)
        if isinstance(message, Accepted) and job.cancel_requested:
            # Cancel went by the other socket and may have come before the job itself.
            self._link.send_control(Cancel(job=job.id))
        if job.is_finished:
            del self._jobs[job.id]

    def _greet(self, welcome: Welcome) -> None:
        if not can_talk(welcome.protocol):
            self._lose(_mismatch(welcome.protocol, welcome.version))
            return
        self.welcome = welcome
        for message in self._link.unsent_submits():
            try:
                welcome.limits.check(message.inputs)
            except NuriError as error:
                self._link.take_back(message.job)
                self._end_locally(Failed(job=message.job, error=error.info))
        self._link.session = welcome.session

    def _end_locally(self, message: Cancelled | Failed) -> None:
        """Ends a job without the daemon; the next `poll` reports ``message``."""
        self._jobs.pop(message.job).receive(message)
        self._local.append(message)

    def _lose(self, error: NuriError) -> None:
        self.lost = error
        info = error.info
        for job_id in list(self._jobs):
            failure = ErrorInfo(info.code, info.message, info.action, info.detail, job_id)
            self._end_locally(Failed(job=job_id, error=failure))


def _mismatch(protocol: str, version: str) -> NuriError:
    message = f"The Nuri backend {version} speaks protocol {protocol}, "
    return mismatch(f"{message}this client speaks {PROTOCOL_VERSION}", daemon=protocol)
