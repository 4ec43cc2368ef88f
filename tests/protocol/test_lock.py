"""The lock: one daemon at a time, and a killed one does not keep it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from protocol.connection import DaemonLock, lock_path
from protocol.errors import ErrorCode, NuriError


def test_one_daemon_holds_the_lock(home: Path) -> None:
    hold = (
        "import sys; from protocol.connection import DaemonLock, lock_path\n"
        "with DaemonLock(lock_path()): print('held', flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", hold], **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(NuriError, match="Another Nuri daemon") as caught:
            DaemonLock(lock_path()).acquire()
        assert caught.value.code is ErrorCode.busy
        holder.kill()
        holder.wait()
        # The system frees the lock of a daemon that was killed.
        with DaemonLock(lock_path()), pytest.raises(NuriError):
            DaemonLock(lock_path()).acquire()
    with DaemonLock(lock_path()):
        pass
