"""Client of the daemon, for Krita (`Client.open` and `poll`, never blocking) and for scripts.

A client lives for one connection: when the daemon goes, ``lost`` says why, every open job fails,
and a new client has to be opened. Not for use from several threads.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import zmq

from . import wire
from .connection import ConnectionFile, connection_path, state_folder
from .errors import ErrorCode, ErrorInfo, NuriError
from .job import Job
from .messages import (
    Accepted,
    Cancel,
    Cancelled,
    Error,
    Failed,
    Fetch,
    Hello,
    Message,
    Ping,
    Pong,
    Refused,
    Result,
    Shutdown,
    Status,
    StatusRequest,
    Stopping,
    Submit,
    Welcome,
)
from .pixels import PixelBuffer, Plane
from .sockets import CONTROL_HIGH_WATER, WORK_HIGH_WATER, set_client_curve, set_options
from .version import PROTOCOL_VERSION, can_talk, mismatch_action
from .watch import ConnectionWatch

_HANDSHAKE_SECONDS = 10.0
_WAIT_STEP_SECONDS = 0.25
_BUSY_STEP_SECONDS = 0.01
# More than this in one call would hold up the caller's event loop; the rest waits for the next.
_MESSAGES_PER_POLL = 64
_Reply = TypeVar("_Reply", bound=Message)


class Client:
    """Connection to one daemon. Use `connect` in scripts, `open` and `poll` in an event loop.

    ``welcome``: what the daemon said of itself, None until then. ``lost``: why the connection is
    of no more use, None while it is. ``connection``: the file it was opened from.
    """

    def __init__(self, connection: ConnectionFile, name: str, version: str) -> None:
        self.connection = connection
        self.welcome: Welcome | None = None
        self.lost: NuriError | None = None
        self._jobs: dict[str, Job] = {}
        self._unsent: deque[Message] = deque()
        self._unsent_control: deque[Message] = deque()
        self._local: list[Message] = []
        self._closed = False
        self._opened = time.monotonic()
        hello = Hello(
            protocol=PROTOCOL_VERSION, client=name, client_version=version, pid=os.getpid()
        )
        self._context = zmq.Context(io_threads=1)
        self._control = self._socket(connection.control, CONTROL_HIGH_WATER)
        self._work = self._socket(connection.work, WORK_HIGH_WATER)
        self._watch = ConnectionWatch(connection, (self._control, self._work))
        self._poller = zmq.Poller()
        for socket in (self._control, self._work, *self._watch.sockets):
            self._poller.register(socket, zmq.POLLIN)
        self._control.connect(connection.control)
        self._work.connect(connection.work)
        self._control.send_multipart(wire.encode(hello), zmq.NOBLOCK)

    @classmethod
    def open(
        cls,
        connection: ConnectionFile | Path | str | None = None,
        name: str = "script",
        version: str = "",
    ) -> Client:
        """Begins to connect and returns at once; `poll` until ``ready`` or ``lost``.

        ``connection``: a read file or its path, by default the user's own. ``name``, ``version``:
        of the program that calls. Jobs may be submitted before the client is ready.
        Raises `NuriError`: unreachable (no daemon runs), version_mismatch, unauthenticated,
        malformed (the connection file).
        """
        if not isinstance(connection, ConnectionFile):
            path = Path(connection) if connection is not None else connection_path()
            connection = ConnectionFile.read(path)
        if connection.is_stale():
            raise _unreachable("The Nuri backend is not running any more")
        if not can_talk(connection.protocol):
            raise _mismatch(connection.protocol, connection.version)
        return cls(connection, name, version)

    @classmethod
    def connect(
        cls, *, start: bool = False, timeout: float = 5.0, name: str = "script", version: str = ""
    ) -> Client:
        """Connects to the user's daemon and waits until it is ready; ``start``: starts one if none.

        Raises `NuriError`: unreachable (none there, or no answer within ``timeout`` seconds),
        version_mismatch (names both versions and what to update), unauthenticated, malformed,
        too_many_clients, not_found (``start`` without an installed backend).
        """
        if start:
            from . import launch

            if not launch.daemon_is_ready():
                launch.start_daemon()
        client = cls.open(name=name, version=version)
        try:
            client._wait_ready(time.monotonic() + timeout)
        except BaseException:
            client.close()
            raise
        return client

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
        entry = Job(self, message)
        self._jobs[message.job] = entry
        self._unsent.append(message)
        self._flush()
        return entry

    def send_work(self, message: Message) -> None:
        """Sends a message of an open job (`Frame`, `Credit`) on the work socket, when it can."""
        self._check(message)
        self._unsent.append(message)
        self._flush()

    def poll(self) -> list[Message]:
        """Sends and receives what is possible right now, moves jobs on; never blocks.

        Returns what arrived, in order. A lost connection ends every open job with `Failed`.
        """
        messages, self._local = self._local, []
        if self._closed or self.lost:
            return messages
        reason = self._watch.check(self.welcome is not None)
        for socket in (self._control, self._work):
            for _ in range(_MESSAGES_PER_POLL):
                message = self._receive(socket)
                if message is None:
                    break
                self._route(message)
                messages.append(message)
        overdue = time.monotonic() - self._opened > _HANDSHAKE_SECONDS
        if reason is None and self.welcome is None and overdue:
            reason = _unreachable("The Nuri backend does not answer")
        if reason is not None and self.lost is None:
            self._lose(reason)
        self._flush()
        messages.extend(self._local)
        self._local = []
        return messages

    def wait(self, timeout: float) -> list[Message]:
        """Like `poll`, but waits up to ``timeout`` seconds for something to arrive."""
        give_up = time.monotonic() + timeout
        while True:
            messages = self.poll()
            left = give_up - time.monotonic()
            if messages or self.lost or self._closed or left <= 0:
                return messages
            is_sending = bool(self._unsent_control or (self._unsent and self.ready))
            step = _BUSY_STEP_SECONDS if is_sending else _WAIT_STEP_SECONDS
            self._poller.poll(int(1000 * min(left, step)) + 1)

    def cancel(self, job_id: str) -> None:
        """Asks the daemon to stop this job and returns at once; one not yet sent ends here."""
        job = self._jobs.get(job_id)
        if job is not None:
            job.cancel_requested = True
            unsent = [m for m in self._unsent if isinstance(m, Submit) and m.job == job_id]
            if unsent:
                self._unsent = deque(m for m in self._unsent if getattr(m, "job", "") != job_id)
                self._end_locally(Cancelled(job=job_id))
                return
        self._send_control(Cancel(job=job_id))

    def status(self, timeout: float = 2.0) -> Status:
        """State of the daemon. Raises `NuriError` unreachable without an answer in time."""
        return self._ask(StatusRequest(), Status, timeout)

    def ping(self, timeout: float = 2.0) -> Pong:
        """State of the running job. Raises `NuriError` unreachable without an answer in time."""
        nonce = int.from_bytes(os.urandom(6), "big")
        return self._ask(Ping(nonce=nonce), Pong, timeout, lambda pong: pong.nonce == nonce)

    def fetch(self, job_id: str, timeout: float = 30.0) -> Result:
        """Kept result of a finished job, of this or an earlier client.

        Raises `NuriError`: not_found (never kept, or a day old), unreachable.
        """
        return self._ask(Fetch(job=job_id), Result, timeout, lambda reply: reply.job == job_id)

    def shutdown(self, timeout: float = 5.0) -> None:
        """Ends the daemon. Raises `NuriError` unreachable without an answer in time."""
        self._ask(Shutdown(), Stopping, timeout)

    def close(self) -> None:
        """Closes the sockets at once; jobs that were sent go on in the daemon."""
        if self._closed:
            return
        self._closed = True
        self._watch.close()
        self._context.destroy(linger=0)
        if self.lost is None:
            self._lose(_unreachable("This connection to the Nuri backend was closed"))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _socket(self, endpoint: str, high_water: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        set_options(socket, high_water=high_water, is_local=self.connection.is_local)
        if self.connection.uses_curve:
            set_client_curve(socket, self.connection)
        return socket

    def _check(self, message: Message) -> None:
        """Raises what stands in the way of sending ``message``, before it is queued."""
        if self.lost:
            raise self.lost
        wire.encode(message)
        if self.welcome is not None and message.PLANES:
            _check_limits(getattr(message, message.PLANES), self.welcome)

    def _send_control(self, message: Message) -> None:
        if self.lost:
            return
        self._unsent_control.append(message)
        self._flush()

    def _flush(self) -> None:
        """Sends what waits, as far as the sockets take it now."""
        if self._closed or not self.ready or self.welcome is None:
            return
        session = self.welcome.session
        for socket, unsent in (
            (self._control, self._unsent_control),
            (self._work, self._unsent),
        ):
            while unsent:
                try:
                    frames = wire.encode(unsent[0], session)
                    socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
                except zmq.Again:
                    break
                unsent.popleft()

    def _receive(self, socket: zmq.Socket[bytes]) -> Message | None:
        """The next message, or None when there is none now."""
        while True:
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return None
            try:
                return wire.decode(frames)
            except NuriError as error:
                if error.code is not ErrorCode.unsupported:
                    self._lose(error)
                    return None
                # A newer daemon may say things that we need not understand.
                _warn(f"ignored a message of the daemon: {error}")

    def _route(self, message: Message) -> None:
        job_id = getattr(message, "reply_to" if isinstance(message, Error) else "job", "")
        if isinstance(message, Welcome):
            self._greet(message)
        elif isinstance(message, Refused):
            info = ErrorInfo(ErrorCode.version_mismatch, message.message, message.action)
            self._lose(NuriError.from_info(info))
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
            self._send_control(Cancel(job=job.id))
        if job.is_finished:
            del self._jobs[job.id]

    def _greet(self, welcome: Welcome) -> None:
        if not can_talk(welcome.protocol):
            self._lose(_mismatch(welcome.protocol, welcome.version))
            return
        self.welcome = welcome
        for message in [m for m in self._unsent if isinstance(m, Submit)]:
            try:
                _check_limits(message.inputs, welcome)
            except NuriError as error:
                self._unsent.remove(message)
                self._end_locally(Failed(job=message.job, error=error.info))

    def _end_locally(self, message: Cancelled | Failed) -> None:
        """Ends a job without the daemon; the next `poll` reports ``message``."""
        self._jobs.pop(message.job).receive(message)
        self._local.append(message)

    def _lose(self, error: NuriError) -> None:
        self.lost = error
        self._unsent.clear()
        self._unsent_control.clear()
        info = error.info
        for job_id in list(self._jobs):
            failure = ErrorInfo(info.code, info.message, info.action, info.detail, job_id)
            self._end_locally(Failed(job=job_id, error=failure))

    def _wait_ready(self, give_up: float) -> None:
        while not self.ready:
            if self.lost:
                raise self.lost
            left = give_up - time.monotonic()
            if left <= 0:
                raise _unreachable("The Nuri backend does not answer")
            self.wait(left)

    def _ask(
        self,
        request: Message,
        expected: type[_Reply],
        timeout: float,
        fits: Callable[[_Reply], bool] = lambda reply: True,
    ) -> _Reply:
        """Sends ``request`` and waits for the reply; other messages still reach their jobs."""
        give_up = time.monotonic() + timeout
        self._wait_ready(give_up)
        if isinstance(request, Fetch):
            self.send_work(request)
        else:
            self._send_control(request)
        names = (request.TYPE, getattr(request, "job", request.TYPE))
        while True:
            left = give_up - time.monotonic()
            for message in self.wait(max(left, 0.0)):
                if isinstance(message, expected) and fits(message):
                    return message
                if isinstance(message, Error) and message.reply_to in names:
                    raise NuriError.from_info(message.error)
            if self.lost:
                raise self.lost
            if left <= 0:
                raise _unreachable(f"The Nuri backend did not answer {request.TYPE} in time")


def _check_limits(planes: tuple[Plane, ...], welcome: Welcome) -> None:
    """Raises `NuriError` too_large for pictures over what the daemon announced."""
    limits = welcome.limits
    pixels = size = 0
    for plane in planes:
        size += len(plane.data)
        too_large = len(plane.data) > limits.buffer_bytes
        if isinstance(plane, PixelBuffer):
            pixels += plane.width * plane.height
            too_large |= max(plane.width, plane.height) > limits.side
        if too_large or pixels > limits.pixels or size > limits.message_bytes:
            raise NuriError(
                ErrorCode.too_large,
                f"The picture {plane.name} is larger than the backend takes",
                f"Use at most {limits.side} pixels a side and {limits.pixels} pixels in all",
            )


def _warn(text: str) -> None:
    # Imported here: logging would be a tenth of the client's start-up.
    import logging

    logging.getLogger(__name__).warning(text)


def _unreachable(message: str) -> NuriError:
    return NuriError(
        ErrorCode.unreachable,
        message,
        f"Start it with `nuri serve`, or look into the log in {state_folder()}",
    )


def _mismatch(protocol: str, version: str) -> NuriError:
    return NuriError(
        ErrorCode.version_mismatch,
        f"The Nuri backend {version} speaks protocol {protocol}, this client {PROTOCOL_VERSION}",
        mismatch_action(protocol),
    )
