"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from training.errors import TrainingError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a file beside ``path``, flush it to the disk, then take its place.

    Folders above it are made. When something fails (disk full, folder read-only) the file that was
    there stays as it was, and TrainingError says so.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    except (OSError, RuntimeError) as error:  # torch's archive writer turns OSError into its own
        with suppress(OSError):  # it is not there, or neither is its folder
            temporary.unlink()
        kept = "; the previous one is whole" if path.exists() else ""
        raise TrainingError(
            f"cannot write {path} ({_reason(error)}){kept}", "free space or choose another folder"
        ) from error


def write_text(path: Path, text: str) -> None:
    """UTF-8; what is no text in a file name becomes ``\\udcff``. Raises like ``write_whole``."""
    content = text.encode(errors="backslashreplace")
    write_whole(path, lambda file: file.write(content))


def write_json(path: Path, value: Any) -> None:
    """One object, indented; raises TrainingError like ``write_whole``."""
    # the escape of what is no text is JSON's own
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


def refused(error: OSError) -> TrainingError:
    """What a folder or a disk would not do, as a failure told in one line."""
    place = f"{error.filename}: " if error.filename else ""
    return TrainingError(f"{place}{_reason(error)}", "check the folder, its rights and its space")


def _reason(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return (str(error) or type(error).__name__).splitlines()[0]


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
