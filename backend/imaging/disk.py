"""Bytes from files and to files: pipes, places that cannot be written, no file half written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from protocol import limits
from protocol.errors import ErrorCode, NuriError

_BLOCK = 1 << 20
_OPEN_ALREADY = ("/dev/stdin", "/dev/fd/", "/proc/")  # pipes that a shell has opened for us


def resolved(path: Path) -> Path:
    """The path without links. Those in a circle stay, for who opens the path to complain of."""
    return Path(os.path.realpath(path))


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises not_found, bad_input (unreadable), too_large."""
    try:
        if _would_wait(path):
            raise NuriError(
                ErrorCode.bad_input,
                f"{path} is a pipe or device, no file",
                "Save the picture in a file, or send it to /dev/stdin",
            )
        with open(path, "rb") as file:
            facts = os.fstat(file.fileno())
            data = b""
            if facts.st_size <= limits.BUFFER_BYTES:
                data = file.read() if stat.S_ISREG(facts.st_mode) else _from_pipe(file)
            if max(facts.st_size, len(data)) > limits.BUFFER_BYTES:
                raise NuriError(
                    ErrorCode.too_large,
                    f"{path} is larger than {limits.BUFFER_BYTES // 2**20} MB",
                    "Save it compressed or smaller",
                )
            return data
    except FileNotFoundError:
        raise NuriError(
            ErrorCode.not_found, f"{path} does not exist", "Check the name and the folder"
        ) from None
    except IsADirectoryError:
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} is a folder",
            "Name a picture; `nuri batch` is for a folder of drawings",
        ) from None
    except OSError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} cannot be read: {error.strerror or error}",
            "Check its name and who may read it",
        ) from None


def _from_pipe(file: BinaryIO) -> bytes:
    """What comes through a pipe, as far as it may be read; never more memory than that."""
    data = bytearray()
    while len(data) <= limits.BUFFER_BYTES and (part := file.read(_BLOCK)):
        data += part
    return bytes(data)


def _would_wait(path: Path) -> bool:
    """True for what is no regular file: nobody may ever write to a pipe that has a name."""
    mode = path.stat().st_mode
    is_file = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    return not is_file and not os.path.abspath(path).startswith(_OPEN_ALREADY)


def check_writable(path: Path) -> None:
    """Refuse, before any work is done, a place that `write_atomic` could not write to."""
    folder = resolved(path).parent
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_folder = False
    except OSError as error:
        raise _write_error(path, error) from None
    if is_folder:
        raise NuriError(
            ErrorCode.bad_input, f"{path} is a folder", "Add the name of the picture to write"
        )
    if not folder.is_dir():
        reason = "is a file" if folder.exists() else "does not exist"
        raise _cannot_write(path, f"the folder {folder} {reason}", "Create the folder first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(path, f"the folder {folder} is read-only", "Choose another folder")


def is_standard_output(path: Path) -> bool:
    """True for a name of what this process prints to, such as /dev/stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def make_folder(path: Path) -> None:
    """Make a folder and those above it where they are missing. Raises bad_input, disk_full."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _write_error(path, error) from None


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then renamed.

    Devices and pipes are written straight. Raises not_found (folder), bad_input, disk_full.
    """
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            path.write_bytes(data)
            return
    except OSError as error:
        raise _write_error(path, error) from None
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives an empty file beside ``path`` to be written; then it is synced and takes the name.

    Where anything fails, nothing is left of it. Raises not_found (folder), bad_input, disk_full.
    """
    target = resolved(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".nuri-", suffix=".part", dir=target.parent)
        temporary = Path(name)
        try:
            with open(handle, "rb") as file:
                yield temporary
                os.fsync(file.fileno())
            temporary.chmod(_mode_of(target))
            temporary.replace(target)
        except BaseException:  # Ctrl-C too must leave nothing behind
            temporary.unlink()
            raise
    except OSError as error:
        raise _write_error(path, error) from None


def _mode_of(target: Path) -> int:
    """The mode of the file that is replaced, or the one a new file would get."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _cannot_write(
    path: Path, why: str, action: str, code: ErrorCode = ErrorCode.bad_input
) -> NuriError:
    return NuriError(code, f"{path} cannot be written: {why}", action)


def _write_error(path: Path, error: OSError) -> NuriError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _cannot_write(
            path, "the disk is full", "Free some space or choose another disk", ErrorCode.disk_full
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _cannot_write(path, "the folder is read-only", "Choose another folder")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _cannot_write(
            path, "its folder does not exist", "Create the folder first", ErrorCode.not_found
        )
    return _cannot_write(path, error.strerror or str(error), "Choose another name or folder")
