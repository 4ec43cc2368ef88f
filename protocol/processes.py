"""Is a process alive, and is it still the same one? A pid alone is recycled by the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Stands for "alive, but this system does not tell since when".
UNKNOWN_START = "unknown"


def start_token(pid: int) -> str:
    """A text that tells this process from any other that ever had its pid; "" when it is gone.

    Zombies count as gone. Costs some ten microseconds, so that a timer may call it.
    """
    if pid <= 0:
        return ""
    if sys.platform == "win32":
        return _windows_start(pid)
    if sys.platform == "darwin":
        return _macos_start(pid)
    if Path("/proc/self/stat").exists():
        return _linux_start(pid)
    return _signal_start(pid)


def is_running(pid: int, started: str) -> bool:
    """True when the process with this pid lives and is the one whose token was ``started``."""
    token = start_token(pid)
    return token != "" and (UNKNOWN_START in (token, started) or token == started)


def process_numbering() -> str:
    """Text that differs where process numbers mean others, as in a box with a pid namespace of its
    own; "" where there is one numbering alone, or the system does not tell.
    """
    try:
        return os.readlink("/proc/self/ns/pid") if sys.platform == "linux" else ""
    except OSError:
        return ""


def _linux_start(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field is the command in brackets and may itself hold spaces and brackets.
    values = stat[stat.rindex(b")") + 2 :].split()
    if values[0] in (b"Z", b"X"):
        return ""
    # Ticks are counted from the start of the system, so a restart needs telling apart too.
    return f"{_boot_id()}:{int(values[19])}"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:8]
    except OSError:
        return "boot"


def _signal_start(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        # Alive, but of another user, so it is not ours.
        return ""
    return UNKNOWN_START


if sys.platform == "darwin":

    def _macos_start(pid: int) -> str:
        import ctypes
        import struct

        library = ctypes.CDLL("/usr/lib/libproc.dylib", use_errno=True)
        # struct proc_bsdinfo: status at 4, start seconds and microseconds at 120 and 128.
        size, flavour, zombie = 136, 3, 5
        buffer = ctypes.create_string_buffer(size)
        if library.proc_pidinfo(pid, flavour, ctypes.c_uint64(0), buffer, size) != size:
            return ""
        (status,) = struct.unpack_from("=I", buffer.raw, 4)
        seconds, microseconds = struct.unpack_from("=QQ", buffer.raw, 120)
        return "" if status == zombie else f"{seconds}.{microseconds:06d}"


if sys.platform == "win32":

    def _windows_start(pid: int) -> str:
        import ctypes
        from ctypes import wintypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        kernel.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
        kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
        kernel.GetExitCodeProcess.argtypes = (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD))
        times_type = ctypes.POINTER(wintypes.FILETIME)
        kernel.GetProcessTimes.argtypes = (wintypes.HANDLE, *[times_type] * 4)
        query_limited_information, still_active = 0x1000, 259
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return ""
        try:
            code = wintypes.DWORD()
            times = [wintypes.FILETIME() for _ in range(4)]
            alive = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
            known = kernel.GetProcessTimes(handle, *[ctypes.byref(time) for time in times])
        finally:
            kernel.CloseHandle(handle)
        if not alive or code.value != still_active:
            return ""
        created = (times[0].dwHighDateTime << 32) | times[0].dwLowDateTime
        return str(created) if known else UNKNOWN_START
