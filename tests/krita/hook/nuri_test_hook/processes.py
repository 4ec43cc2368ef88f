"""The processes of the backend: found, held for a while, gone."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from protocol.processes import start_token

from .stage import daemon_pid, kill_daemon


def worker_pid():
    """The process that computes for the daemon."""
    daemon = daemon_pid()
    for child in Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split():
        if "backend.daemon.worker" in Path(f"/proc/{child}/cmdline").read_text():
            return int(child)
    raise AssertionError("the daemon has no worker")


@contextlib.contextmanager
def held(pid):
    """A process is stopped until the end of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def until_gone(stage, pid):
    """Waits until the daemon ``pid`` has ended and the plugin has noticed."""
    backend = stage.actions().backend

    def is_gone():
        backend.look()
        return not start_token(pid) and backend.state.name != "ready"

    yield from stage.until(is_gone, 60, "the end of the daemon")


def without_daemon(stage):
    """Takes away the daemon, if one runs, and waits until the plugin has noticed."""
    try:
        pid = daemon_pid()
    except FileNotFoundError:
        return
    kill_daemon()
    yield from until_gone(stage, pid)
