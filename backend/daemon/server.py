"""`nuri serve`: the daemon's front. Owns the sockets and the queue; imports no NumPy, no torch."""

from __future__ import annotations

import logging
import os
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import zmq

from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.folders import lock_path, make_private_folder, runtime_folder, state_folder
from protocol.lock import DaemonLock
from protocol.messages import Limits
from protocol.sockets import CONTROL_HIGH_WATER, WORK_HIGH_WATER

from .answers import Answers
from .archive import Archive
from .control import Control
from .dispatch import Dispatcher
from .endpoints import (
    Gate,
    Listen,
    bind_private,
    bind_tcp,
    remove_sockets,
    router,
    socket_name,
)
from .kept_folder import KeptFolder
from .lifecycle import IdleClock, Publication, Signals, make_way
from .listening import load_or_make_keys, write_remote_file
from .logs import open_log
from .mailbox import Mailbox
from .memory import keep_freed_memory
from .outbox import Outbox
from .queue import JobQueue
from .sessions import Sessions
from .supervision import Supervisor
from .workloop import WorkLoop

IDLE_SECONDS = 600.0
DEVICES = ("auto", "cpu", "cuda")
# A worker that takes longer to get ready is awaited by clients that see its state meanwhile.
_PUBLISH_SECONDS = 10.0
_LINGER_MILLISECONDS = 1000
_ARCHIVE_SECONDS = 10.0
# The last result is on its way to its client meanwhile.
_FAREWELL_SECONDS = 5.0
_logger = logging.getLogger("nuri.daemon")


def serve(
    device: str = "auto",
    listen: str | None = None,
    auto: bool = False,
    idle: float = IDLE_SECONDS,
) -> int:
    """Runs the daemon until it is told to stop; returns the exit code 0.

    ``device``: auto, cpu or cuda. ``listen``: tcp://ADDRESS:PORT for other machines, with CURVE.
    ``auto``: started by a client, so it leaves after ``idle`` seconds without clients and jobs,
    and at once when another daemon is there already. Call from the main thread.
    Raises `NuriError`: busy (another daemon runs), bad_input (arguments, folders, a connection file
    that was carried here), unauthenticated.
    """
    if device not in DEVICES:
        raise NuriError(
            ErrorCode.bad_input, f"Unknown device {device!r}", f"Use one of {', '.join(DEVICES)}"
        )
    where = Listen.parse(listen) if listen else None
    os.umask(0o077)
    keep_freed_memory()
    lock = DaemonLock(lock_path())
    try:
        lock.acquire()
    except NuriError as error:
        if auto and error.code is ErrorCode.busy:
            return 0
        raise
    try:
        state = state_folder()
        make_private_folder(state)
        log_file = open_log(state)
        make_way()
        _run(Server(device, where, log_file), idle if auto else None)
    finally:
        lock.release()
    return 0


def _run(server: Server, idle: float | None) -> None:
    try:
        server.run(idle)
    except Exception:
        _logger.exception("the daemon has to end")
        raise
    finally:
        server.close()


class Server:
    """Everything that makes up a running daemon, and the order in which it comes and goes.

    ``worker_command``: the program that computes, by default backend.daemon.worker.
    """

    def __init__(
        self,
        device: str,
        listen: Listen | None,
        log_file: Path,
        worker_command: list[str] | None = None,
    ) -> None:
        version = metadata.version("nuri")
        limits = Limits()
        folder = runtime_folder()
        make_private_folder(folder)
        remove_sockets(folder)
        self._mailbox = Mailbox()
        self._signals = Signals(self._mailbox)
        # Clients' pixels and the worker's move on a thread each, beside each other.
        self._context: zmq.Context[Any] = zmq.Context(io_threads=2)
        self._gate = Gate(self._context)
        self._work = router(self._context, WORK_HIGH_WATER, 0)
        self._control_socket = router(self._context, CONTROL_HIGH_WATER, 1)
        self._queue = JobQueue(limits.queue)
        self._sessions = Sessions(limits.clients)
        outbox = Outbox(self._work)
        self._kept = KeptFolder(state_folder())
        self._archive = Archive(self._kept.results, self._mailbox)
        self._supervisor = Supervisor(
            self._context, self._gate, self._mailbox, folder, device, worker_command
        )
        answers = Answers(self._queue, self._sessions, self._archive, outbox)
        self._dispatcher = Dispatcher(
            self._queue, self._supervisor, self._sessions, self._archive, answers, limits
        )
        self._loop = WorkLoop(
            self._work,
            self._mailbox,
            self._queue,
            self._sessions,
            self._supervisor,
            self._dispatcher,
            outbox,
            log_file,
        )
        # Its monitor has to see the first client, so it comes before the sockets open.
        self._control = Control(
            self._control_socket,
            self._mailbox,
            self._queue,
            self._sessions,
            self._supervisor,
            self._archive,
            limits,
            version,
            log_file,
        )
        names = [socket_name(part) for part in ("work", "control")]
        (work, control), server, client = bind_private(
            (self._work, self._control_socket), names, folder, self._gate
        )
        self._publication = Publication(
            ConnectionFile.of_this_process(version, work, control, server, client)
        )
        _logger.info("daemon %s (pid %d) on %s", version, os.getpid(), work)
        if listen:
            self._listen(listen, version)

    def run(self, idle: float | None) -> None:
        """Serves until asked to stop, or for ``idle`` seconds without clients and jobs."""
        now = started = time.monotonic()
        clock = IdleClock(idle, now)
        is_published = False
        self._control.start()
        with self._queue.lock:
            self._supervisor.start()
        while not self._loop.stopping:
            self._loop.turn()
            now = time.monotonic()
            # Nobody can come before the connection is published, so that time is no idle time.
            is_settled = self._supervisor.state != "starting" or now > started + _PUBLISH_SECONDS
            if is_settled and not is_published:
                self._publication.publish(now)
                is_published = True
            self._publication.renew(now)
            clock.note(len(self._queue), len(self._sessions) if is_published else 1, now)
            if self._signals.received:
                self._loop.stopping = self._signals.received
            elif self._publication.is_cut_off and clock.without_jobs(now) > _FAREWELL_SECONDS:
                self._loop.stopping = "its socket files are gone, so nobody new can come"
            elif clock.is_over(now):
                self._loop.stopping = f"idle for {idle:g} s"
        _logger.info("leaving: %s", self._loop.stopping)

    def close(self) -> None:
        """Ends jobs, worker and sockets; what was said to clients still reaches them."""
        self._publication.withdraw()
        with self._queue.lock:
            self._dispatcher.shut_down()
        self._control.close()
        self._supervisor.stop()
        self._archive.close(_ARCHIVE_SECONDS)
        self._kept.release()
        self._gate.close()
        self._work.close(_LINGER_MILLISECONDS)
        self._control_socket.close(_LINGER_MILLISECONDS)
        self._context.term()
        remove_sockets(runtime_folder())
        _logger.info("the daemon has left")

    def _listen(self, listen: Listen, version: str) -> None:
        """Opens the same two sockets to other machines."""
        server, client = load_or_make_keys(state_folder())
        self._gate.allow(client)
        for socket, endpoint in zip(
            (self._work, self._control_socket), listen.endpoints, strict=True
        ):
            bind_tcp(socket, endpoint, server, is_remote=True)
        path = write_remote_file(state_folder(), listen, version, server, client)
        _logger.info("listening on %s; other machines need %s", listen.endpoints[0], path)
