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
from collections.abc import Callable
from typing import Any

from backend.imaging.refusal import is_no_memory
from backend.weights import store
from protocol import wire
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.messages import Cancel, Error, Frame, Limits, Submit, Welcome
from protocol.version import PROTOCOL_VERSION

from .computing import Computation
from .courtesy import give_way, threads
from .memory import keep_freed_memory
from .worker_link import Commands, Link

_logger = logging.getLogger("nuri.worker")


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


if __name__ == "__main__":
    # A thread still reads standard input, and Python aborts when it tries to tidy that up.
    os._exit(main())
