"""Runs pip inside an environment: quietly, again after a network fault, with a clear reason."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from protocol.errors import ErrorCode, NuriError
from protocol.launch import clean_environment

from .console import Step

TRIES = 3
_PAUSE_SECONDS = 3.0
_TAIL_LINES = 12
# Of pip's settings only those that would install somewhere else are dropped; indexes stay.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")
_NETWORK = (
    "NewConnectionError",
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Read timed out",
    "IncompleteRead",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "ProxyError",
    "Connection broken",
    "RemoteDisconnected",
    "getaddrinfo failed",
)
_DISK = ("No space left on device", "Errno 28", "not enough space on the disk")


def run(python: Path, arguments: Sequence[str], what: str, step: Step) -> None:
    """Runs `python -m pip ARGUMENTS`; ``what`` names for people what is being installed.

    Raises `NuriError`: unreachable (network), disk_full, not_found (no such version for this
    Python), internal; ``detail`` holds the last lines that pip wrote.
    """
    for attempt in range(1, TRIES + 1):
        code, lines = _once(python, arguments, step)
        if code == 0:
            return
        error = _explain(what, lines)
        if error.code is not ErrorCode.unreachable or attempt == TRIES:
            raise error
        step.note(f"the network failed, trying again ({attempt + 1} of {TRIES})")
        time.sleep(_PAUSE_SECONDS * attempt)


def environment() -> dict[str, str]:
    """The environment for programs that must see nothing of another Python's settings."""
    table = {k: v for k, v in clean_environment().items() if k.upper() not in _MISLEADING}
    table["PYTHONUTF8"] = "1"
    return table


def _once(python: Path, arguments: Sequence[str], step: Step) -> tuple[int, list[str]]:
    command = [os.fspath(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    lines: list[str] = []
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line.rstrip())
                step.note(line)
        except BaseException:
            process.kill()
            raise
    return process.returncode, lines


def _explain(what: str, lines: list[str]) -> NuriError:
    text = "\n".join(lines)
    detail = "\n".join(f"    pip: {line}" for line in lines[-_TAIL_LINES:])
    # pip also says "No matching distribution" after its network retries have failed.
    reasons = (
        (_DISK, ErrorCode.disk_full, "the disk is full", "Free some space and run this again"),
        (
            _NETWORK,
            ErrorCode.unreachable,
            "no connection to the package index",
            "Check the network (and proxy settings), then run this again: it goes on from here",
        ),
        (
            ("No matching distribution", "Could not find a version"),
            ErrorCode.not_found,
            "no version of it fits this Python and system",
            "Use Python 3.10 to 3.13 on a 64-bit system, then run this again",
        ),
    )
    for signs, code, reason, action in reasons:
        if any(sign in text for sign in signs):
            return NuriError(code, f"{what} was not installed: {reason}", action, detail=detail)
    return NuriError(
        ErrorCode.internal,
        f"{what} was not installed: pip failed",
        "See pip's last lines above, then run this again",
        detail=detail,
    )
