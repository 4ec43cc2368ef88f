"""What the person at the terminal sees: one line a step, plain in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from protocol.errors import NuriError


class Step:
    """One line of progress; `note` shows what happens now where the terminal can be rewritten."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title = title
        self.result = "done"
        self._stream = stream
        self._live = stream.isatty()
        self._started = time.monotonic()
        stream.write(f"  {title} ..." + ("" if self._live else "\n"))
        stream.flush()

    def note(self, text: str) -> None:
        """Replaces what stands behind the title."""
        if self._live:
            seconds = time.monotonic() - self._started
            line = f"  {self.title} ... {seconds:.0f} s  {text.strip()}"
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + line[:width].ljust(width))
            self._stream.flush()

    def close(self, failed: bool) -> None:
        """Writes the last line of this step."""
        seconds = time.monotonic() - self._started
        result = "FAILED" if failed else self.result
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + " " * width + "\r")
        indent = "  " if self._live else "    "
        title = f"{self.title}: " if self._live else ""
        self._stream.write(f"{indent}{title}{result} ({seconds:.1f} s)\n")
        self._stream.flush()


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Shows a step while its block runs; set `.result` to say more than "done"."""
    line = Step(title, sys.stdout)
    try:
        yield line
    except BaseException:
        line.close(failed=True)
        raise
    line.close(failed=False)


def say(text: str = "") -> None:
    """One plain line."""
    print(text, flush=True)


def warn(error: NuriError) -> None:
    """Something that does not stop the work but has to be known, with its remedy."""
    sys.stdout.flush()
    print(f"  WARNING: {error.info.message}", file=sys.stderr)
    if error.info.action:
        print(f"           {error.info.action}", file=sys.stderr, flush=True)


def complain(error: NuriError) -> None:
    """The one line that says why the work stopped and what to do, after any details."""
    sys.stdout.flush()
    if error.info.detail:
        print(error.info.detail.rstrip(), file=sys.stderr)
    action = f" -> {error.info.action}" if error.info.action else ""
    print(f"install.py: {error.info.message}{action}", file=sys.stderr, flush=True)
