"""One job as its client sees it. Made by `Client.submit`; moved on by `Client.poll`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from .errors import ErrorCode, NuriError
from .messages import (
    Accepted,
    Cancelled,
    CancelReply,
    Credit,
    Error,
    Failed,
    Frame,
    Message,
    Progress,
    Result,
    Submit,
)
from .pixels import Plane

FINAL_STATES = ("done", "failed", "cancelled")
_WAIT_SECONDS = 0.5
SUPERSEDED = "superseded"


class JobClient(Protocol):
    """What a job needs of the client that it belongs to."""

    def cancel(self, job_id: str) -> None: ...
    def send_work(self, message: Message) -> None: ...
    def wait(self, timeout: float) -> list[Message]: ...


class Job:
    """``state``: submitted, queued, running, and at the end done, failed or cancelled.

    ``progress``: the latest `Progress`. ``error``: why it failed or was cancelled. The blocking
    methods (`result`, `events`, `frames`, `stream`) drive the client themselves and are for
    scripts; Krita calls `Client.poll` and looks at the attributes and `take_frames`.
    """

    def __init__(self, client: JobClient, submit: Submit) -> None:
        self.id = submit.job
        self.task = submit.task
        self.document = submit.document
        self.frame_count = submit.frames
        self.state = "submitted"
        self.progress: Progress | None = None
        self.error: NuriError | None = None
        self.cancel_requested = False
        self.input_credit = 0
        self._client = client
        self._result: Result | None = None
        self._events: deque[Message] = deque()
        self._frames: deque[Frame] = deque()
        self._window = 1

    @property
    def is_finished(self) -> bool:
        return self.state in FINAL_STATES

    def result(
        self,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Waits for the result. ``on_progress`` hears of every `Progress` that is still new.

        Raises `NuriError`: the reason why the job failed or was cancelled, or deadline when
        ``timeout`` seconds are over (the job goes on then).
        """
        for event in self.events(timeout):
            if on_progress and isinstance(event, Progress):
                on_progress(event)
        if self._result is None:
            raise self.error or NuriError(ErrorCode.internal, "The job ended without a result")
        return self._result

    def events(self, timeout: float | None = None) -> Iterator[Message]:
        """The messages about this job, frames aside, until it has ended.

        A failed job ends the iteration; its reason is the last message and ``error``.
        Raises `NuriError` deadline when ``timeout`` seconds pass before the end.
        """
        give_up = None if timeout is None else time.monotonic() + timeout
        while True:
            while self._events:
                yield self._events.popleft()
            if self.is_finished:
                return
            self._wait(give_up)

    def cancel(self) -> None:
        """Asks the daemon to stop this job; it ends soon, as cancelled or with its result."""
        self._client.cancel(self.id)

    def send_frame(
        self,
        index: int,
        planes: Iterable[Plane],
        timeout: float | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        """Sends the inputs of frame ``index``; waits for credit, with ``timeout`` 0 not at all.

        ``info``: facts of the frame for its task.

        Raises `NuriError`: busy (no credit within the timeout, or results wait to be taken first),
        the reason why the job ended, or too_large.
        """
        frame = Frame(job=self.id, index=index, planes=tuple(planes), info=dict(info or {}))
        give_up = None if timeout is None else time.monotonic() + timeout
        while not self.is_finished and self.input_credit <= 0:
            if len(self._frames) >= self._window or timeout == 0:
                raise NuriError(
                    ErrorCode.busy,
                    f"No room for frame {index} yet",
                    "Take the finished frames first, then send again",
                    job=self.id,
                )
            self._wait(give_up)
        if self.is_finished:
            raise self.error or NuriError(ErrorCode.bad_input, "The job has ended", job=self.id)
        self.input_credit -= 1
        self._client.send_work(frame)

    def take_frames(self) -> list[Frame]:
        """The finished frames that arrived since the last call; makes room for as many more."""
        taken = list(self._frames)
        self._frames.clear()
        self._make_room(len(taken))
        return taken

    def frames(self) -> Iterator[Frame]:
        """The finished frames of a stream as they come, until the job has ended.

        Raises `NuriError` when the job fails or is cancelled; what came before is valid.
        """
        while self._frames or not self.is_finished:
            if self._frames:
                yield from self._hand_out()
            else:
                self._wait(None)
        if self.error:
            raise self.error

    def stream(self, inputs: Iterable[Iterable[Plane]]) -> Iterator[Frame]:
        """Sends all ``inputs`` in order while yielding the finished frames.

        Neither side ever holds more than a window of them. Raises like `frames`.
        """
        for index, planes in enumerate(inputs):
            while self.input_credit <= 0 and not self.is_finished:
                if self._frames:
                    yield from self._hand_out()
                else:
                    self._wait(None)
            if self.is_finished:
                break
            self.send_frame(index, planes)
        yield from self.frames()

    def receive(self, message: Message) -> None:
        """Takes one message of the daemon about this job; called by the client."""
        if self.is_finished:
            return
        if isinstance(message, Frame):
            self._frames.append(message)
            return
        if isinstance(message, Credit):
            self.input_credit += message.count
            return
        if isinstance(message, Accepted):
            self.state = "queued"
            self._window = message.window
            self.input_credit = min(message.window, self.frame_count)
        elif isinstance(message, Progress):
            self.state = "running"
            self.progress = message
            if self._events and isinstance(self._events[-1], Progress):
                # Nobody listens: only the latest is of use, and the queue must not grow.
                self._events.pop()
        elif isinstance(message, Result):
            self.state = "done"
            self._result = message
        elif isinstance(message, (Failed, Error)):
            self.state = "failed"
            self.error = NuriError.from_info(message.error)
        elif isinstance(message, Cancelled):
            self.state = "cancelled"
            self.error = _cancellation(message)
        elif isinstance(message, CancelReply):
            return
        self._events.append(message)

    def _hand_out(self) -> Iterator[Frame]:
        """The frames that are here; room for the next is made when one has been used."""
        while self._frames:
            yield self._frames.popleft()
            self._make_room(1)

    def _make_room(self, count: int) -> None:
        if count and not self.is_finished:
            self._client.send_work(Credit(job=self.id, count=count))

    def _wait(self, give_up: float | None) -> None:
        seconds = _WAIT_SECONDS
        if give_up is not None:
            seconds = min(seconds, give_up - time.monotonic())
            if seconds <= 0:
                raise NuriError(
                    ErrorCode.deadline,
                    "The job has not ended within the time that the caller waits",
                    "Wait longer or cancel it",
                    job=self.id,
                )
        self._client.wait(seconds)


def _cancellation(message: Cancelled) -> NuriError:
    if message.reason == SUPERSEDED:
        return NuriError(
            ErrorCode.superseded,
            "A newer request for the same document took the place of this one",
            job=message.job,
        )
    reason = f": {message.reason}" if message.reason else ""
    return NuriError(ErrorCode.cancelled, f"The job was cancelled{reason}", job=message.job)
