"""The jobs of the daemon: two lanes, their order, their bounds. No sockets, no processes.

The work loop alone changes the queue; the control thread reads it. Both hold ``lock`` meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from protocol.errors import ErrorCode, ErrorInfo, NuriError

from .streams import Stream

MAX_OPEN_STREAMS = 8
# Pictures of waiting jobs stay in memory; this many bytes of them, then the answer is busy.
MAX_HELD_BYTES = 4 << 30
_REMEMBERED = 1024


class Ending(str, Enum):
    """Why a job was asked to stop."""

    cancelled = "cancelled"
    superseded = "superseded"
    deadline = "deadline"
    abandoned = "its client went away"
    refused = "its client broke the protocol"


@dataclass(eq=False)
class Job:
    """One job in the daemon.

    ``opening``: the wire frames of its `Submit`, kept until the worker has them (streams: to the
    end, so that a new worker can go on). Times are of time.monotonic, None while not yet.
    """

    id: str
    task: str
    session: str
    lane: str
    document: str
    deadline: float
    keep: bool
    created: float
    opening: list[Any] = field(repr=False)
    stream: Stream | None = None
    started: float | None = None
    computing_since: float | None = None
    stepped: float = 0.0
    fraction: float = 0.0
    stage: str = ""
    ending: Ending | None = None
    failure: ErrorInfo | None = None
    kill_at: float | None = None

    @property
    def is_computing(self) -> bool:
        return self.computing_since is not None

    @property
    def is_runnable(self) -> bool:
        """True when the worker could do something for it now."""
        if self.is_computing or self.ending:
            return False
        return self.stream is None or self.stream.is_runnable

    @property
    def held_bytes(self) -> int:
        waiting = self.stream.waiting if self.stream else ()
        return _size(self.opening) + sum(_size(frames) for _, frames in waiting)

    def describe(self, now: float) -> dict[str, Any]:
        """The entry of `Status.jobs`; ``seconds`` since it was started, or since it came."""
        state = "stopping" if self.ending else "queued" if self.started is None else "running"
        return {
            "job": self.id,
            "task": self.task,
            "document": self.document,
            "lane": self.lane,
            "state": state,
            "fraction": self.fraction,
            "stage": self.stage,
            "seconds": now - (self.created if self.started is None else self.started),
        }


class JobQueue:
    """Jobs that have not ended, in the order of their coming."""

    def __init__(self, bound: int) -> None:
        self.lock = threading.RLock()
        self._bound = bound
        self._jobs: dict[str, Job] = {}
        self._ended: deque[str] = deque(maxlen=_REMEMBERED)

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job, sessions: Iterable[str]) -> list[Job]:
        """Takes in a job; returns the older ones whose place it takes.

        ``sessions``: those of living clients. A job supersedes the interactive ones of its own
        client for the same document, and those whose client is gone.
        Raises `NuriError`: busy with the reason, or malformed for an id in use.
        """
        if job.id in self._jobs:
            raise NuriError(
                ErrorCode.malformed, f"A job {job.id} exists already", "Give each job a new id"
            )
        superseded = self._older(job, set(sessions))
        waiting = [
            other
            for other in self._lane(job.lane)
            if other.started is None and other not in superseded
        ]
        if len(waiting) >= self._bound:
            raise _busy(f"{len(waiting)} jobs wait in the {job.lane} lane already")
        if job.stream and sum(1 for other in self if other.stream) >= MAX_OPEN_STREAMS:
            raise _busy(f"{MAX_OPEN_STREAMS} animations are being coloured already")
        if sum(other.held_bytes for other in self) + job.held_bytes > MAX_HELD_BYTES:
            raise _busy(f"the waiting pictures fill {MAX_HELD_BYTES >> 30} GiB already")
        self._jobs[job.id] = job
        return superseded

    def next_runnable(self) -> Job | None:
        """What the worker should do next."""
        return next((job for job in self.in_running_order() if job.is_runnable), None)

    def in_running_order(self) -> list[Job]:
        """What computes now, then interactive and batch jobs, each in order of coming."""
        order = [job for job in self if job.is_computing]
        for lane in ("interactive", "batch"):
            order += [job for job in self._lane(lane) if not job.is_computing]
        return order

    def position(self, job: Job) -> int:
        """How many jobs come before it."""
        return self.in_running_order().index(job)

    def remove(self, job: Job) -> None:
        """The job has ended."""
        del self._jobs[job.id]
        self._ended.append(job.id)

    def find(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def has_ended(self, job_id: str) -> bool:
        """True for a job that ended not long ago."""
        return job_id in self._ended

    def of_session(self, session: str) -> list[Job]:
        return [job for job in self if job.session == session]

    def computing(self) -> Job | None:
        """The job that the worker is at."""
        return next((job for job in self if job.is_computing), None)

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def _lane(self, lane: str) -> list[Job]:
        return [job for job in self if job.lane == lane]

    def _older(self, job: Job, sessions: set[str]) -> list[Job]:
        if job.lane != "interactive" or not job.document:
            return []
        return [
            other
            for other in self._lane("interactive")
            if other.document == job.document
            and not other.ending
            and (other.session == job.session or other.session not in sessions)
        ]


def _size(frames: Iterable[Any]) -> int:
    return sum(len(frame) for frame in frames)


def _busy(reason: str) -> NuriError:
    return NuriError(
        ErrorCode.busy, f"The backend is busy: {reason}", "Try again when a job has finished"
    )
