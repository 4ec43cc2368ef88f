"""A stream of frames on the command line: through the user's daemon, or in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from protocol.client import Client
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.job import Job
from protocol.messages import Frame
from protocol.pixels import Plane

from .interrupt import Interrupt
from .local import run_here
from .session import BUSY_SECONDS, DEADLINE_SECONDS, STEP_SECONDS, cancel, connect

# A daemon that is lost is started again, but not for the same frame for ever.
_ATTEMPTS = 3


@dataclass(frozen=True)
class FrameInput:
    """One frame to compute; ``read`` gives its pictures when they are due, or raises NuriError."""

    key: Any
    read: Callable[[], list[Plane]]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shoot:
    """A stream to be computed. ``progress`` hears of fraction, stage and seconds left (or -1)."""

    task: str
    inputs: list[Plane]
    options: dict[str, Any]
    frames: list[FrameInput]
    progress: Callable[[float, str, float], None]


@dataclass(frozen=True)
class Answer:
    """What came of one frame: ``outputs`` by name and ``facts``, or ``error``."""

    key: Any
    outputs: Mapping[str, Plane] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    error: NuriError | None = None


def run_stream(shoot: Shoot, interrupt: Interrupt, *, no_daemon: bool) -> Iterator[Answer]:
    """The answer to each frame, in order, as it comes; a frame that fails is told in its answer.

    Raises NuriError when the rest cannot be computed, KeyboardInterrupt once Ctrl-C has cancelled.
    """
    yield from _stream_here(shoot, interrupt) if no_daemon else _run_in_daemon(shoot, interrupt)


def _stream_here(shoot: Shoot, interrupt: Interrupt) -> Iterator[Answer]:
    memory: dict[str, Any] = {}
    total = len(shoot.frames)
    began = time.monotonic()
    for index, frame in enumerate(shoot.frames):

        def progress(fraction: float, stage: str, index: int = index) -> None:
            done = index + fraction
            left = (time.monotonic() - began) / index * (total - done) if index else -1.0
            shoot.progress(done / total, stage, left)

        try:
            planes = frame.read()
        except NuriError as error:
            yield Answer(frame.key, error=error)
            continue
        outcome = run_here(
            shoot.task,
            [*shoot.inputs, *planes],
            shoot.options,
            interrupt,
            progress,
            frame=index,
            facts=frame.facts,
            memory=memory,
        )
        yield _answer(frame.key, outcome.outputs, outcome.facts)
        if interrupt.requested:
            raise KeyboardInterrupt


def _run_in_daemon(shoot: Shoot, interrupt: Interrupt) -> Iterator[Answer]:
    done, attempts = 0, 0
    while done < len(shoot.frames):
        try:
            with closing(connect()) as client:
                for answer in _Run(client, shoot, done, interrupt).answers():
                    attempts = 0
                    done += 1
                    yield answer
        except NuriError as error:
            if error.code is ErrorCode.busy:
                _rest(interrupt)
                continue
            attempts += 1
            if error.code is not ErrorCode.unreachable or attempts == _ATTEMPTS:
                raise
            _rest(interrupt)


class _Run:
    """One job for the frames from ``first`` on."""

    def __init__(self, client: Client, shoot: Shoot, first: int, interrupt: Interrupt) -> None:
        self._client = client
        self._shoot = shoot
        self._first = first
        self._frames = shoot.frames[first:]
        self._interrupt = interrupt
        self._unread: dict[int, NuriError] = {}
        self._sent = 0

    def answers(self) -> Iterator[Answer]:
        shoot = self._shoot
        job = self._client.submit(
            shoot.task,
            shoot.inputs,
            shoot.options,
            lane="batch",
            deadline=DEADLINE_SECONDS,
            frames=len(self._frames),
            keep=False,
        )
        while True:
            if self._interrupt.requested:
                cancel(self._client, [job])
                raise KeyboardInterrupt
            self._send(job)
            ended = job.is_finished
            for frame in job.take_frames():
                yield self._received(frame)
            if ended:
                break
            self._tell(job)
            self._client.wait(STEP_SECONDS)
        if job.error:
            raise job.error

    def _send(self, job: Job) -> None:
        while job.input_credit > 0 and self._sent < len(self._frames) and not job.is_finished:
            frame = self._frames[self._sent]
            planes: list[Plane] = []
            try:
                planes = frame.read()
            except NuriError as error:
                # Its place in the stream is kept; what stands in the way is known here.
                self._unread[self._sent] = error
            job.send_frame(self._sent, planes, 0, frame.facts)
            self._sent += 1
            self._client.poll()

    def _received(self, frame: Frame) -> Answer:
        key = self._frames[frame.index].key
        if frame.index in self._unread:
            return Answer(key, error=self._unread.pop(frame.index))
        return _answer(key, frame.planes, frame.info)

    def _tell(self, job: Job) -> None:
        progress = job.progress
        if progress is not None:
            done = self._first + progress.fraction * len(self._frames)
            total = len(self._shoot.frames)
            self._shoot.progress(done / total, progress.stage, progress.seconds_left)


def _answer(key: Any, outputs: tuple[Plane, ...], facts: dict[str, Any]) -> Answer:
    error = facts.get("error")
    if not isinstance(error, dict):
        return Answer(key, {plane.name: plane for plane in outputs}, facts)
    return Answer(key, facts=facts, error=NuriError.from_info(ErrorInfo.from_facts(error)))


def _rest(interrupt: Interrupt) -> None:
    time.sleep(BUSY_SECONDS)
    if interrupt.requested:
        raise KeyboardInterrupt
