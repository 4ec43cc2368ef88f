"""The daemon of a console, watched by the test itself: a call of `nuri status` takes too long."""

from __future__ import annotations

from pathlib import Path

from tests.backend import drawings
from tests.backend.cli.console import Console
from tests.backend.daemon.house import PATIENCE, PatientClient, until


class Running:
    """A running daemon, started if need be, whose worker is ready. ``pid`` is the daemon's."""

    def __init__(self, console: Console, folder: Path) -> None:
        line, hints = drawings.save(folder)
        out = folder / "out.png"
        done = console("colorize", line, "--hints", hints, "--flats", "-o", out)
        assert done.code == 0, done.err
        path = Path(console.environment["NURI_CONNECTION"])
        self._client = PatientClient.open(path, patience=PATIENCE)
        self.pid = self._client.connection.pid
        self.worker = int(self._client.status().worker["pid"])

    def computes(self) -> bool:
        """Whether the worker has a job that nobody has asked to stop."""
        return any(job["state"] == "running" for job in self._client.status().jobs)

    def wait_for_job(self) -> None:
        until(self.computes, "the start of the job")

    def wait_for_cancel(self) -> None:
        until(lambda: not self.computes(), "the wish to stop")

    def wait_for_end(self) -> None:
        until(lambda: not self._client.status().jobs, "the end of the jobs")

    def close(self) -> None:
        self._client.close()
