"""Messages to clients on the work socket. Never blocks: what a slow client cannot take waits."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import zmq

MAX_BACKLOG = 256
_logger = logging.getLogger("nuri.daemon")


class Outbox:
    """Sends wire frames to routing ids of a ROUTER; used by the work loop alone."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._backlogs: dict[bytes, deque[list[Any]]] = {}
        self._deaf: set[bytes] = set()

    @property
    def has_backlog(self) -> bool:
        return bool(self._backlogs)

    def send(self, client: bytes, frames: list[Any]) -> None:
        """Sends now or, in order, when the client takes messages again; "" and gone: dropped."""
        backlog = self._backlogs.get(client)
        if backlog is None:
            if not self._try(client, frames):
                self._backlogs[client] = deque([frames])
        elif len(backlog) < MAX_BACKLOG:
            backlog.append(frames)
        elif client not in self._deaf:
            self._deaf.add(client)
            _logger.warning("a client takes no messages; more for it are dropped")

    def offer(self, client: bytes, frames: list[Any]) -> None:
        """Sends now or not at all: for news that a slow client can do without."""
        if client not in self._backlogs:
            self._try(client, frames)

    def flush(self) -> None:
        """Tries again what waits."""
        for client, backlog in list(self._backlogs.items()):
            while backlog and self._try(client, backlog[0]):
                backlog.popleft()
            if not backlog:
                del self._backlogs[client]
                self._deaf.discard(client)

    def _try(self, client: bytes, frames: list[Any]) -> bool:
        """False when the client has no room now."""
        if not client:
            return True
        try:
            self._socket.send_multipart([client, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
        return True
