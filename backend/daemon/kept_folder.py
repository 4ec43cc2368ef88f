"""Which folder of kept results is this daemon's. Daemons with connection files of their own may
share the state folder, but what one keeps another would take for damaged and remove."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.lock import DaemonLock

from .results import KeptResults

NAME = "results"
_MOST = 32


class KeptFolder:
    """The first of the folders results, results-2, ... in ``state`` that no other daemon holds.

    ``results``: what is kept there. Raises `NuriError`: busy (all are taken), bad_input.
    """

    def __init__(self, state: Path) -> None:
        self._lock, folder = _first_free(state)
        self.results = KeptResults(folder)
        _tidy(other for other in state.glob(f"{NAME}*") if other.is_dir() and other != folder)

    def release(self) -> None:
        """Lets another daemon have it, when nothing more is stored."""
        self._lock.release()


def _first_free(state: Path) -> tuple[DaemonLock, Path]:
    for number in range(1, _MOST + 1):
        folder = state / (NAME if number == 1 else f"{NAME}-{number}")
        lock = _lock_of(folder)
        try:
            lock.acquire()
        except NuriError as error:
            if error.code is not ErrorCode.busy:
                raise
            continue
        return lock, folder
    raise NuriError(
        ErrorCode.busy,
        f"{_MOST} Nuri daemons use {state} already",
        "End some with `nuri stop`, or give this one a folder of its own in NURI_STATE",
    )


def _tidy(folders: Iterable[Path]) -> None:
    """Drops what is too old in folders that no daemon may ever open again."""
    for folder in folders:
        try:
            with _lock_of(folder):
                KeptResults(folder)
        except (NuriError, OSError):
            # Another daemon is at home there, or it is not ours to change.
            continue


def _lock_of(folder: Path) -> DaemonLock:
    return DaemonLock(folder.with_name(f"{folder.name}.lock"))
