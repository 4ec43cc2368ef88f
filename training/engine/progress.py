"""Live progress of a run: a bar with rate and time left on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_LINE_SECONDS = 10.0


class Progress:
    """Progress of ``total`` steps; use as a context manager."""

    def __init__(self, title: str, total: int, done: int = 0, *, quiet: bool = False) -> None:
        self._title = title
        self._total = total
        self._start = done
        self._began = time.monotonic()
        self._next = self._began
        self._quiet = quiet
        self._bar = _bar() if sys.stderr.isatty() and not quiet else None
        if self._bar is not None:
            self._bar.add_task(title, total=total, completed=done, rate="", losses="")

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, losses: dict[str, float], samples_per_second: float) -> None:
        """``done`` steps of all; ``losses`` are shown by name."""
        if self._quiet:
            return
        shown = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
        rate = f"{samples_per_second:.3g} samples/s"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, rate=rate, losses=shown)
            return
        now = time.monotonic()
        if now < self._next and done < self._total:
            return
        self._next = now + _LINE_SECONDS
        left = (now - self._began) / max(done - self._start, 1) * (self._total - done)
        self.say(
            f"{self._title}: step {done}/{self._total}  {rate}  {duration(left)} left  {shown}"
        )

    def say(self, line: str) -> None:
        """A line above the bar, or one in the pipe."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
            return
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, as short as they go."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True), speed_estimate_period=120)
