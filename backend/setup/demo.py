"""Colours the example drawings through the daemon and puts them on one sheet."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from protocol.errors import ErrorCode, NuriError

from . import console, interpreter, project
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
    was_running = _is_running(environment)
    try:
        for name in names:
            with console.step(f"colouring {name}") as step:
                step.result = _colour(environment, name, output)
        with console.step("drawing the sheet"):
            _sheet(environment, names, output)
    finally:
        if not was_running:
            with contextlib.suppress(NuriError):
                _nuri(environment, "stop")
    return output / SHEET_NAME


def _colour(environment: Environment, name: str, output: Path) -> str:
    line, hints = EXAMPLES / f"{name}-line.png", EXAMPLES / f"{name}-hints.png"
    target = output / f"{name}.png"
    try:
        said = _nuri(environment, "colorize", line, "--hints", hints, "-o", target, "--json")
    except NuriError as error:
        reason = error.info.message.removeprefix("nuri: ")
        raise NuriError(
            error.code,
            f"{line.name} was not coloured: {reason}",
            "Run: python3 install.py doctor",
        ) from error
    try:
        info = json.loads(said)
    except ValueError:
        info = {}
    info = info.get("info", info)
    if "regions" in info and "coloured" in info:
        return f"{info['coloured']} of {info['regions']} regions coloured"
    return "done"


def _sheet(environment: Environment, names: list[str], output: Path) -> None:
    sheet, script = output / SHEET_NAME, EXAMPLES / "sheet.py"
    try:
        interpreter.ask(environment.python, script, sheet, output, *names, seconds=_LIMIT_SECONDS)
    except NuriError as error:
        info = error.info
        raise NuriError(
            error.code, f"The sheet was not drawn: {info.message}", detail=info.detail
        ) from error


def _is_running(environment: Environment) -> bool:
    try:
        _nuri(environment, "status", "--json")
    except NuriError:
        return False
    return True


def _nuri(environment: Environment, *arguments: str | Path) -> str:
    return interpreter.ask(environment.nuri, *arguments, seconds=_LIMIT_SECONDS)
