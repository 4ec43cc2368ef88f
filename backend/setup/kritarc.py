"""Changes one setting of Krita's own settings file and leaves every other byte of it alone."""

from __future__ import annotations

import re
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.private_files import write_atomic

KEY = b"enable_nuri"
_GROUP = re.compile(rb"^\[(.*)\]\s*$")


def is_enabled(path: Path) -> bool:
    """True when this settings file enables the plugin."""
    return _value(_read(path)) == b"true"


def enable(path: Path) -> None:
    """Sets `enable_nuri=true` in the group `[python]`. Raises `NuriError` when it cannot."""
    data = _read(path)
    if _value(data) == b"true":
        return
    end = b"\r\n" if b"\r\n" in data else b"\n"
    setting = KEY + b"=true" + end
    lines = data.splitlines(keepends=True)
    place = _place(lines)
    if place is not None:
        lines[place] = setting
    elif (head := _head(lines)) is not None:
        lines[head] = lines[head].rstrip(b"\r\n") + end
        lines.insert(head + 1, setting)
    else:
        if lines:
            lines[-1] = lines[-1].rstrip(b"\r\n") + end
            lines.append(end)
        lines += [b"[python]" + end, setting]
    _write(path, b"".join(lines))


def disable(path: Path) -> None:
    """Takes the setting out again, and its group where nothing else stands in it."""
    lines = _read(path).splitlines(keepends=True)
    place, head = _place(lines), _head(lines)
    if place is None or head is None:
        return
    del lines[place]
    stop = next((i for i in range(head + 1, len(lines)) if _GROUP.match(lines[i])), len(lines))
    if all(not line.strip() for line in lines[head + 1 : stop]):
        start = head - 1 if head and not lines[head - 1].strip() else head
        del lines[start : max(head + 1, stop if stop == len(lines) else head + 1)]
    _write(path, b"".join(lines))


def setting(path: Path, key: bytes) -> bytes | None:
    """A setting that stands before the first group, or None."""
    for line in _read(path).splitlines():
        if _GROUP.match(line):
            return None
        name, found, value = line.partition(b"=")
        if found and name.strip() == key:
            return value.strip()
    return None


def _head(lines: list[bytes]) -> int | None:
    for index, line in enumerate(lines):
        found = _GROUP.match(line)
        if found and found[1] == b"python":
            return index
    return None


def _place(lines: list[bytes]) -> int | None:
    head = _head(lines)
    if head is None:
        return None
    for index in range(head + 1, len(lines)):
        if _GROUP.match(lines[index]):
            return None
        if lines[index].partition(b"=")[0].strip() == KEY:
            return index
    return None


def _value(data: bytes) -> bytes | None:
    lines = data.splitlines()
    place = _place(lines)
    return None if place is None else lines[place].partition(b"=")[2].strip().lower()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"Krita's settings {path} cannot be read: {error.strerror}",
            "Make the file readable for you",
        ) from error


def _write(path: Path, data: bytes) -> None:
    target = path.resolve()  # a link to settings kept elsewhere stays a link
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, data)
    target.chmod(mode)
