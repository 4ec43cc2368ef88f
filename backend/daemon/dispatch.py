"""What happens to jobs: taken in, handed to the worker, answered, stopped. Runs in the work loop.

Every job that was accepted ends with exactly one of `Result`, `Failed` and `Cancelled`.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from protocol import wire
from protocol.errors import ErrorInfo, NuriError
from protocol.messages import (
    Accepted,
    Cancel,
    Credit,
    Error,
    Failed,
    Fetch,
    Frame,
    Limits,
    Message,
    Progress,
    Submit,
)

from . import failures
from .answers import Answers
from .archive import Archive
from .queue import Ending, Job, JobQueue
from .sessions import Session, Sessions
from .streams import Stream
from .supervision import Supervisor

# A job that was asked to stop may take so long before the worker is killed.
CANCEL_SECONDS = 2.0
_logger = logging.getLogger("nuri.daemon")


class Dispatcher:
    """Moves jobs between clients, queue and worker. The caller holds ``queue.lock``."""

    def __init__(
        self,
        queue: JobQueue,
        supervisor: Supervisor,
        sessions: Sessions,
        archive: Archive,
        answers: Answers,
        limits: Limits,
    ) -> None:
        self._queue = queue
        self._supervisor = supervisor
        self._sessions = sessions
        self._archive = archive
        self._answers = answers
        self._limits = limits

    def serve(self, session: Session, message: Message, frames: list[Any]) -> None:
        """One message of a client; ``frames`` are those it came in."""
        if isinstance(message, Submit):
            self._submit(session, message, frames)
        elif isinstance(message, Fetch):
            self._fetch(session, message)
        elif isinstance(message, (Frame, Credit)):
            job = self._queue.find(message.job)
            # A frame on its way while its job ends is nobody's mistake.
            if job is not None and job.session == session.id and not job.ending:
                self._stream(job, message, frames)

    def stop(self, job: Job, ending: Ending, failure: ErrorInfo | None = None) -> None:
        """Ends a job that is not computing now, asks the worker to stop one that is.

        ``failure``: what its client is told; without it the job counts as cancelled.
        """
        if job.ending:
            return
        job.ending, job.failure = ending, failure
        _logger.info("[%s] stopping: %s", job.id, ending.value)
        if job.is_computing:
            job.kill_at = time.monotonic() + CANCEL_SECONDS
            self._supervisor.ask_to_cancel(job.id)
            return
        self._close_stream(job)
        self._end_stopped(job)

    def forget_client(self, session: str) -> None:
        """A client is gone: what needs it or nobody will fetch ends, the rest goes on."""
        for job in self._queue.of_session(session):
            if job.stream or not job.keep:
                self.stop(job, Ending.abandoned)

    def deliver_kept(self, job: str, index: int, session: str, frames: list[Any] | None) -> None:
        """The answer to `Fetch`, from the archive."""
        if frames is not None:
            self._answers.relay(session, frames)
        else:
            self._answers.send(session, Error(error=failures.not_kept(job, index), reply_to=job))

    def worker_said(self, kind: str, job_id: str, frames: list[Any]) -> None:
        """One message of the worker about the job it computes; pictures are passed on unread."""
        job = self._queue.find(job_id)
        if job is None or not job.is_computing:
            _logger.warning("[%s] the worker sent %s for a job that is over", job_id, kind)
            return
        job.stepped = time.monotonic()
        if kind == "progress":
            self._progress(job, frames)
        elif kind == "frame" and job.stream:
            self._frame_done(job, job.stream, frames)
        elif kind == "result":
            self._finish(job, frames)
        elif kind == "cancelled":
            self._end_stopped(job)
        elif kind == "failed":
            message = wire.decode(frames)
            if job.ending:
                self._end_stopped(job)
            elif isinstance(message, Failed):
                self._answers.failed(job, message.error)

    def worker_ended(self) -> None:
        """The worker process is gone, and with it the job it computed; a stream goes on."""
        death = failures.worker_died(self._supervisor.reason, self._supervisor.state == "failed")
        job = self._queue.computing()
        if job is not None and job.ending:
            self._end_stopped(job)
        elif job is not None and job.stream:
            self._go_on(job, job.stream, death)
        elif job is not None:
            self._answers.failed(job, death)
        if self._supervisor.state == "failed":
            for waiting in self._queue:
                self._answers.failed(waiting, death)

    def advance(self, now: float) -> None:
        """Deadlines, and the next thing to compute when the worker is free."""
        for job in self._queue:
            self._watch(job, now)
        while self._supervisor.state == "ready" and self._queue.computing() is None:
            runnable = self._queue.next_runnable()
            if runnable is None:
                return
            self._compute(runnable, now)

    def shut_down(self) -> None:
        """Ends every job because the daemon leaves."""
        for job in self._queue:
            self._answers.failed(job, failures.leaving())

    def _submit(self, session: Session, message: Submit, frames: list[Any]) -> None:
        now = time.monotonic()
        job = Job(
            id=message.job,
            task=message.task,
            session=session.id,
            lane=message.lane,
            document=message.document,
            deadline=message.deadline,
            keep=message.keep,
            created=now,
            opening=frames,
        )
        if message.frames:
            job.stream = Stream(message.frames, self._limits.window, now)
        try:
            self._check_task(message.task)
            superseded = self._queue.add(job, self._sessions.ids())
        except NuriError as error:
            _logger.info("[%s] refused: %s", job.id, error)
            self._answers.send(session.id, Failed(job=job.id, error=error.info))
            return
        position = self._queue.position(job)
        _logger.info(
            "[%s] %s for %s, %s lane, position %d",
            job.id,
            job.task,
            session.client,
            job.lane,
            position,
        )
        window = self._limits.window
        self._answers.send(session.id, Accepted(job=job.id, position=position, window=window))
        for older in superseded:
            self.stop(older, Ending.superseded)
        self._supervisor.revive()

    def _check_task(self, task: str) -> None:
        welcome = self._supervisor.welcome
        if welcome is not None and task not in welcome.tasks:
            raise NuriError.from_info(failures.unknown_task(task, welcome.tasks))

    def _fetch(self, session: Session, message: Fetch) -> None:
        job = message.job
        if self._queue.find(job) is None:
            self._archive.fetch(job, message.frame, session.id)
        else:
            self._answers.send(session.id, Error(error=failures.not_ended(job), reply_to=job))

    def _stream(self, job: Job, message: Frame | Credit, frames: list[Any]) -> None:
        now = time.monotonic()
        try:
            if job.stream is None:
                raise NuriError.from_info(failures.no_stream())
            if isinstance(message, Credit):
                job.stream.add_room(message.count, now)
            else:
                job.stream.receive(message.index, frames, now)
        except NuriError as error:
            self.stop(job, Ending.refused, error.info)

    def _compute(self, job: Job, now: float) -> None:
        if job.started is None:
            job.started = now
            _logger.info("[%s] started after %.2f s", job.id, now - job.created)
        job.computing_since = job.stepped = now
        if job.stream is None:
            opening, job.opening = job.opening, []
            self._supervisor.send(opening)
            return
        if job.stream.worker != self._supervisor.generation:
            job.stream.worker = self._supervisor.generation
            self._supervisor.send(job.opening)
        _, frames = job.stream.take()
        self._supervisor.send(frames)
        if count := job.stream.grant():
            self._answers.send(job.session, Credit(job=job.id, count=count))

    def _watch(self, job: Job, now: float) -> None:
        if job.kill_at is not None and now >= job.kill_at:
            job.kill_at = None
            self._supervisor.kill(f"job {job.id} did not stop within {CANCEL_SECONDS:g} s")
        stalled = job.stream.stalled_since if job.stream else None
        since = job.computing_since if job.is_computing else stalled
        if since is not None and now - since > job.deadline:
            self.stop(job, Ending.deadline, failures.overdue(job))

    def _progress(self, job: Job, frames: list[Any]) -> None:
        message = wire.decode(frames)
        if isinstance(message, Progress):
            job.fraction, job.stage = message.fraction, message.stage
            self._answers.progress(job, frames)

    def _frame_done(self, job: Job, stream: Stream, frames: list[Any]) -> None:
        self._answers.frame(job, stream.delivered, frames)
        answer = wire.decode(frames)
        has_failed = isinstance(answer, Frame) and "error" in answer.info
        stream.deliver(job.stepped, has_failed=has_failed)
        self._supervisor.praise()
        if stream.is_done:
            # The result follows at once.
            return
        job.computing_since = None
        if job.ending:
            # The frame was faster than the request to stop.
            self._close_stream(job)
            self._end_stopped(job)

    def _go_on(self, job: Job, stream: Stream, death: ErrorInfo) -> None:
        """The worker has died while it was at this stream."""
        job.computing_since = None
        now = time.monotonic()
        if stream.current is None:
            # All frames had been delivered; the last word was on its way.
            self._answers.stream_result(job, stream)
        elif stream.put_back(now):
            _logger.warning("[%s] goes on with the next worker: %s", job.id, death.message)
        else:
            self._give_up_frame(job, stream, *stream.current, death)

    def _give_up_frame(
        self, job: Job, stream: Stream, index: int, inputs: list[Any], death: ErrorInfo
    ) -> None:
        """Answers a frame that ends every worker, so that the others can go on."""
        if not stream.give_up(time.monotonic()):
            self._answers.failed(job, failures.lost_frames(index, death))
            return
        _logger.warning("[%s] goes on without frame %d: %s", job.id, index, death.message)
        self._supervisor.praise()
        answer = Frame(job=job.id, index=index, info=failures.lost_frame(inputs, death))
        self._answers.frame(job, index, wire.encode(answer, job.session))
        if stream.is_done:
            self._answers.stream_result(job, stream)

    def _close_stream(self, job: Job) -> None:
        """Lets the worker forget a stream that it knows."""
        if job.stream and job.stream.worker == self._supervisor.generation:
            self._supervisor.send_message(Cancel(job=job.id))

    def _finish(self, job: Job, frames: list[Any]) -> None:
        self._supervisor.praise()
        if job.stream:
            self._answers.stream_result(job, job.stream, frames)
        else:
            self._answers.result(job, frames)

    def _end_stopped(self, job: Job) -> None:
        """The last word to a job that was asked to stop and has."""
        if job.failure is not None:
            self._answers.failed(job, job.failure)
        else:
            self._answers.cancelled(job)
