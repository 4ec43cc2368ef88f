"""Styles: region matchers that someone has taught, by the names of their files.

A style travels as one safetensors file; who puts it into the folder can choose it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.folders import state_folder

FOLDER = "NURI_STYLES"  # names another folder
PREFIX = "style/"  # of the ids of styles among those of models
SUFFIX = ".safetensors"
NETWORK = "matching"
MOST = limits.MODELS // 2
_NAME = re.compile(r"\w[\w .()-]{0,47}")
_MOST_BYTES, _DIGEST_BYTES = 2**26, 8
_MANY = 10**9  # no one has taught on as many frames
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_logger = logging.getLogger("nuri.worker")


@dataclass(frozen=True)
class Style:
    """``name``: of its file. ``frames``: that it was taught on, 0 where the file does not say."""

    name: str
    path: Path
    frames: int = 0
    date: str = ""

    @property
    def id(self) -> str:
        return PREFIX + self.name

    @property
    def revision(self) -> str:
        """Tells its weights from others of the same name; "" where they cannot be read."""
        try:
            facts = self.path.stat()
            return _digest(self.path, facts.st_size, facts.st_mtime_ns)
        except OSError:
            return ""


def folder() -> Path:
    """Where styles are: the folder that ``NURI_STYLES`` names, else one beside the log."""
    given = os.environ.get(FOLDER)
    return Path(given).absolute() if given else state_folder() / "styles"


def installed() -> list[Style]:
    """The styles in the folder as `look` finds them; the log hears of files that are none."""
    found, flaws = look()
    for flaw in flaws.values():
        _logger.warning(flaw)
    return found


def look() -> tuple[list[Style], dict[str, str]]:
    """The styles in the folder, by name, at most ``MOST``; and by the ids of the other files, why
    they are none, each a line with its remedy."""
    found, flaws = [], {}
    for path in sorted(folder().glob(f"*{SUFFIX}"), key=lambda path: path.name.casefold()):
        try:
            found.append(_read(path))
        except (ImportError, OSError, ValueError) as error:
            flaws[PREFIX + path.stem] = f"{path} is no style: {error} ({_remedy(error)})"
    return found[:MOST], flaws


def _remedy(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "run `python3 install.py demo` in Nuri's folder, without --no-models"
    return "copy the style there again under a plain name, or take the file away"


def facts() -> dict[str, dict[str, str]]:
    """What to tell of each style that is installed, by id."""
    return facts_of(installed())


def facts_of(found: Iterable[Style]) -> dict[str, dict[str, str]]:
    """``title`` and ``revision`` of each of these styles, by id."""
    told = {}
    for style in found:
        taught = f", taught on {style.frames} frames" if style.frames else ""
        title = f"The style {style.name}{taught}" + f", {style.date}" * bool(style.date)
        told[style.id] = {"title": title, "revision": style.revision}
    return told


def path_of(identifier: str) -> Path:
    """The file of ``style/NAME``. Raises NuriError model_missing."""
    name = identifier.removeprefix(PREFIX)
    try:
        return _read(file_for(name)).path
    except (ImportError, OSError, ValueError) as error:
        raise NuriError(
            ErrorCode.model_missing,
            f"there is no style {name!r} in {folder()}",
            "Put its .safetensors file there, or choose another model",
        ) from error


def file_for(name: str) -> Path:
    """Where a style of this name belongs. ``ValueError`` for a name that no file can have."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a style: use letters, digits, spaces and -")
    return folder() / f"{name}{SUFFIX}"


def _read(path: Path) -> Style:
    """``ValueError`` for a file that holds no style, ImportError without safetensors."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():  # to open a pipe would be to wait for its writer
        raise OSError("it is no file, or a link to none")
    if not _NAME.fullmatch(path.stem):
        raise ValueError("its name has signs that a style's cannot have")
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    if metadata.get("nuri.architecture") != NETWORK:
        raise ValueError("it holds no region matcher")
    return Style(path.stem, path, *_lesson(metadata.get("nuri.extra", "{}")))


@lru_cache(maxsize=2 * MOST)
def _digest(path: Path, size: int, changed: int) -> str:
    """A short name of what is in a file of this size, changed at this time. Raises OSError."""
    with path.open("rb") as file:
        # Whatever lies in the folder must not hold up a daemon that greets a client.
        content = file.read(_MOST_BYTES)
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


def _lesson(extra: str) -> tuple[int, str]:
    """How many frames a style was taught on and when, of its JSON; 0 and "" where that is no fact.

    ``ValueError`` where it is no JSON.
    """
    try:
        facts = json.loads(extra)
    except RecursionError as error:
        raise ValueError("what it says of itself is nested too deep") from error
    facts = facts.get("style") if isinstance(facts, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    frames, date = facts.get("frames"), facts.get("date")
    if not isinstance(frames, int) or isinstance(frames, bool) or not 0 < frames < _MANY:
        frames = 0
    dated = _DATE.match(date) if isinstance(date, str) else None
    return frames, dated.group() if dated else ""
