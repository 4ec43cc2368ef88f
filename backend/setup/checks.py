"""`install.py test`: gets what the tests need, then lints, checks types and imports, and tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from protocol.errors import ErrorCode, NuriError

from . import console, pip, project
from .environment import Environment

OUTPUT = project.ROOT / "test-output"
_PACKAGES = ("krita", "xvfb", "xauth", "xdotool", "python3-pyqt5", "imagemagick")
_LINTERS = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
    ("imports", ("lint-imports",)),
)


def install_system_packages() -> bool:
    """Krita and a virtual display, for the tests that drive the real Krita.

    False when they could not be had; says why, loudly, because those tests are then skipped.
    """
    wanted = [*_PACKAGES]
    if importlib.util.find_spec("ensurepip") is None:
        wanted.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    if sys.platform != "linux" or shutil.which("apt-get") is None:
        if shutil.which("krita") is None or shutil.which("Xvfb") is None:
            _warn_skipped("this system has no apt-get", "Install Krita, Xvfb and xdotool")
        return True
    missing = [name for name in wanted if not _has_package(name)]
    if not missing:
        return True
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0:
        _warn_skipped(f"{', '.join(missing)} missing", f"Run: sudo {command}")
        return True
    with console.step(f"installing {', '.join(missing)}") as step:
        for words in (["apt-get", "update"], command.split()):
            lines = _apt(words, step)
            if lines is not None:
                step.result = "FAILED"
                print("\n".join(f"    apt: {line}" for line in lines[-8:]), file=sys.stderr)
                _warn_skipped(f"{' '.join(words[:2])} failed", f"Run: {command}")
                return False
    return True


def lint(environment: Environment) -> list[str]:
    """Runs the linters; returns the names of those that found something."""
    failed = []
    for name, (program, *arguments) in _LINTERS:
        started = time.monotonic()
        done = subprocess.run(
            [environment.python.with_name(program), *arguments],
            cwd=project.ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=pip.environment(),
        )
        seconds = time.monotonic() - started
        if done.returncode:
            failed.append(name)
            print((done.stdout + done.stderr).rstrip(), flush=True)
        verdict = "FAILED" if done.returncode else "ok"
        console.say(f"  {name} ({program}): {verdict} ({seconds:.1f} s)")
    return failed


def pytest(environment: Environment, arguments: Sequence[str]) -> int:
    """Runs pytest on the project with its output passed through; returns its exit code."""
    OUTPUT.mkdir(exist_ok=True)
    table = pip.environment()
    table["NURI_TEST_OUTPUT"] = os.fspath(OUTPUT)
    table["PATH"] = os.pathsep.join(_system_first(table.get("PATH", os.defpath)))
    return subprocess.run(
        [environment.python, "-m", "pytest", *arguments], cwd=project.ROOT, env=table
    ).returncode


def _system_first(path: str) -> list[str]:
    """The system's own folders first: Krita takes its Python's place from the first python3."""
    folders = path.split(os.pathsep)
    system = [folder for folder in ("/usr/bin", "/bin") if folder in folders]
    return system + [folder for folder in folders if folder not in system]


def _has_package(name: str) -> bool:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", name]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 and done.stdout == "installed"


def _apt(words: list[str], step: console.Step) -> list[str] | None:
    """Runs apt-get; its lines when it failed, None when it went well."""
    lines = []
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            step.note(line)
    return lines if process.returncode else None


def _warn_skipped(reason: str, action: str) -> None:
    console.warn(
        NuriError(
            ErrorCode.not_found,
            f"THE TESTS IN THE REAL KRITA ARE SKIPPED: {reason}",
            action,
        )
    )
