"""The control socket on a thread of its own: handshake, cancel, status, ping, shutdown.

It answers while a job computes and while large pictures are on their way; it only reads the
queue, and leaves what is to be done to the work loop through the mailbox.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from backend.models.registry import announce_styles
from backend.weights import styles
from protocol import limits as bounds
from protocol import wire
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.messages import (
    Cancel,
    CancelReply,
    Error,
    Hello,
    Limits,
    Message,
    Ping,
    Pong,
    Shutdown,
    Status,
    StatusRequest,
    Stopping,
    Welcome,
)
from protocol.version import PROTOCOL_VERSION

from .archive import Archive
from .mailbox import Mailbox
from .queue import JobQueue
from .sessions import Sessions, refusal
from .supervision import Supervisor

_SERVED = tuple(kind.TYPE for kind in (Hello, Cancel, StatusRequest, Ping, Shutdown))
_logger = logging.getLogger("nuri.daemon")


class Control:
    """Serves the control ROUTER from `start` to `close`. Posts ("stop", job), ("gone", session) and
    ("shutdown",) to the work loop's mailbox."""

    def __init__(
        self,
        socket: Any,
        mailbox: Mailbox,
        queue: JobQueue,
        sessions: Sessions,
        supervisor: Supervisor,
        archive: Archive,
        limits: Limits,
        version: str,
        log_file: Path,
    ) -> None:
        self._socket = socket
        self._mailbox = mailbox
        self._queue = queue
        self._sessions = sessions
        self._supervisor = supervisor
        self._archive = archive
        self._limits = limits
        self._version = version
        self._log_file = str(log_file)
        self._started = time.monotonic()
        self._stop = Mailbox()
        # Must exist before the first client connects.
        self._monitor = socket.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._connections: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, when it runs, after what it is at."""
        if self._thread.is_alive():
            self._stop.ring()
            self._thread.join()
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._stop.close()

    def _run(self) -> None:
        try:
            self._serve_until_closed()
        except Exception:
            _logger.exception("the control thread has to end, and the daemon with it")
            self._mailbox.post("shutdown")

    def _serve_until_closed(self) -> None:
        poller = zmq.Poller()
        for source in (self._socket, self._monitor, self._stop.fileno()):
            poller.register(source, zmq.POLLIN)
        while True:
            events = dict(poller.poll())
            self._read_monitor()
            if self._socket in events:
                self._receive()
            if self._stop.fileno() in events:
                return

    def _receive(self) -> None:
        try:
            client, *frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return
        # Events of an earlier connection with the same number come before this message.
        self._read_monitor()
        message: Message | None = None
        session = ""
        try:
            envelope = wire.decode_envelope(frames, _SERVED)
            message, session = envelope.message, envelope.session
            reply = self._serve(message, session, frames)
        except NuriError as error:
            named = error.info.job or (message.TYPE if message else wire.subject(frames))
            reply = Error(error=error.info, reply_to=named)
        except Exception:
            _logger.exception("a control message could not be served")
            info = ErrorInfo(
                ErrorCode.internal, "The backend made a mistake", f"See {self._log_file}"
            )
            reply = Error(error=info, reply_to=wire.subject(frames))
        if reply is not None:
            self._send(client.bytes, reply, session)

    def _serve(self, message: Message, session: str, frames: list[Any]) -> Message | None:
        if isinstance(message, Hello):
            return self._greet(message, frames)
        self._sessions.find(session)
        if isinstance(message, Cancel):
            return self._cancel(message)
        if isinstance(message, StatusRequest):
            return self._status()
        if isinstance(message, Ping):
            return self._pong(message)
        _logger.info("shutdown asked for by a client")
        self._mailbox.post("shutdown")
        return Stopping()

    def _greet(self, hello: Hello, frames: list[Any]) -> Message:
        if refused := refusal(hello, self._version):
            _logger.warning("refused: %s", refused.message)
            return refused
        session = self._sessions.open(hello, _connection(frames[0]))
        _logger.info("client %s (pid %d) is connected", session.client, session.pid)
        worker = self._supervisor.welcome
        return Welcome(
            protocol=PROTOCOL_VERSION,
            version=self._version,
            session=session.id,
            pid=os.getpid(),
            device=worker.device if worker else "",
            # styles are taught while the worker runs
            models=[*worker.models, *announce_styles(styles.facts())] if worker else [],
            tasks=worker.tasks if worker else [],
            limits=self._limits,
            log_file=self._log_file,
        )

    def _cancel(self, message: Cancel) -> CancelReply:
        with self._queue.lock:
            state = "finished" if self._queue.has_ended(message.job) else "unknown"
            if self._queue.find(message.job) is not None:
                state = "cancelling"
                self._mailbox.post("stop", message.job)
        return CancelReply(job=message.job, state=state)

    def _status(self) -> Status:
        now = time.monotonic()
        with self._queue.lock:
            jobs = [job.describe(now) for job in self._queue.in_running_order()]
            worker = self._supervisor.describe()
            if self._queue.computing() is not None:
                worker["state"] = "computing"
        known = self._supervisor.welcome
        kept = [vars(entry) for entry in self._archive.entries()[: bounds.KEPT]]
        return Status(
            version=self._version,
            pid=os.getpid(),
            device=known.device if known else "",
            uptime=now - self._started,
            worker=worker,
            jobs=jobs[: bounds.JOBS],
            kept=kept,
            log_file=self._log_file,
        )

    def _pong(self, message: Ping) -> Pong:
        with self._queue.lock:
            job = self._queue.computing()
            if job is None:
                return Pong(nonce=message.nonce)
            age = max(0.0, time.monotonic() - job.stepped)
            return Pong(nonce=message.nonce, job=job.id, fraction=job.fraction, step_age=age)

    def _send(self, client: bytes, message: Message, session: str) -> None:
        try:
            self._socket.send_multipart([client, *wire.encode(message, session)], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # A client that is gone, or that asks without ever listening, needs no answer.
            if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                raise

    def _read_monitor(self) -> None:
        """Ends the sessions of clients whose control connection is gone."""
        while True:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            number = int(event["value"])
            if event["event"] == zmq.EVENT_ACCEPTED:
                self._connections.add(number)
                continue
            self._connections.discard(number)
            gone = self._sessions.end(number)
            if not self._connections:
                gone += self._sessions.end(-1)
            for session in gone:
                _logger.info("client %s (pid %d) is gone", session.client, session.pid)
                self._mailbox.post("gone", session.id)


def _connection(frame: Any) -> int:
    """Number of the connection that a frame came through, -1 where ZeroMQ does not tell."""
    try:
        return int(frame.get(zmq.SRCFD))
    except zmq.ZMQError:
        return -1
