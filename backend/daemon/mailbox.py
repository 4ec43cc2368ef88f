"""Items for the work loop from any thread, with a file descriptor that a poller can watch."""

from __future__ import annotations

import queue
import signal
import socket
from typing import Any


class Mailbox:
    """`post` from any thread; the loop polls `fileno()` and empties with `take_all`."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        return self._reader.fileno()

    def post(self, *item: Any) -> None:
        self._items.put(item)
        self.ring()

    def ring(self) -> None:
        """Wakes the loop without an item."""
        try:
            self._writer.send(b"\0")
        except BlockingIOError:
            # A full socket buffer already means that the loop will wake.
            return

    def wake_on_signals(self) -> None:
        """Any signal of this process wakes the loop; call from the main thread."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def take_all(self) -> list[tuple[Any, ...]]:
        """All items posted so far, oldest first; never blocks."""
        while True:
            try:
                if len(self._reader.recv(4096)) < 4096:
                    break
            except BlockingIOError:
                break
        items = []
        while True:
            try:
                items.append(self._items.get_nowait())
            except queue.Empty:
                return items

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
