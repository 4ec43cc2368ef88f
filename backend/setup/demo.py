"""Colours the example drawings through the daemon and puts them on one sheet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

from . import console, pip, project
from .environment import Environment

EXAMPLES = project.ROOT / "docs" / "examples"
DEFAULT_OUTPUT = project.ROOT / "demo-output"
SHEET_NAME = "sheet.png"
_LIMIT_SECONDS = 300


def run(environment: Environment, output: Path) -> Path:
    """Writes NAME.png for every example and the sheet to ``output``; returns the sheet's path."""
    names = sorted(path.name[: -len("-line.png")] for path in EXAMPLES.glob("*-line.png"))
    if not names:
        raise NuriError(
            ErrorCode.not_found, f"{EXAMPLES} holds no drawings", "Get a complete copy of Nuri"
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"{output} cannot be made: {error.strerror}",
            "Give another place: --output FOLDER",
        ) from error
    was_running = _nuri(environment, "status", "--json").returncode == 0
    try:
        for name in names:
            with console.step(f"colouring {name}") as step:
                step.result = _colour(environment, name, output)
        with console.step("drawing the sheet"):
            _sheet(environment, names, output)
    finally:
        if not was_running:
            _nuri(environment, "stop")
    return output / SHEET_NAME


def _colour(environment: Environment, name: str, output: Path) -> str:
    line, hints = EXAMPLES / f"{name}-line.png", EXAMPLES / f"{name}-hints.png"
    target = output / f"{name}.png"
    done = _nuri(
        environment,
        *("colorize", str(line), "--hints", str(hints), "-o", str(target), "--json"),
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise NuriError(
            ErrorCode.internal,
            f"{line.name} was not coloured: {reason.removeprefix('nuri: ')}",
            "Run: python3 install.py doctor",
        )
    try:
        info = json.loads(done.stdout)
    except ValueError:
        info = {}
    info = info.get("info", info)
    if "regions" in info and "coloured" in info:
        return f"{info['coloured']} of {info['regions']} regions coloured"
    return "done"


def _sheet(environment: Environment, names: list[str], output: Path) -> None:
    done = subprocess.run(
        [environment.python, EXAMPLES / "sheet.py", output / SHEET_NAME, output, *names],
        capture_output=True,
        text=True,
        env=pip.environment(),
        timeout=_LIMIT_SECONDS,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NuriError(
            ErrorCode.internal, f"The sheet was not drawn: {reason}", detail=done.stderr
        )


def _nuri(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [environment.nuri, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=pip.environment(),
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NuriError(
            ErrorCode.deadline,
            f"nuri {arguments[0]} gave no answer in {_LIMIT_SECONDS} s",
            "Run: python3 install.py doctor",
        ) from error
