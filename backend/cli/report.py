"""What the commands print: errors, facts about a result, progress."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from protocol import limits
from protocol.errors import NuriError, one_line

if TYPE_CHECKING:
    from rich.progress import Progress

# A bar for a job that takes no time would only flicker, and rich takes 0.1 s to import.
_QUIET_SECONDS = 0.4
_LINE_SECONDS = 2.0
_LINE_LENGTH = 4 * limits.MESSAGE  # an error with its remedy, after the name of a file


def report_error(error: NuriError, *, as_json: bool) -> None:
    """One line on standard error; for programs also an object on standard output."""
    sys.stderr.write(f"nuri: {error}\n")
    if as_json:
        print_json({"error": error.info.as_facts()})


def warn(message: str) -> None:
    """One line on standard error about something that went well enough."""
    sys.stderr.write(f"nuri: note: {one_line(message)}\n")


def print_json(value: dict[str, Any]) -> None:
    """One object on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def result_line(facts: dict[str, Any]) -> str:
    """One line about a picture that was written."""
    return (
        f"{one_line(facts['output'])}: {facts['width']} x {facts['height']}, "
        f"{facts['coloured']} of {facts['regions']} regions coloured, {facts['seconds']:.2f} s"
    )


class ProgressReport:
    """Progress of one thing: a bar on a terminal, a line now and then in a pipe, or nothing.

    ``lines``: whether a pipe gets them. Use as a context manager; leaving it takes the bar away.
    """

    def __init__(self, title: str, *, silent: bool = False, lines: bool = True) -> None:
        self._title = one_line(title)
        self._terminal = sys.stderr.isatty()
        self._silent = silent or not (lines or self._terminal)
        self._next = time.monotonic() + (_QUIET_SECONDS if self._terminal else _LINE_SECONDS)
        self._bar: Progress | None = None
        self._stage = ""

    def __enter__(self) -> ProgressReport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, fraction: float, stage: str) -> None:
        """``fraction`` 0..1 of the whole is done, now ``stage``."""
        if self._silent or (self._bar is None and time.monotonic() < self._next):
            return
        if not self._terminal:
            self._next = time.monotonic() + _LINE_SECONDS
            print(f"{self._title}: {fraction:.0%} {stage}", flush=True)
            return
        if self._bar is None:
            self._bar = _bar()
            self._bar.add_task(self._title, total=1.0, stage="")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=fraction, stage=stage)

    def say(self, line: str) -> None:
        """A line on standard output, above the bar where there is one."""
        self._above_bar(sys.stdout, line)

    def complain(self, line: str) -> None:
        """A line on standard error, above the bar where there is one."""
        self._above_bar(sys.stderr, f"nuri: {line}")

    def _above_bar(self, stream: TextIO, line: str) -> None:
        if self._bar is not None:
            self._bar.stop()
        print(one_line(line, _LINE_LENGTH), file=stream, flush=True)
        if self._bar is not None:
            self._bar.start()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stage]}", markup=False),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
