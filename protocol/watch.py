"""Notices that the daemon is gone: its process is dead, or ZeroMQ has lost a connection."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable
from typing import Any

import zmq

from .connection import ConnectionFile
from .errors import ErrorCode, NuriError
from .folders import state_folder

_PROCESS_CHECK_SECONDS = 0.5
# What the daemon said before it ended may still be in the system's buffers: while a connection
# lives, ZeroMQ has not read it to its end.
_LAST_WORDS_SECONDS = 0.5
_EVENT = struct.Struct("=hi")


class ConnectionWatch:
    """Watches the process of a `ConnectionFile` and the connections of its sockets.

    ``sockets``: the monitor sockets, for a poller. Make it before the sockets connect.
    """

    def __init__(self, connection: ConnectionFile, watched: Iterable[zmq.Socket[bytes]]) -> None:
        events = (
            zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        )
        self._connection = connection
        self._watched = list(watched)
        self.sockets: list[Any] = [s.get_monitor_socket(events) for s in self._watched]
        self._next_check = 0.0
        self._ended: set[int] = set()  # numbers of the sockets whose connections broke
        self._loss: NuriError | None = None
        self._loss_is_final = 0.0

    def check(self, was_ready: bool) -> NuriError | None:
        """The reason why the connection is lost, or None while it is not, or may still bring
        what was sent before the end. Never blocks.

        ``was_ready``: a connection that ends before the handshake is tried again by ZeroMQ.
        """
        events = 0
        for number, socket in enumerate(self.sockets):
            of_socket = self._drain(socket)
            if of_socket & zmq.EVENT_DISCONNECTED and was_ready:
                self._ended.add(number)
            events |= of_socket
        if events & zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return NuriError(
                ErrorCode.unauthenticated,
                "The Nuri backend does not accept the key of this connection file",
                "Start the backend again with `nuri stop` and `nuri serve`",
            )
        now = time.monotonic()
        if self._ended:
            self._note_loss("The connection to the Nuri backend broke", now)
        elif now >= self._next_check:
            self._next_check = now + _PROCESS_CHECK_SECONDS
            if self._connection.is_stale():
                self._note_loss("The Nuri backend has ended unexpectedly", now)
        has_read_all = len(self._ended) == len(self.sockets)
        return self._loss if has_read_all or now >= self._loss_is_final else None

    def close(self) -> None:
        """Ends the monitors; call before the watched sockets are closed."""
        for watched, socket in zip(self._watched, self.sockets, strict=True):
            watched.disable_monitor()
            socket.close(0)

    def _note_loss(self, reason: str, now: float) -> None:
        if self._loss is None:
            self._loss = unreachable(reason)
            self._loss_is_final = now + _LAST_WORDS_SECONDS

    def _drain(self, socket: zmq.Socket[bytes]) -> int:
        events = 0
        while True:
            try:
                event, *_ = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return events
            number, _ = _EVENT.unpack(event)
            events |= number


def no_answer(connection: ConnectionFile) -> NuriError:
    """The error for a daemon that is there, as far as can be seen, and says nothing."""
    if not connection.is_local:
        return NuriError(
            ErrorCode.unreachable,
            f"The Nuri backend at {connection.control} does not answer",
            f"Look whether `nuri serve` runs on {connection.host or 'its machine'}, and try again",
        )
    return NuriError(
        ErrorCode.unreachable,
        f"The Nuri backend (process {connection.pid}) does not answer",
        f"End process {connection.pid}, start it with `nuri serve` and try again; "
        f"its log is in {state_folder()}",
    )


def unreachable(message: str) -> NuriError:
    """The error for a daemon that is not there or gives no answer."""
    return NuriError(
        ErrorCode.unreachable,
        message,
        f"Start it with `nuri serve` and try again; its log is in {state_folder()}",
    )
