"""One run of a task: pictures as they travel in, pictures as they travel out.

The worker of the daemon and `nuri --no-daemon` both call `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from .request import Outcome, Report, Request


def _flats(request: Request) -> Outcome:
    from .flats_job import run_flats

    return run_flats(request)


def _layer(request: Request) -> Outcome:
    from .layer_job import run_layer

    return run_layer(request)


def _greyscale(request: Request) -> Outcome:
    from .greyscale import run_greyscale

    return run_greyscale(request)


def _lines(request: Request) -> Outcome:
    from .lines import run_lines

    return run_lines(request)


def _animation(request: Request) -> Outcome:
    from .animation_job import run_animation

    return run_animation(request)


def _cuts(request: Request) -> Outcome:
    from .cuts import run_cuts

    return run_cuts(request)


# What a user can ask for. A task is imported with its first job or by `warm_up`.
TASKS: dict[str, Callable[[Request], Outcome]] = {
    "layer": _layer,
    "flats": _flats,
    "lines": _lines,
    "greyscale": _greyscale,
    "animation": _animation,
    "cuts": _cuts,
}


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
    frame: int = -1,
    facts: Mapping[str, Any] | None = None,
    memory: dict[str, Any] | None = None,
) -> Outcome:
    """Run one task from start to end in this thread.

    ``progress`` hears of a fraction 0..1 and a stage in words; ``cancelled`` is asked often. Of a
    stream: the index of this ``frame``, its client's ``facts`` about it, and the ``memory`` that
    the frames of one job share.
    Raises NuriError: unsupported (unknown task), malformed (options), cancelled, no_memory, and
    what the task itself refuses; every message names the file or layer that is at fault.
    """
    if task not in TASKS:
        raise NuriError(
            ErrorCode.unsupported,
            f"there is no task {task!r}",
            f"Tasks of this backend: {', '.join(TASKS)}",
        )
    request = Request(
        {plane.name: plane for plane in inputs},
        options,
        progress,
        cancelled,
        frame,
        facts or {},
        {} if memory is None else memory,
    )
    try:
        request.step(0.0, "reading")
        return TASKS[task](request)
    except MemoryError as error:
        raise NuriError(
            ErrorCode.no_memory,
            "there is not enough memory for a picture of this size",
            "Close other programs or use a smaller picture",
        ) from error
