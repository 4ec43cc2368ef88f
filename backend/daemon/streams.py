"""Book-keeping of one streaming job: what may come in, what is to be computed, what may go out."""

from __future__ import annotations

from collections import deque
from typing import Any

from protocol.errors import ErrorCode, NuriError

# So many frames in a row have each ended two workers: the next would do no better.
MAX_LOST_FRAMES = 3


class Stream:
    """Frames of a job on their way; at most ``window`` wait here and as many are under way out.

    ``waiting``: (index, wire frames) not yet computed. ``stalled_since``: when it began to wait
    for the client, None while there is something to compute. ``current``: what the worker has.
    ``failed``: how many outputs say why there are no pictures.
    """

    def __init__(self, total: int, window: int, now: float) -> None:
        self.total = total
        self.waiting: deque[tuple[int, list[Any]]] = deque()
        self.delivered = 0
        self.failed = 0
        self.worker = 0
        self.stalled_since: float | None = now
        self.current: tuple[int, list[Any]] | None = None
        self._lost = -1
        self._lost_in_row = 0
        self._received = 0
        self._granted = min(window, total)
        self._room = window
        self._window = window

    @property
    def is_runnable(self) -> bool:
        return bool(self.waiting) and self._room > 0

    @property
    def is_done(self) -> bool:
        return self.delivered == self.total

    def receive(self, index: int, frames: list[Any], now: float) -> None:
        """Takes the inputs of frame ``index``. Raises `NuriError` malformed out of turn."""
        if index != self._received or index >= self.total:
            raise _malformed(f"Frame {index} came where frame {self._received} was due")
        if self._received >= self._granted:
            raise _malformed(f"Frame {index} came without credit for it")
        self._received += 1
        self.waiting.append((index, frames))
        self._note_stall(now)

    def add_room(self, count: int, now: float) -> None:
        """The client can take ``count`` more outputs; never more than the window in all."""
        self._room = min(self._room + count, self._window)
        self._note_stall(now)

    def take(self) -> tuple[int, list[Any]]:
        """The next frame to compute; its output uses up one place of the client's room."""
        self._room -= 1
        self.stalled_since = None
        self.current = self.waiting.popleft()
        return self.current

    def put_back(self, now: float) -> bool:
        """The worker died with the current frame; False when this frame has ended one before."""
        if self.current is None or self._lost == self.current[0]:
            return False
        self._lost = self.current[0]
        self.waiting.appendleft(self.current)
        self.current = None
        self._room += 1
        self._note_stall(now)
        return True

    def give_up(self, now: float) -> bool:
        """An error goes out in place of the current frame; False when too many in a row did."""
        self._lost_in_row += 1
        if self._lost_in_row == MAX_LOST_FRAMES:
            return False
        self._count_output(now, has_failed=True)
        return True

    def grant(self) -> int:
        """How many more frames the client may send, now that one has been taken: 0 or 1.

        None for a frame that is taken a second time.
        """
        if self._granted == self.total or (self.current and self.current[0] == self._lost):
            return 0
        self._granted += 1
        return 1

    def deliver(self, now: float, *, has_failed: bool = False) -> None:
        """One output of a worker has gone to the client."""
        self._lost_in_row = 0
        self._count_output(now, has_failed=has_failed)

    def _count_output(self, now: float, *, has_failed: bool) -> None:
        self.delivered += 1
        self.failed += has_failed
        self.current = None
        self._note_stall(now)

    def _note_stall(self, now: float) -> None:
        if self.is_runnable:
            self.stalled_since = None
        elif self.stalled_since is None:
            self.stalled_since = now


def _malformed(message: str) -> NuriError:
    return NuriError(
        ErrorCode.malformed, message, "Send frames in order, as many as there is credit for"
    )
