"""One run of a task: pictures as they travel in, pictures as they travel out.

The worker of the daemon and `nuri --no-daemon` both call `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Outcome:
    """What a task gives: its pictures, and what there is to say about them."""

    outputs: tuple[Plane, ...]
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a task was asked for. ``inputs`` by name."""

    inputs: Mapping[str, Plane]
    options: Mapping[str, Any]
    progress: Report
    cancelled: Callable[[], bool]

    def step(self, fraction: float, stage: str) -> None:
        """Report progress, unless the job was cancelled. Raises cancelled."""
        if self.cancelled():
            raise NuriError(ErrorCode.cancelled, "the job was cancelled")
        self.progress(fraction, stage)

    def flag(self, name: str, default: bool) -> bool:
        """A boolean option. Raises malformed."""
        return bool(self._option(name, bool, default))

    def text(self, name: str, choices: tuple[str, ...] = ()) -> str:
        """A text option, "" by default; one of ``choices`` if there are any. Raises malformed."""
        value = str(self._option(name, str, ""))
        if choices and value not in choices:
            raise _wrong_option(name, f"one of {', '.join(map(repr, choices))}")
        return value

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


def _wrong_option(name: str, wanted: str) -> NuriError:
    return NuriError(
        ErrorCode.malformed,
        f"the option {name} must be {wanted}",
        "Update Nuri and its Krita plugin to the same version",
    )


def _flats(request: Request) -> Outcome:
    from .flats_job import run_flats

    return run_flats(request)


def _lines(request: Request) -> Outcome:
    from .lines import run_lines

    return run_lines(request)


# What a user can ask for. A task is imported with its first job or by `warm_up`.
TASKS: dict[str, Callable[[Request], Outcome]] = {"flats": _flats, "lines": _lines}


def warm_up() -> None:
    """Import and compile what the tasks need, so that the first job does not wait for it."""
    from . import flats_job

    flats_job.rehearse()


def run(
    task: str,
    inputs: Iterable[Plane],
    options: Mapping[str, Any],
    *,
    progress: Report,
    cancelled: Callable[[], bool],
) -> Outcome:
    """Run one task from start to end in this thread.

    ``progress`` hears of a fraction 0..1 and a stage in words; ``cancelled`` is asked often.
    Raises NuriError: unsupported (unknown task), malformed (options), cancelled, no_memory, and
    what the task itself refuses; every message names the file or layer that is at fault.
    """
    if task not in TASKS:
        raise NuriError(
            ErrorCode.unsupported,
            f"there is no task {task!r}",
            f"Tasks of this backend: {', '.join(TASKS)}",
        )
    request = Request({plane.name: plane for plane in inputs}, options, progress, cancelled)
    try:
        request.step(0.0, "reading")
        return TASKS[task](request)
    except MemoryError as error:
        raise NuriError(
            ErrorCode.no_memory,
            "there is not enough memory for a picture of this size",
            "Close other programs or use a smaller picture",
        ) from error
