"""Starts the backend from any program, Krita's Python included. Standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

from .connection import ConnectionFile
from .errors import ErrorCode, NuriError
from .folders import connection_path, folder_error, make_private_folder, record_path, state_folder
from .private_files import write_atomic

START_LOG_NAME = "start.log"
_INSTALL_ACTION = (
    "Run `python3 install.py demo` in Nuri's folder, or set NURI_BACKEND to the nuri command"
)
START_SECONDS = 20.0
_POLL_SECONDS = 0.03
_RETRY_SECONDS = 0.5
# A host application's own Python, Qt and libraries must not leak into the backend's.
_FOREIGN_PREFIXES = ("PYTHON", "LD_", "DYLD_", "QT_", "QML", "APPIMAGE", "APPDIR", "__PYVENV")
_BACKEND_FOLDERS = ("NURI_STYLES", "NURI_WEIGHTS")  # which the backend looks up itself
_FOREIGN_NAMES = frozenset(("VIRTUAL_ENV", "CONDA_PREFIX", "ARGV0", "OWD"))


def backend_command() -> list[str]:
    """The command that is the backend's `nuri`: $NURI_BACKEND, else from the installation record.

    Raises `NuriError` not_found when Nuri's backend is not installed (or was moved).
    """
    if given := os.environ.get("NURI_BACKEND"):
        command = [os.path.abspath(given)]
    else:
        command = _recorded_command(record_path())
    if not Path(command[0]).is_file():
        raise NuriError(
            ErrorCode.not_found, f"The Nuri backend is not at {command[0]}", _INSTALL_ACTION
        )
    return command


def training_command() -> list[str]:
    """The command `nuri-train`, which lies beside the backend's `nuri`.

    Raises `NuriError` not_found when there is no backend, or none that can be taught.
    """
    nuri = Path(backend_command()[0])
    command = nuri.with_name("nuri-train" + nuri.suffix)
    if not command.is_file():
        raise NuriError(
            ErrorCode.not_found,
            f"There is no command {command}",
            "Install it with `python3 install.py training`",
        )
    return [str(command)]


def write_record(command: list[str], version: str) -> None:
    """Notes where the backend is, for plugin and scripts; called by install.py."""
    path = record_path()
    make_private_folder(path.parent)
    write_atomic(path, json.dumps({"command": command, "version": version}, indent=1).encode())


def begin_daemon(command: list[str] | None = None) -> subprocess.Popen[bytes]:
    """Starts `nuri serve --auto` as a process of its own and returns at once.

    The caller polls `daemon_is_ready` (and ``Popen.poll``; a code other than None is a failure
    that `start_failure` explains). Raises `NuriError` not_found or bad_input.
    """
    command = command or backend_command()
    folder = state_folder()
    make_private_folder(folder)
    return begin([*command, "serve", "--auto"], folder / START_LOG_NAME)


def begin(command: list[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Starts a command of the backend as a process of its own, in the folder of its log.

    Raises `NuriError`: not_found (the command), bad_input (the log cannot be written).
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        log = log_path.open("wb")
    except OSError as error:
        raise folder_error(log_path, error) from error
    with log:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=log_path.parent,
                env=clean_environment() | _places(),
                close_fds=True,
                start_new_session=True,
                creationflags=flags,
            )
        except OSError as error:
            raise NuriError(
                ErrorCode.not_found,
                f"The Nuri backend does not start: {command[0]}: {error.strerror or error}",
                _INSTALL_ACTION,
            ) from error


def start_daemon(command: list[str] | None = None, timeout: float = START_SECONDS) -> None:
    """Starts the daemon and waits until it has published its connection. Raises as `starting`."""
    for pause in starting(command, timeout):
        time.sleep(pause)


def starting(
    command: list[str] | None = None, timeout: float = START_SECONDS
) -> Generator[float, None, None]:
    """`start_daemon` for an event loop: yields the seconds until it wants to go on.

    Raises `NuriError`: not_found (no backend), unreachable (it ended or took too long; ``detail``
    holds the end of what it printed), unauthenticated (the connection file is not to be trusted).
    """
    process = begin_daemon(command)
    give_up = time.monotonic() + timeout
    try:
        while not daemon_is_ready():
            code = process.poll()
            if code or time.monotonic() > give_up:
                raise start_failure(code)
            if code == 0:
                # Another daemon is there: it will be ready soon, or it is about to leave.
                yield _RETRY_SECONDS
                if not daemon_is_ready():
                    process = begin_daemon(command)
            yield _POLL_SECONDS
    finally:
        # Without somebody who waits for it, a daemon that ends before us would stay as a zombie.
        threading.Thread(target=process.wait, name="nuri daemon", daemon=True).start()


def daemon_is_ready() -> bool:
    """True when a living daemon has published its connection.

    Raises `NuriError` unauthenticated when that file is not to be trusted.
    """
    try:
        return not ConnectionFile.read().is_stale()
    except NuriError as error:
        if error.code is ErrorCode.unauthenticated:
            raise
        return False


def start_failure(code: int | None) -> NuriError:
    """The error for a daemon that ended with ``code`` (None: still not there) while starting."""
    path = state_folder() / START_LOG_NAME
    try:
        output = path.read_bytes()[-8000:].decode("utf-8", "replace")
    except OSError:
        output = ""
    lines = [line for line in output.splitlines() if line.strip()]
    reason = "it took too long" if code is None else f"it ended with code {code}"
    if lines:
        reason += f": {lines[-1].strip()}"
    return NuriError(
        ErrorCode.unreachable,
        f"The Nuri backend did not start: {reason}",
        f"Run `nuri doctor`; the backend's words are in {path}",
        detail=output,
    )


def clean_environment() -> dict[str, str]:
    """The environment without what a host application set for its own Python, Qt and libraries."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_FOREIGN_PREFIXES) and name.upper() not in _FOREIGN_NAMES
    }


def _places() -> dict[str, str]:
    """Where our files are; from the folder of another process a relative name leads elsewhere."""
    chosen = {name: os.environ[name] for name in _BACKEND_FOLDERS if os.environ.get(name)}
    return {name: str(Path(place).absolute()) for name, place in chosen.items()} | {
        "NURI_CONNECTION": str(connection_path().absolute()),
        "NURI_STATE": str(state_folder().absolute()),
    }


def _recorded_command(path: Path) -> list[str]:
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NuriError(
            ErrorCode.not_found, "The Nuri backend is not installed", _INSTALL_ACTION
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise NuriError(
            ErrorCode.not_found, f"{path} cannot be read: {error}", _INSTALL_ACTION
        ) from None
    command = record.get("command") if isinstance(record, dict) else None
    if not isinstance(command, list) or not command or not all(isinstance(c, str) for c in command):
        raise NuriError(ErrorCode.not_found, f"{path} names no command", _INSTALL_ACTION)
    # A host may run its Python in the C locale, whose file names are ASCII (Krita does).
    return [os.fsdecode(word.encode("utf-8", "surrogateescape")) for word in command]
