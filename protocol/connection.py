"""The connection file: how a client finds the daemon of its user, and what lets it in.

Written whole or not at all, readable by its owner alone, refused otherwise. Standard library only.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from . import checks, limits
from .errors import ErrorCode, NuriError
from .folders import CONNECTION_NAME, connection_path, lock_path, make_private_folder
from .lock import is_held
from .private_files import write_atomic
from .processes import is_running, process_numbering, start_token
from .version import PROTOCOL_VERSION

# Length of a CURVE key in Z85 text.
KEY_LENGTH = 40
_START_ACTION = "Start it with `nuri serve`"


@dataclass(frozen=True)
class CurveKeys:
    """One CURVE key pair as Z85 text. The secret half stays out of every text shown."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"CurveKeys(public={self.public!r}, secret=...)"


@dataclass(frozen=True)
class ConnectionFile:
    """What a running daemon publishes.

    ``work``, ``control``: ZeroMQ endpoints (ipc://... or tcp://...). ``started``: the token of
    processes.start_token, ``host``: name of the machine that ``pid`` belongs to. The keys are Z85
    text, all three set for TCP and all three "" for ipc; the client pair is what lets a client in.
    ``remote``: made to be carried to other machines. ``numbering``: of process_numbering, what
    ``pid`` counts in. Raises `NuriError` malformed for values that
    cannot be.
    """

    protocol: str
    version: str
    work: str
    control: str
    pid: int
    started: str
    host: str = ""
    server_public_key: str = ""
    client_public_key: str = ""
    client_secret_key: str = ""
    remote: bool = False
    numbering: str = ""
    # Where it was read; the lock beside it belongs to its daemon.
    _place: ClassVar[Path | None] = None

    def __post_init__(self) -> None:
        for entry in fields(self):
            if entry.name not in ("pid", "remote"):
                checks.text(getattr(self, entry.name), entry.name)
        checks.flag(self.remote, "remote")
        checks.integer(self.pid, "pid", 1, 2**31 - 1)
        keys = [len(self.server_public_key), len(self.client_public_key)]
        keys.append(len(self.client_secret_key))
        for endpoint in (self.work, self.control):
            if endpoint.startswith("tcp://"):
                if keys != [KEY_LENGTH] * 3:
                    raise checks.malformed(f"the endpoint {endpoint} has no CURVE keys")
            elif not endpoint.startswith("ipc://"):
                raise checks.malformed(f"the endpoint {endpoint!r} is neither ipc nor tcp")
        if keys not in ([KEY_LENGTH] * 3, [0, 0, 0]):
            raise checks.malformed("the CURVE keys are incomplete")

    def __repr__(self) -> str:
        return f"ConnectionFile(work={self.work!r}, pid={self.pid}, version={self.version!r})"

    @classmethod
    def of_this_process(
        cls,
        version: str,
        work: str,
        control: str,
        server: CurveKeys | None,
        client: CurveKeys | None,
        *,
        remote: bool = False,
    ) -> ConnectionFile:
        """What the calling daemon publishes after it has bound both endpoints."""
        return cls(
            protocol=PROTOCOL_VERSION,
            version=version,
            work=work,
            control=control,
            pid=os.getpid(),
            started=start_token(os.getpid()),
            host=_host(),
            server_public_key=server.public if server else "",
            client_public_key=client.public if client else "",
            client_secret_key=client.secret if client else "",
            remote=remote,
            numbering=process_numbering(),
        )

    @property
    def uses_curve(self) -> bool:
        return self.server_public_key != ""

    @property
    def is_local(self) -> bool:
        """True when ``pid`` is a process of this machine, so that its death can be seen."""
        return self.host == _host() and not self.remote

    def is_stale(self) -> bool:
        """True when the daemon that wrote this is known to be gone: dead, or its pid recycled."""
        if not self.is_local or is_running(self.pid, self.started):
            return False
        if self.numbering == process_numbering():
            return True
        # In a box with process numbers of its own (Flatpak, containers) the lock alone tells.
        return self._place is None or self._is_replaced() or not is_held(lock_path(self._place))

    def _is_replaced(self) -> bool:
        try:
            return ConnectionFile.read(self._place) != self
        except NuriError:
            return False

    def write(self, path: Path | None = None) -> None:
        """Publishes atomically with mode 0600. Raises `NuriError` bad_input, unauthenticated (a
        folder in its place)."""
        path = path or connection_path()
        if path.is_dir():
            raise _is_folder(path)
        make_private_folder(path.parent)
        write_atomic(path, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def read(cls, path: Path | None = None) -> ConnectionFile:
        """The published connection; the daemon behind it may be dead (`is_stale`).

        Raises `NuriError`: unreachable (no file), unauthenticated (not ours, or open to others),
        malformed (no valid connection file).
        """
        path = path or connection_path()
        data = _read_private(path)
        try:
            table = json.loads(data)
        except (ValueError, RecursionError):
            raise _unreadable(path, "it is no JSON") from None
        if not isinstance(table, dict):
            raise _unreadable(path, "it holds no table")
        names = [entry.name for entry in fields(cls)]
        known: dict[str, Any] = {name: table[name] for name in names if name in table}
        try:
            found = cls(**known)
        except NuriError as error:
            raise _unreadable(path, error.info.message) from None
        except TypeError:
            missing = [name for name in names[:6] if name not in known]
            raise _unreadable(path, f"it lacks {', '.join(missing)}") from None
        object.__setattr__(found, "_place", path)
        return found

    def remove(self, path: Path | None = None) -> None:
        """Takes the file away if it is still this daemon's own."""
        path = path or connection_path()
        try:
            if ConnectionFile.read(path) == self:
                path.unlink()
        except (NuriError, FileNotFoundError):
            # Gone already, or replaced by somebody else's: not ours to remove.
            return


def is_for_elsewhere(path: Path) -> bool:
    """True for a connection file that is marked as carried here, whoever may read it."""
    try:
        if not path.is_file() or path.stat().st_size > limits.CONNECTION_FILE_BYTES:
            return False
        table = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(table, dict) and table.get("remote") is True


def _read_private(path: Path) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise NuriError(
            ErrorCode.unreachable, "The Nuri backend is not running", _START_ACTION
        ) from None
    except OSError as error:
        if path.is_dir():  # which Windows does not open
            raise _is_folder(path) from None
        raise _untrusted(path, error.strerror or "it cannot be opened") from None
    try:
        _check_trust(path, os.fstat(descriptor))
        data = os.read(descriptor, limits.CONNECTION_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > limits.CONNECTION_FILE_BYTES:
        raise _unreadable(path, "it is too large")
    return data


def _check_trust(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise _is_folder(path)
    if not stat.S_ISREG(status.st_mode):
        raise _untrusted(path, "it is no regular file")
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise _untrusted(path, "it belongs to another user")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise _untrusted(path, f"others can reach it (mode {mode:04o} instead of 0600)")


def _is_folder(path: Path) -> NuriError:
    return NuriError(
        ErrorCode.unauthenticated,
        f"The connection file {path} is a folder",
        f"Let NURI_CONNECTION name a file, such as {path / CONNECTION_NAME}",
    )


def _untrusted(path: Path, reason: str) -> NuriError:
    return NuriError(
        ErrorCode.unauthenticated,
        f"The connection file {path} is refused: {reason}",
        f"Delete {path} and start the backend again with `nuri serve`",
    )


def _unreadable(path: Path, reason: str) -> NuriError:
    return NuriError(
        ErrorCode.malformed,
        f"The connection file {path} cannot be used: {reason}",
        f"Delete {path} and start the backend again with `nuri serve`",
    )


def _host() -> str:
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "")
    return os.uname().nodename
