"""Ctrl-C: the first asks the job to stop, a second one ends at once."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType


class Interrupt:
    """While entered, Ctrl-C sets ``requested`` instead of breaking off in the middle."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interrupt:
        self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


def end_by_signal() -> int:
    """End as a program that Ctrl-C ended, so that a shell loop around it stops too."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 130
