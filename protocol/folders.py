"""Where Nuri keeps its files on Linux, macOS and Windows, and how it keeps them private."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from .errors import ErrorCode, NuriError

CONNECTION_NAME = "connection.json"
LOCK_NAME = "daemon.lock"
RECORD_NAME = "backend.json"


def connection_path() -> Path:
    """The connection file: $NURI_CONNECTION, else connection.json in the runtime folder."""
    given = os.environ.get("NURI_CONNECTION")
    return Path(given).absolute() if given else _default_runtime_folder() / CONNECTION_NAME


def runtime_folder() -> Path:
    """Folder of the connection file, the lock and the local sockets."""
    return connection_path().parent


def lock_path(connection: Path | None = None) -> Path:
    """The lock that makes the daemon the only one beside this connection file."""
    path = connection or connection_path()
    return path.with_name(LOCK_NAME if path.name == CONNECTION_NAME else f"{path.name}.lock")


def state_folder() -> Path:
    """Folder of the log and the kept results: $NURI_STATE, else the system's place for state."""
    if given := os.environ.get("NURI_STATE"):
        return Path(given).absolute()
    if sys.platform == "win32":
        return _windows_folder("LOCALAPPDATA") / "state"
    if sys.platform == "darwin":
        return _macos_folder() / "state"
    return _home_folder("XDG_STATE_HOME", ".local/state") / "nuri"


def record_path() -> Path:
    """The installation record, which says how to start the backend; see launch.py."""
    if sys.platform == "win32":
        return _windows_folder("APPDATA") / RECORD_NAME
    if sys.platform == "darwin":
        return _macos_folder() / RECORD_NAME
    return _home_folder("XDG_CONFIG_HOME", ".config") / "nuri" / RECORD_NAME


def make_private_folder(folder: Path) -> None:
    """Creates ``folder`` for its owner alone (0700).

    One that exists already keeps its mode: `is_private_folder` tells whether it can be trusted.
    Raises `NuriError` bad_input when it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise folder_error(folder, error) from error


def is_private_folder(folder: Path) -> bool:
    """True for a real folder that its owner, we, alone can enter.

    On Windows modes say nothing; the folders of the user profile are private by their place.
    """
    try:
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    return sys.platform == "win32" or (
        status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077 == 0
    )


def folder_error(path: Path, error: OSError) -> NuriError:
    """The error for a file or folder of ours that cannot be written."""
    reason = error.strerror or type(error).__name__
    return NuriError(
        ErrorCode.bad_input,
        f"Cannot write {path}: {reason}",
        f"Make {path.parent} writable for you, or free space on its disk",
    )


def _default_runtime_folder() -> Path:
    if sys.platform == "win32":
        return _windows_folder("LOCALAPPDATA") / "run"
    if sys.platform == "darwin":
        return _macos_folder() / "run"
    # Without the variable (ssh, cron) the system's folder is tried too, to meet the same daemon.
    for given in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.geteuid()}"):
        if given and is_private_folder(Path(given)):
            return Path(given) / "nuri"
    return Path(f"/tmp/nuri-{os.geteuid()}")


def _home_folder(variable: str, default: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if os.path.isabs(given) else Path.home() / default


def _macos_folder() -> Path:
    return Path.home() / "Library" / "Application Support" / "nuri"


def _windows_folder(variable: str) -> Path:
    default = {"APPDATA": "Roaming", "LOCALAPPDATA": "Local"}[variable]
    given = os.environ.get(variable)
    return (Path(given) if given else Path.home() / "AppData" / default) / "nuri"


def file_identity(path: Path, *, follow: bool = True) -> tuple[int, int] | None:
    """What tells a file from any other, whatever its name, and from one that takes its name later;
    None where there is none. ``follow``: of what a link leads to, not of the link.
    """
    try:
        facts = path.stat() if follow else path.lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
