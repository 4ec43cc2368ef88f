"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from training.errors import TrainingError


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill a file beside ``path``, flush it to the disk, then take its place.

    When that fails (disk full, folder read-only) the file that was there stays as it was, and
    TrainingError says so.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    except (OSError, RuntimeError) as error:  # torch's archive writer turns OSError into its own
        temporary.unlink(missing_ok=True)
        kept = "; the previous one is whole" if path.exists() else ""
        raise TrainingError(
            f"cannot write {path} ({_reason(error)}){kept}", "free space or choose another folder"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """One object, indented; raises TrainingError like ``write_whole``."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"
    write_whole(path, lambda file: _write(file, text))


def _write(file: BinaryIO, text: str) -> None:
    # what is no text in a file name becomes JSON's own escape
    file.write(text.encode(errors="backslashreplace"))


def _reason(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return str(error).splitlines()[0]


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
