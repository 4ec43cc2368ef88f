"""What a task is asked for, and what it gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeGuard, TypeVar

from protocol import checks
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, Plane

Report = Callable[[float, str], None]
ENCODINGS = ("", "png")  # how a job may want its pictures: pixels as they are, or files
_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class Outcome:
    """What a task gives: its pictures, and what there is to say about them.

    ``facts``: the little of it that travels with a frame of a stream; with ``error`` in it (as in
    SPEC.md) this frame alone has failed.
    """

    outputs: tuple[Plane, ...]
    info: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a task was asked for. ``inputs`` by name.

    ``frame``: its index in a stream, -1 for a job that is none, with ``facts`` of its client.
    ``memory``: one for all frames of a job; see `once`.
    """

    inputs: Mapping[str, Plane]
    options: Mapping[str, Any]
    progress: Report
    cancelled: Callable[[], bool]
    frame: int = -1
    facts: Mapping[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], _Kept]) -> _Kept:
        """What ``make`` gave the first frame of this job, kept for the frames after it."""
        if name not in self.memory:
            self.memory[name] = make()
        kept: _Kept = self.memory[name]
        return kept

    def step(self, fraction: float, stage: str) -> None:
        """Report progress, unless the job was cancelled. Raises cancelled."""
        stepper(self.progress, self.cancelled)(fraction, stage)

    def part(self, begin: float, end: float) -> Report:
        """Progress of a part of the job that goes on from ``begin`` to ``end``, 0..1."""
        return lambda fraction, stage: self.progress(begin + (end - begin) * fraction, stage)

    def flag(self, name: str, default: bool) -> bool:
        """A boolean option. Raises malformed."""
        return bool(self._option(name, bool, default))

    def text(self, name: str, choices: tuple[str, ...] = ()) -> str:
        """A text option, "" by default; one of ``choices`` if there are any. Raises malformed."""
        value = str(self._option(name, str, ""))
        if choices and value not in choices:
            raise _wrong_option(name, f"one of {', '.join(map(repr, choices))}")
        return value

    def numbers(self, name: str) -> list[float]:
        """A list of finite numbers, empty by default. Raises malformed."""
        value = self._option(name, (list, tuple), ())
        if not all(is_number(n) for n in value):
            raise _wrong_option(name, "a list of finite numbers")
        return list(value)

    def texts(self, name: str, choices: tuple[str, ...], default: tuple[str, ...]) -> list[str]:
        """A list of texts of ``choices``. Raises malformed."""
        value = self._option(name, (list, tuple), default)
        if not value or not all(isinstance(entry, str) and entry in choices for entry in value):
            raise _wrong_option(name, f"a list of {', '.join(map(repr, choices))}")
        return list(dict.fromkeys(value))

    def _option(self, name: str, kinds: Any, default: Any) -> Any:
        value = self.options.get(name, default)
        if not isinstance(value, kinds):
            raise _wrong_option(name, "of another type")
        return value


def is_number(value: object) -> TypeGuard[float]:
    """Whether a client has sent a number that is finite, and no truth value."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return math.isfinite(value)


def stepper(progress: Report, cancelled: Callable[[], bool]) -> Report:
    """Progress for one who may have ``cancelled``: then it raises NuriError cancelled."""

    def step(fraction: float, stage: str) -> None:
        if cancelled():
            raise NuriError(ErrorCode.cancelled, "the job was cancelled")
        progress(fraction, stage)

    return step


@contextmanager
def naming(plane: Plane) -> Iterator[None]:
    """What is found wrong with a picture in here has the name of its file, where it has one."""
    try:
        yield
    except NuriError as error:
        if error.code is not ErrorCode.bad_input or isinstance(plane, PixelBuffer):
            raise
        message = f"{plane.file_name}: {error.info.message}"
        raise NuriError(error.code, message, error.info.action) from error


def _wrong_option(name: str, wanted: str) -> NuriError:
    return checks.malformed(f"the option {name} must be {wanted}")
