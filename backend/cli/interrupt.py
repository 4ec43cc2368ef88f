"""Ctrl-C, and the signals of a closed terminal or a system that shuts down: the first asks the job
to stop, a second one ends at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

_received: int = signal.SIGINT


class Interrupt:
    """While entered, Ctrl-C sets ``requested`` instead of breaking off in the middle."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        for number in (signal.SIGINT, *_endings()):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for known, previous in self._previous.items():
            signal.signal(known, previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            _break_off(number, frame)
        _remember(number)
        self.requested = True


@contextmanager
def orderly_end() -> Iterator[None]:
    """While entered, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does: a process that they
    killed would leave half-written files."""
    _remember(signal.SIGINT)
    taken = {number: signal.signal(number, _break_off) for number in _endings()}
    try:
        yield
    finally:
        for number, previous in taken.items():
            if signal.getsignal(number) is _break_off:  # `nuri serve` takes them over
                signal.signal(number, previous)


def _endings() -> list[int]:
    """Those of SIGTERM and SIGHUP that are there and not ignored, as under nohup."""
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _break_off(number: int, frame: FrameType | None) -> None:
    _remember(number)
    raise KeyboardInterrupt


def _remember(number: int) -> None:
    global _received
    _received = number


def end_by_signal() -> int:
    """End as a program that the signal ended, so that a shell loop around it stops too."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # a terminal that was closed under us
            stream.flush()
    if os.name == "posix":
        signal.signal(_received, signal.SIG_DFL)
        os.kill(os.getpid(), _received)
    return 128 + _received
