"""The lock: one daemon at a time, and a killed one does not keep it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from protocol.errors import ErrorCode, NuriError
from protocol.folders import lock_path
from protocol.lock import DaemonLock, is_held


def test_one_daemon_holds_the_lock(home: Path) -> None:
    hold = (
        "from protocol.folders import lock_path; from protocol.lock import DaemonLock\n"
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


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
def test_who_asks_learns_whether_it_is_held(home: Path) -> None:
    assert not is_held(lock_path())
    with DaemonLock(lock_path()):
        assert is_held(lock_path())
    assert not is_held(lock_path())
    os.mkfifo(home / "pipe")
    assert not is_held(home / "pipe")


def test_who_asks_keeps_no_daemon_out(home: Path) -> None:
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            is_held(lock_path())

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(200):
            with DaemonLock(lock_path()):
                pass
    finally:
        stop.set()
        asking.join()
