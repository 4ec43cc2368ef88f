"""The client and the real daemon of the backend: which endpoint is used where."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import limits
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.launch import start_daemon

NURI = [sys.executable, "-c", "import sys; from backend.cli import main; sys.exit(main())"]


@pytest.fixture
def folder(home: Path) -> Iterator[Path]:
    """The private home; stops the daemon of the test at its end."""
    yield home
    with Client.connect(timeout=60) as client:
        client.shutdown(60)


def served_from(path: Path, monkeypatch: pytest.MonkeyPatch) -> ConnectionFile:
    """Starts the daemon with its connection file at ``path`` and talks to it once."""
    monkeypatch.setenv("NURI_CONNECTION", str(path))
    start_daemon(NURI, timeout=120)
    with Client.connect(timeout=60) as client:
        assert client.status(60).pid == client.connection.pid
        return client.connection


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ipc")
def test_a_private_folder_gets_socket_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = served_from(folder / "connection.json", monkeypatch)
    assert connection.work.startswith("ipc://")
    assert not connection.uses_curve


def test_a_path_too_long_for_a_socket_gets_tcp_with_keys(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = folder / ("ä" * (limits.IPC_PATH_BYTES // 2))
    connection = served_from(deep / "connection.json", monkeypatch)
    assert connection.work.startswith("tcp://127.0.0.1:")
    assert connection.uses_curve


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_folder_that_others_can_enter_gets_tcp_with_keys(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Path(tempfile.mkdtemp(dir=folder))
    shared.chmod(0o755)
    connection = served_from(shared / "connection.json", monkeypatch)
    assert connection.control.startswith("tcp://127.0.0.1:")
    assert connection.uses_curve
    assert not list(shared.glob("*.sock"))


def test_a_stale_file_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "connection.json"
    first = served_from(path, monkeypatch)
    shutil.copy2(path, folder / "kept.json")
    with Client.connect(timeout=60) as client:
        client.shutdown(60)
    while not first.is_stale():
        pass
    shutil.copy2(folder / "kept.json", path)
    second = served_from(path, monkeypatch)
    assert second.pid != first.pid
