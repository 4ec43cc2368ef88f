"""Calls the real console script in a process of its own, away from the user's own daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NURI = shutil.which("nuri", path=str(Path(sys.executable).parent))


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    code: int
    out: str
    err: str

    def json(self) -> list[dict[str, Any]]:
        """The objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Console:
    """Runs `nuri` with connection and state files of its own in ``folder``."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The private one."""
        return {
            **os.environ,
            "NURI_CONNECTION": str(self.folder / "run" / "connection.json"),
            "NURI_STATE": str(self.folder / "state"),
        }

    def command(self, *arguments: object) -> list[str]:
        """The console script and its arguments."""
        if _NURI is None:
            raise FileNotFoundError("the console script nuri is not installed beside this Python")
        return [_NURI, *map(str, arguments)]

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Begin a call whose end the test does not wait for."""
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def __call__(self, *arguments: object, cwd: Path | None = None) -> Outcome:
        """Call and wait."""
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=cwd,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


def one_line(text: str) -> bool:
    """Whether standard error holds one line of ours alone."""
    return text.startswith("nuri: ") and text.count("\n") == 1 and text.endswith("\n")
