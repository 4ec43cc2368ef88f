"""Checks of single values of a message. Each raises `NuriError` (malformed or too_large)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from . import limits
from .errors import ErrorCode, NuriError

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_TASK_CHARACTERS = _NAME_CHARACTERS | {"."}


def malformed(what: str) -> NuriError:
    """The error for a message that breaks the rules of SPEC.md."""
    return NuriError(
        ErrorCode.malformed, what, "Update Nuri and its Krita plugin to the same version"
    )


def too_large(what: str, action: str = "Use a smaller picture or fewer layers") -> NuriError:
    """The error for a message that goes over a limit of limits.py."""
    return NuriError(ErrorCode.too_large, what, action)


def text(value: object, field: str, limit: int = limits.TEXT, *, empty: bool = True) -> None:
    """A str of at most ``limit`` characters that UTF-8 can carry."""
    if not isinstance(value, str):
        raise malformed(f"{field} must be text, not {type(value).__name__}")
    if len(value) > limit:
        raise too_large(f"{field} is longer than {limit} characters", f"Shorten {field}")
    if not value and not empty:
        raise malformed(f"{field} is empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise malformed(f"{field} is not valid Unicode text") from None


def identifier(value: object, field: str, *, empty: bool = False) -> None:
    """1 to 64 of A-Z a-z 0-9 _ -  (or nothing, with ``empty``)."""
    text(value, field, limits.NAME, empty=empty)
    if not _NAME_CHARACTERS.issuperset(str(value)):
        raise malformed(f"{field} may only hold letters, digits, _ and -")


def task_name(value: object, field: str) -> None:
    """1 to 64 of A-Z a-z 0-9 _ - and the point."""
    text(value, field, limits.NAME, empty=False)
    if not _TASK_CHARACTERS.issuperset(str(value)):
        raise malformed(f"{field} may only hold letters, digits, _, - and points")


def integer(value: object, field: str, low: int, high: int) -> None:
    """An int (no bool) in low..high."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise malformed(f"{field} must be a whole number, not {type(value).__name__}")
    if value < low or value > high:
        raise malformed(f"{field} must lie in {low}..{high}")


def number(value: object, field: str, low: float, high: float) -> None:
    """A finite int or float (no bool) in low..high."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise malformed(f"{field} must be a number, not {type(value).__name__}")
    if not low <= value <= high or not math.isfinite(value):
        raise malformed(f"{field} must lie in {low:g}..{high:g}")


def flag(value: object, field: str) -> None:
    """A bool."""
    if not isinstance(value, bool):
        raise malformed(f"{field} must be true or false, not {type(value).__name__}")


def choice(value: object, field: str, choices: Sequence[str]) -> None:
    """One of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise malformed(f"{field} must be one of {', '.join(choices)}")


def sequence(value: object, field: str, limit: int) -> None:
    """A list or tuple of at most ``limit`` entries."""
    if not isinstance(value, (list, tuple)):
        raise malformed(f"{field} must be a list, not {type(value).__name__}")
    if len(value) > limit:
        raise too_large(f"{field} has more than {limit} entries", f"Send fewer {field}")


def options(value: object, field: str = "options") -> None:
    """A dict of at most 64 names to scalars or flat lists of scalars."""
    if not isinstance(value, Mapping):
        raise malformed(f"{field} must be a table, not {type(value).__name__}")
    if len(value) > limits.OPTIONS:
        raise too_large(f"{field} has more than {limits.OPTIONS} entries", f"Send fewer {field}")
    for name, entry in value.items():
        text(name, f"a name in {field}", limits.NAME, empty=False)
        if isinstance(entry, (list, tuple)):
            sequence(entry, f"{field}.{name}", limits.OPTION_LIST)
            for given in entry:
                scalar(given, f"{field}.{name}", limits.OPTION_TEXT)
        else:
            scalar(entry, f"{field}.{name}", limits.OPTION_TEXT)


def scalar(value: object, field: str, text_limit: int) -> None:
    """None, a bool, text, a finite float or an int that 64 bits hold."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        text(value, field, text_limit)
    elif isinstance(value, int):
        integer(value, field, _LOWEST, _HIGHEST)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise malformed(f"{field} is not a finite number")
    else:
        raise malformed(f"{field} has the type {type(value).__name__}, which cannot travel")


def plain(value: object, field: str, depth: int = limits.DEPTH - 2) -> None:
    """A dict of text keys to None, bool, int, finite float, str, list, dict; ``depth`` deep."""
    if not isinstance(value, dict):
        raise malformed(f"{field} must be a table, not {type(value).__name__}")
    level: list[Any] = [value]
    # Level by level, because most values are the many numbers of a few long lists.
    while level:
        names: set[Any] = set()
        scalars: list[Any] = []
        deeper: list[Any] = []
        for entry in level:
            if isinstance(entry, dict):
                names.update(entry)
                deeper.extend(entry.values())
            elif isinstance(entry, (list, tuple)):
                deeper.extend(entry)
            else:
                scalars.append(entry)
        if len(scalars) < len(level) and depth == 0:
            raise malformed(f"{field} is nested too deeply")
        for name in names:
            text(name, f"a name in {field}")
        if set(map(type, scalars)) == {int}:
            scalars = [min(scalars), max(scalars)]
        for entry in scalars:
            scalar(entry, f"a value in {field}", limits.INFO_BYTES)
        level = deeper
        depth -= 1
