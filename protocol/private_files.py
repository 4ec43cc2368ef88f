"""Files that only their owner reads, written whole or not at all. Standard library only."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from .folders import folder_error


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces ``path`` by ``data`` with mode 0600, whole or not at all. Raises `NuriError`."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns():x}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(scratch, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _replace(scratch, path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise folder_error(path, error) from error


def _replace(source: Path, target: Path) -> None:
    """Like os.replace; Windows refuses it for the moment that a reader has the target open."""
    for _ in range(50 if sys.platform == "win32" else 0):
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(0.01)
    source.replace(target)
