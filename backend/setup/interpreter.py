"""A Python of its own, with pip and nothing else: made by this one, tried out, and asked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

from . import pip


def require_venv() -> None:
    """Raises `NuriError` not_found where this Python cannot make environments."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise NuriError(
            ErrorCode.not_found,
            f"This Python ({sys.executable}) lacks its module {missing[0]}",
            f"On Debian and Ubuntu: sudo apt-get install python{minor}-venv - then run this again",
        )


def make(prefix: Path) -> None:
    """A Python environment at ``prefix``, with pip and nothing else.

    Raises `NuriError`: disk_full, internal; ``detail`` holds the last lines that venv wrote.
    """
    made = subprocess.run(
        [sys.executable, "-m", "venv", os.fspath(prefix)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=pip.environment(),
    )
    if made.returncode:
        raise _failure(prefix, made.stdout + made.stderr)


def runs(python: Path, code: str) -> bool:
    """True when the interpreter runs ``code`` by itself, seeing nothing of the current folder."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=pip.environment(),
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def ask(program: Path, *words: str | Path, seconds: float, remedy: str = "") -> str:
    """What a program of an environment prints, seeing nothing of another Python's settings.

    Raises `NuriError`, all with ``remedy``: internal (its last line on standard error, with all of
    them as ``detail``), deadline (no answer in ``seconds``), not_found (there is no such program).
    """
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=pip.environment(),
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise NuriError(ErrorCode.deadline, f"no answer in {seconds:g} s", remedy) from error
    except OSError as error:
        what = f"{program} does not run: {error.strerror}"
        raise NuriError(ErrorCode.not_found, what, remedy) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise NuriError(ErrorCode.internal, reason, remedy, detail=done.stderr)
    return done.stdout


def _failure(prefix: Path, output: str) -> NuriError:
    detail = "\n".join(f"    venv: {line}" for line in output.splitlines()[-8:])
    if "No space left" in output:
        return NuriError(
            ErrorCode.disk_full,
            f"{prefix} could not be made: the disk is full",
            "Free some space and run this again",
            detail=detail,
        )
    return NuriError(
        ErrorCode.internal,
        f"{prefix} could not be made into a Python environment",
        "See the lines above, or use another Python: PYTHON install.py ...",
        detail=detail,
    )
