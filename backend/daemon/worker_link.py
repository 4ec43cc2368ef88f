"""From worker to daemon: a socket for jobs and pictures, standard input for cancels."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import zmq

from backend.weights import store
from protocol import wire
from protocol.connection import ConnectionFile
from protocol.messages import Message
from protocol.sockets import set_client_curve
from protocol.version import PROTOCOL_VERSION

from .memory import give_back_memory

_IDLE_MILLISECONDS = 2000
_RESTING_MILLISECONDS = 300_000


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
