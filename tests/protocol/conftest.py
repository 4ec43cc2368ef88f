"""A private place for every test, and a real daemon process in it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protocol.connection import ConnectionFile
from protocol.launch import daemon_is_ready

ROOT = Path(__file__).resolve().parents[2]
StartDaemon = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private folder for connection file, state and settings; short, for socket paths."""
    with tempfile.TemporaryDirectory(prefix="nuri") as folder:
        path = Path(folder)
        monkeypatch.setenv("NURI_CONNECTION", str(path / "connection.json"))
        monkeypatch.setenv("NURI_STATE", str(path / "state"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(path / "config"))
        monkeypatch.delenv("NURI_BACKEND", raising=False)
        yield path


@pytest.fixture
def start_daemon(home: Path) -> Iterator[StartDaemon]:
    """Starts the small daemon of echo_daemon.py and waits for its connection file."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.protocol.echo_daemon", *options]
        process = subprocess.Popen(command, cwd=ROOT)
        processes.append(process)
        give_up = time.monotonic() + 60
        while not daemon_is_ready() or ConnectionFile.read().pid != process.pid:
            assert process.poll() is None, "the daemon ended while starting"
            assert time.monotonic() < give_up, "the daemon does not start"
            time.sleep(0.02)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A living process."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()
