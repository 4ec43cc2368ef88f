"""Daemons of the measurements' own, beside the user's: a plain one, and one that only echoes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from protocol.launch import daemon_is_ready

_HERE = Path(__file__).resolve().parent
_START_SECONDS = 60.0


class PrivateDaemon:
    """A warm daemon in ``folder``; while entered, clients of this process find it."""

    COMMAND = (sys.executable, "-m", "backend.cli", "serve")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._nuri = Path(sys.executable).with_name("nuri")
        self._variables = {
            "NURI_CONNECTION": str(folder / "run" / "connection.json"),
            "NURI_STATE": str(folder / "state"),
        }

    def __enter__(self) -> PrivateDaemon:
        self._folder.mkdir(parents=True)
        self._before = {name: os.environ.get(name) for name in self._variables}
        os.environ.update(self._variables)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(self.COMMAND, stdout=log, stderr=log)
        give_up = time.monotonic() + _START_SECONDS
        while not daemon_is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    @property
    def process_id(self) -> int:
        return self._process.pid

    def nuri(self, *arguments: object) -> None:
        """One whole call of the console script."""
        command = [str(self._nuri), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class EchoDaemon(PrivateDaemon):
    """The real daemon, with a worker whose one task gives back what it gets."""

    COMMAND = (sys.executable, str(_HERE / "echo.py"), "daemon")
