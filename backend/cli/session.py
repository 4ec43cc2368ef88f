"""Where jobs of the command line run: in the user's daemon, or in this process."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.job import Job
from protocol.messages import Progress
from protocol.pixels import Plane

from .interrupt import Interrupt
from .local import run_here

# Long enough for the largest picture on a slow machine; the daemon ends what takes longer.
DEADLINE_SECONDS = 900.0
STEP_SECONDS = 0.2  # between looks at what the daemon has sent, and at Ctrl-C
BUSY_SECONDS = 0.5  # until a daemon that has no room, or is lost, is asked again
_CONNECT_SECONDS = 10.0
_CANCEL_SECONDS = 5.0


@dataclass
class Work:
    """One job to be done. ``key``: what the caller knows it by. ``attempts`` are counted here."""

    key: Any
    task: str
    inputs: list[Plane]
    options: dict[str, Any]
    progress: Callable[[float, str], None]
    attempts: int = 0


@dataclass(frozen=True)
class Done:
    """How a job ended: with ``outputs`` by name and ``info``, or with ``error``."""

    key: Any
    outputs: Mapping[str, Plane] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    error: NuriError | None = None


class Pool(Protocol):
    """Runs jobs; a context manager."""

    def __enter__(self) -> Pool: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def submit(self, work: Work) -> None:
        """Begin a job."""

    def next_done(self) -> Done:
        """Wait for the next job that ends. Raises KeyboardInterrupt once Ctrl-C has cancelled all,
        NuriError when no daemon can be had any more."""


def open_pool(
    interrupt: Interrupt, *, no_daemon: bool, lane: str = "interactive", attempts: int = 1
) -> Pool:
    """Where jobs of this command run. ``attempts``: how often a job is tried when the daemon is
    lost under it. Raises NuriError when no daemon can be had."""
    return LocalPool(interrupt) if no_daemon else DaemonPool(interrupt, lane, attempts)


def connect() -> Client:
    """A client of the user's daemon, which is started where none runs and stays for later calls."""
    # The daemon of this very environment, whatever an installation record says.
    nuri = [sys.executable, "-m", "backend.cli"]
    return Client.connect(start=True, command=nuri, timeout=_CONNECT_SECONDS, name="nuri")


def cancel(client: Client, jobs: Iterable[Job]) -> None:
    """Ask the daemon to stop jobs that are under way, and wait a moment for its word."""
    stopping = list(jobs)
    for job in stopping:
        job.cancel()
    give_up = time.monotonic() + _CANCEL_SECONDS
    while not all(job.is_finished for job in stopping) and time.monotonic() < give_up:
        client.wait(STEP_SECONDS)


class DaemonPool:
    """Runs jobs in the daemon, several at once; waits where it is busy."""

    def __init__(self, interrupt: Interrupt, lane: str, attempts: int) -> None:
        self._interrupt = interrupt
        self._lane = lane
        self._attempts = attempts
        self._client = connect()
        self._running: list[tuple[Job, Work]] = []
        self._waiting: deque[Work] = deque()
        self._try_again = 0.0

    def __enter__(self) -> DaemonPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def submit(self, work: Work) -> None:
        self._waiting.append(work)
        self._send_waiting()

    def next_done(self) -> Done:
        while True:
            if self._interrupt.requested:
                cancel(self._client, (job for job, _ in self._running))
                raise KeyboardInterrupt
            self._send_waiting()
            self._client.wait(STEP_SECONDS)
            for entry in list(self._running):
                done = self._ended(*entry)
                if done is not None:
                    return done

    def _send_waiting(self) -> None:
        if self._client.lost:
            self._reconnect()
        if time.monotonic() < self._try_again:
            return
        while self._waiting:
            work = self._waiting.popleft()
            job = self._client.submit(
                work.task,
                work.inputs,
                work.options,
                lane=self._lane,
                deadline=DEADLINE_SECONDS,
                keep=False,
            )
            self._running.append((job, work))

    def _reconnect(self) -> None:
        self._client.close()
        self._client = connect()

    def _ended(self, job: Job, work: Work) -> Done | None:
        """The end of a job that has ended for good; one to be tried again goes back to wait."""
        if not job.is_finished:
            if job.progress is not None:
                self._tell(work, job.progress)
            return None
        self._running.remove((job, work))
        if job.error is None:
            result = job.result()
            outputs = {plane.name: plane for plane in result.outputs}
            return Done(work.key, outputs, result.info)
        if job.error.code is ErrorCode.busy:
            self._try_again = time.monotonic() + BUSY_SECONDS
            self._waiting.appendleft(work)
            return None
        work.attempts += 1
        if job.error.code is ErrorCode.unreachable and work.attempts < self._attempts:
            self._waiting.appendleft(work)
            return None
        return Done(work.key, error=job.error)

    def _tell(self, work: Work, progress: Progress) -> None:
        work.progress(progress.fraction, progress.stage)


class LocalPool:
    """Runs jobs in this process, one after the other."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._waiting: deque[Work] = deque()

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting.clear()

    def submit(self, work: Work) -> None:
        self._waiting.append(work)

    def next_done(self) -> Done:
        work = self._waiting.popleft()
        try:
            outcome = run_here(work.task, work.inputs, work.options, self._interrupt, work.progress)
        except NuriError as error:
            return Done(work.key, error=error)
        if self._interrupt.requested:
            raise KeyboardInterrupt
        return Done(work.key, {plane.name: plane for plane in outcome.outputs}, outcome.info)
