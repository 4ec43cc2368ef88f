"""The loop of the daemon's main thread: clients' requests, the worker's words, the mailbox."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import zmq

from protocol import wire
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.messages import Credit, Error, Fetch, Frame, Submit, Welcome

from .dispatch import Dispatcher
from .mailbox import Mailbox
from .outbox import Outbox
from .queue import Ending, JobQueue
from .sessions import Sessions
from .supervision import Supervisor

_SERVED = tuple(kind.TYPE for kind in (Submit, Frame, Credit, Fetch))
_MESSAGES_PER_TURN = 32
_BUSY_MILLISECONDS = 50
_IDLE_MILLISECONDS = 1000
_logger = logging.getLogger("nuri.daemon")


class WorkLoop:
    """`turn` waits for something to happen and deals with it; it never blocks on a client.

    ``stopping``: why the daemon is asked to leave, "" while it is not.
    """

    def __init__(
        self,
        work: Any,
        mailbox: Mailbox,
        queue: JobQueue,
        sessions: Sessions,
        supervisor: Supervisor,
        dispatcher: Dispatcher,
        outbox: Outbox,
        log_file: Path,
    ) -> None:
        self.stopping = ""
        self._work = work
        self._mailbox = mailbox
        self._queue = queue
        self._sessions = sessions
        self._supervisor = supervisor
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._log_file = log_file
        self._link: Any = None
        self._poller = zmq.Poller()
        self._poller.register(work, zmq.POLLIN)
        self._poller.register(mailbox.fileno(), zmq.POLLIN)

    def turn(self) -> None:
        """One round: waits a moment at most, then serves everything that has come."""
        self._watch_link()
        is_busy = len(self._queue) or self._outbox.has_backlog or self._supervisor.is_restless
        events = dict(self._poller.poll(_BUSY_MILLISECONDS if is_busy else _IDLE_MILLISECONDS))
        for item in self._mailbox.take_all():
            with self._queue.lock:
                self._take(*item)
        self._hear_worker()
        if self._work in events:
            self._hear_clients()
        now = time.monotonic()
        with self._queue.lock:
            self._supervisor.tick(now)
            self._dispatcher.advance(now)
        self._outbox.flush()

    def _watch_link(self) -> None:
        """Every worker has a socket of its own."""
        if self._link is self._supervisor.link:
            return
        if self._link is not None:
            self._poller.unregister(self._link)
        self._link = self._supervisor.link
        if self._link is not None:
            self._poller.register(self._link, zmq.POLLIN)

    def _take(self, kind: str, *values: Any) -> None:
        """One item of the mailbox."""
        if kind == "stop":
            if job := self._queue.find(values[0]):
                self._dispatcher.stop(job, Ending.cancelled)
        elif kind == "gone":
            self._dispatcher.forget_client(values[0])
        elif kind == "fetched":
            self._dispatcher.deliver_kept(*values)
        elif kind == "exit":
            generation, code = values
            if generation == self._supervisor.generation:
                # What it said before it died still counts.
                self._hear_worker()
                self._supervisor.note_exit(code)
                self._dispatcher.worker_ended()
        elif kind == "shutdown":
            self.stopping = "asked to by a client"

    def _hear_worker(self) -> None:
        while (link := self._supervisor.link) is not None:
            try:
                head, *frames = link.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            kind, job = head.bytes.decode("ascii").split(" ")
            with self._queue.lock:
                if job:
                    self._dispatcher.worker_said(kind, job, frames)
                    continue
                message = wire.decode(frames)
                if isinstance(message, Welcome):
                    self._supervisor.greet(message)
                elif isinstance(message, Error):
                    self._supervisor.refuse(str(NuriError.from_info(message.error)))

    def _hear_clients(self) -> None:
        for _ in range(_MESSAGES_PER_TURN):
            try:
                client, *frames = self._work.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._serve(client.bytes, frames)

    def _serve(self, client: bytes, frames: list[Any]) -> None:
        named = ""
        try:
            envelope = wire.decode_envelope(frames, _SERVED)
            named = getattr(envelope.message, "job", "")
            session = self._sessions.find(envelope.session)
            session.work = client
            with self._queue.lock:
                self._dispatcher.serve(session, envelope.message, frames)
            return
        except NuriError as error:
            info = error.info
        except Exception:
            _logger.exception("[%s] a message could not be served", named)
            info = ErrorInfo(
                ErrorCode.internal, "The backend made a mistake", f"See {self._log_file}"
            )
        reply = Error(error=info, reply_to=info.job or named or wire.subject(frames))
        self._outbox.send(client, wire.encode(reply))
