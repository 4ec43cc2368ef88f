"""Private folders, and where the files of a user lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from protocol.folders import (
    connection_path,
    is_private_folder,
    lock_path,
    make_private_folder,
    record_path,
    runtime_folder,
    state_folder,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners of POSIX")


@posix
def test_private_folders(home: Path) -> None:
    folder = home / "a" / "run"
    make_private_folder(folder)
    assert is_private_folder(folder)
    for mode in (0o755, 0o710, 0o701, 0o777):
        folder.chmod(mode)
        assert not is_private_folder(folder)
    folder.chmod(0o700)
    (home / "link").symlink_to(folder)
    assert not is_private_folder(home / "link")
    assert not is_private_folder(home / "missing")


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may give away")
def test_a_folder_of_another_user_is_not_private(home: Path) -> None:
    folder = home / "run"
    make_private_folder(folder)
    os.chown(folder, 65534, -1)
    assert not is_private_folder(folder)


def test_variables_choose_the_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection_path() == home / "connection.json"
    assert runtime_folder() == home
    assert state_folder() == home / "state"
    assert lock_path() == home / "daemon.lock"
    monkeypatch.setenv("NURI_CONNECTION", str(home / "second.json"))
    assert lock_path() == home / "second.json.lock"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="places of the XDG standard")
def test_default_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NURI_CONNECTION")
    monkeypatch.delenv("NURI_STATE")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert connection_path() == home / "nuri" / "connection.json"
    assert state_folder() == home / ".local/state/nuri"
    assert record_path() == home / ".config/nuri/backend.json"
    home.chmod(0o755)
    assert runtime_folder() in (
        Path(f"/run/user/{os.geteuid()}/nuri"),
        Path(f"/tmp/nuri-{os.geteuid()}"),
    )
