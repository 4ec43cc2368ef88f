"""The worker: the one process that computes. Started by supervision.py, never by hand.

Jobs and pictures travel over a socket of its own to the daemon: [head] [frames of protocol.wire],
where the head tells the daemon what it needs to know to pass the rest on unread. Standard input
brings first the settings, then cancel requests; when it ends, the daemon is gone and so are we.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import zmq

from backend.imaging.refusal import is_no_memory
from backend.weights import store
from protocol import wire
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.messages import Cancel, Error, Frame, Limits, Message, Submit, Welcome
from protocol.sockets import set_client_curve
from protocol.version import PROTOCOL_VERSION

from .computing import Computation
from .courtesy import give_way, threads
from .memory import give_back_memory, keep_freed_memory

_IDLE_MILLISECONDS = 2000
_RESTING_MILLISECONDS = 300_000
_logger = logging.getLogger("nuri.worker")


class Commands(threading.Thread):
    """Reads standard input: the jobs to cancel. Ends the process when the daemon is gone."""

    def __init__(self) -> None:
        super().__init__(name="commands", daemon=True)
        self._cancelled: set[str] = set()

    def is_cancelled(self, job: str) -> bool:
        return job in self._cancelled

    def forget(self, job: str) -> None:
        """The job has ended, whichever way."""
        self._cancelled.discard(job)

    def run(self) -> None:
        for line in sys.stdin.buffer:
            self._cancelled.add(json.loads(line)["cancel"])
        # Nothing is left to clean up, and a computation would not let us leave otherwise.
        os._exit(0)


class Link:
    """The socket to the daemon. `send` may be called from the threads of a task."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        self._lock = threading.Lock()
        self._socket.linger = 1000
        if settings["server_public_key"]:
            set_client_curve(self._socket, _keys(settings))
        self._socket.connect(settings["endpoint"])

    def send(self, kind: str, job: str, message: Message, session: str = "") -> None:
        """``kind`` and ``job`` make the head that the daemon reads."""
        frames = [f"{kind} {job}".encode("ascii"), *wire.encode(message, session)]
        with self._lock:
            self._socket.send_multipart(frames, copy=False)

    def receive(self) -> wire.Envelope:
        """Waits for the next request; gives memory back to the system when none comes for long.

        Networks are let go much later: the next stroke of a pen should not wait for them.
        """
        if not self._socket.poll(_IDLE_MILLISECONDS):
            give_back_memory()
            if not self._socket.poll(_RESTING_MILLISECONDS):
                store.release()
                give_back_memory()
                self._socket.poll()
        return wire.decode_envelope(self._socket.recv_multipart(copy=False))

    def close(self) -> None:
        self._socket.close()
        self._context.term()


def main() -> int:
    """Runs until the daemon closes standard input; 1 when nothing can be computed here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    give_way()
    keep_freed_memory()
    settings = json.loads(sys.stdin.buffer.readline())
    link = Link(settings)
    commands = Commands()
    commands.start()
    try:
        welcome, run = _prepare(settings["device"])
    except NuriError as error:
        return _refuse(link, error.info)
    except Exception as error:  # whatever it is, the daemon has to hear of it
        _logger.exception("the tasks cannot be loaded")
        return _refuse(link, _explain(error))
    link.send("welcome", "", welcome)
    try:
        serve(link, commands, run)
    except Exception:
        _logger.exception("the worker made a mistake")
        link.close()
        return 1
    return 0


def serve(link: Link, commands: Commands, run: Callable[..., Any]) -> None:
    """Computes one request after the other; ``run`` is backend.tasks.job.run. Never returns."""
    streams: dict[str, Computation] = {}
    while True:
        # A call of its own, so that the pictures of a finished job do not stay until the next.
        _serve_one(link.receive(), streams, link, commands, run)


def _serve_one(
    envelope: wire.Envelope,
    streams: dict[str, Computation],
    link: Link,
    commands: Commands,
    run: Callable[..., Any],
) -> None:
    message = envelope.message
    if isinstance(message, Submit):
        computation = Computation(message, envelope.session, link, commands, run)
        if message.frames:
            streams[message.job] = computation
        else:
            computation.whole()
    elif isinstance(message, Frame) and message.job in streams:
        if streams[message.job].frame(message):
            del streams[message.job]
    elif isinstance(message, Cancel):
        streams.pop(message.job, None)
        commands.forget(message.job)


def _prepare(device: str) -> tuple[Welcome, Callable[..., Any]]:
    """Loads everything that computes, so that the first job does not wait for it."""
    import cv2

    from backend.models.registry import announce
    from backend.tasks import job

    from .devices import choose_device

    cv2.setNumThreads(threads())
    welcome = Welcome(
        protocol=PROTOCOL_VERSION,
        version="",
        session="worker",
        pid=os.getpid(),
        device=choose_device(device),
        models=announce(store.installed()),
        tasks=list(job.TASKS),
        limits=Limits(),
    )
    job.warm_up()
    return welcome, job.run


def _refuse(link: Link, reason: ErrorInfo) -> int:
    link.send("error", "", Error(error=reason))
    link.close()
    return 1


def _explain(error: Exception) -> ErrorInfo:
    if is_no_memory(error):
        return ErrorInfo(
            ErrorCode.no_memory,
            "There is not enough memory to start the computing process",
            "Close other programs and try again",
        )
    is_absent = isinstance(error, (ImportError, OSError))
    what = "is not completely installed" if is_absent else "cannot compute here"
    reason = " ".join(str(error).split()) or type(error).__name__
    return ErrorInfo(
        ErrorCode.internal,
        f"The backend {what}: {reason}",
        "Run `python3 install.py demo` in Nuri's folder, then `nuri doctor`",
    )


def _keys(settings: dict[str, str]) -> ConnectionFile:
    return ConnectionFile(
        protocol=PROTOCOL_VERSION,
        version="",
        work=settings["endpoint"],
        control=settings["endpoint"],
        pid=os.getpid(),
        started="",
        server_public_key=settings["server_public_key"],
        client_public_key=settings["client_public_key"],
        client_secret_key=settings["client_secret_key"],
    )


if __name__ == "__main__":
    # A thread still reads standard input, and Python aborts when it tries to tidy that up.
    os._exit(main())
