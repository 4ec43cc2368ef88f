"""Client of the daemon, for Krita (`Client.open` and `poll`, never blocking) and for scripts.

A client lives for one connection: when the daemon goes, ``lost`` says why, every open job fails,
and a new client has to be opened. Not for use from several threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from .errors import ErrorCode, NuriError
from .messages import (
    Error,
    Fetch,
    Frame,
    Message,
    Ping,
    Pong,
    Result,
    Shutdown,
    Status,
    StatusRequest,
    Stopping,
)
from .polled_client import PolledClient
from .watch import no_answer, unreachable

_ATTEMPTS = 3
_Reply = TypeVar("_Reply", bound=Message)


class Client(PolledClient):
    """Connection to one daemon. Use `connect` in scripts, `open` and `poll` in an event loop.

    What only scripts need is here, for it waits; the rest is that of `PolledClient`. As a context
    manager it is closed at the end.
    """

    @classmethod
    def connect(
        cls,
        *,
        start: bool = False,
        command: list[str] | None = None,
        timeout: float = 5.0,
        name: str = "script",
        version: str = "",
    ) -> Client:
        """Connects to the user's daemon and waits until it is ready; ``start``: starts one if none.

        ``command``: the backend's `nuri` to start, by default the installed one; it may take
        ``timeout`` seconds to start, and never less than 20.
        Raises `NuriError`: unreachable (none there, or no answer within ``timeout`` seconds),
        version_mismatch (names both versions and what to update), unauthenticated, malformed,
        too_many_clients, not_found (``start`` without an installed backend).
        """
        if not start:
            return cls._open_ready(timeout, name, version)
        from . import launch

        attempts = _ATTEMPTS
        while True:
            if not launch.daemon_is_ready():
                launch.start_daemon(command, max(timeout, launch.START_SECONDS))
            try:
                return cls._open_ready(timeout, name, version)
            except NuriError as error:
                attempts -= 1
                # One that dies or leaves looks alive a moment longer; another then takes its place.
                is_leaving = error.code is ErrorCode.shutting_down
                has_died = error.code is ErrorCode.unreachable and not launch.daemon_is_ready()
                if attempts == 0 or not (is_leaving or has_died):
                    raise

    def status(self, timeout: float = 2.0) -> Status:
        """State of the daemon. Raises `NuriError` unreachable without an answer in time."""
        return self._ask(StatusRequest(), Status, timeout)

    def ping(self, timeout: float = 2.0) -> Pong:
        """State of the running job. Raises `NuriError` unreachable without an answer in time."""
        nonce = int.from_bytes(os.urandom(6), "big")
        return self._ask(Ping(nonce=nonce), Pong, timeout, lambda pong: pong.nonce == nonce)

    def fetch(self, job_id: str, timeout: float = 30.0) -> Result:
        """Kept result of a finished job, of this or an earlier client.

        Raises `NuriError`: not_found (never kept, a day old, or not finished), unreachable.
        """
        self._check_ended(job_id)
        return self._ask(Fetch(job=job_id), Result, timeout, lambda reply: reply.job == job_id)

    def fetch_frame(self, job_id: str, index: int, timeout: float = 30.0) -> Frame:
        """Kept output ``index`` of a stream that has ended, also one without a result.

        Raises `NuriError` as `fetch` does. What is kept begins with frame 0 and has no gaps.
        """
        self._check_ended(job_id)

        def fits(reply: Frame) -> bool:
            return reply.job == job_id and reply.index == index

        return self._ask(Fetch(job=job_id, frame=index), Frame, timeout, fits)

    def shutdown(self, timeout: float = 5.0) -> None:
        """Ends the daemon. Raises `NuriError` unreachable without an answer in time."""
        self._ask(Shutdown(), Stopping, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_ended(self, job_id: str) -> None:
        if job_id in self._jobs:
            raise NuriError(
                ErrorCode.not_found, f"The job {job_id} has not ended yet", "Wait for its result"
            )

    @classmethod
    def _open_ready(cls, timeout: float, name: str, version: str) -> Client:
        client = cls.open(name=name, version=version, patience=timeout)
        try:
            client._wait_ready(time.monotonic() + timeout)
        except BaseException:
            client.close()
            raise
        return client

    def _wait_ready(self, give_up: float) -> None:
        while not self.ready:
            if self.lost:
                raise self.lost
            left = give_up - time.monotonic()
            if left <= 0:
                raise no_answer(self.connection)
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
            self._link.send_control(request)
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
                raise unreachable(f"The Nuri backend did not answer {request.TYPE} in time")
