"""What clients are told of their jobs, and what of it is kept. Runs in the work loop."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

from protocol import wire
from protocol.errors import ErrorInfo
from protocol.job import SUPERSEDED
from protocol.messages import Cancelled, Failed, Message, Result

from .archive import Archive
from .outbox import Outbox
from .queue import Ending, Job, JobQueue
from .sessions import Sessions
from .streams import Stream

_logger = logging.getLogger("nuri.daemon")


class Answers:
    """`result`, `stream_result`, `failed` and `cancelled` are last words: with them the job leaves
    the queue.

    What comes from the worker is passed on as wire frames. The caller holds ``queue.lock``.
    """

    def __init__(
        self, queue: JobQueue, sessions: Sessions, archive: Archive, outbox: Outbox
    ) -> None:
        self._queue = queue
        self._sessions = sessions
        self._archive = archive
        self._outbox = outbox

    def send(self, session_id: str, message: Message) -> None:
        """To a client, if it is still there."""
        self.relay(session_id, wire.encode(message, session_id))

    def relay(self, session_id: str, frames: list[Any]) -> None:
        """A message that is in its wire frames already."""
        if session := self._sessions.get(session_id):
            self._outbox.send(session.work, frames)

    def progress(self, job: Job, frames: list[Any]) -> None:
        """News that a slow client can do without."""
        if session := self._sessions.get(job.session):
            self._outbox.offer(session.work, frames)

    def result(self, job: Job, frames: list[Any]) -> None:
        _logger.info("[%s] done after %.2f s", job.id, time.monotonic() - job.created)
        self.relay(job.session, frames)
        self._queue.remove(job)
        if job.keep:
            self._archive.store(job.id, job.task, job.document, frames)

    def frame(self, job: Job, index: int, frames: list[Any]) -> None:
        """Output ``index`` of a stream."""
        self.relay(job.session, frames)
        if job.keep:
            self._archive.store(job.id, job.task, job.document, frames, index)

    def stream_result(self, job: Job, stream: Stream, frames: list[Any] | None = None) -> None:
        """All frames are out. ``frames``: what the last worker says of those that it computed."""
        last = wire.decode(frames) if frames else None
        result = last if isinstance(last, Result) else Result(job=job.id, info={"warnings": []})
        info = {**result.info, "frames": stream.total, "failed": stream.failed}
        self.result(job, wire.encode(replace(result, info=info), job.session))

    def failed(self, job: Job, error: ErrorInfo) -> None:
        self._queue.remove(job)
        named = ErrorInfo(error.code, error.message, error.action, error.detail, job.id)
        _logger.warning("[%s] failed: %s: %s", job.id, error.code.value, error.message)
        self.send(job.session, Failed(job=job.id, error=named))

    def cancelled(self, job: Job) -> None:
        reason = SUPERSEDED if job.ending is Ending.superseded else ""
        self._queue.remove(job)
        _logger.info("[%s] ended: %s", job.id, job.ending.value if job.ending else "cancelled")
        self.send(job.session, Cancelled(job=job.id, reason=reason))
