"""A job in this process, for `--no-daemon`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backend.imaging import refusal
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from .interrupt import Interrupt

if TYPE_CHECKING:
    from backend.tasks.request import Outcome


def run_here(
    task: str,
    inputs: list[Plane],
    options: dict[str, Any],
    interrupt: Interrupt,
    progress: Callable[[float, str], None],
    **of_stream: Any,
) -> Outcome:
    """`backend.tasks.job.run` with what a frame of a stream brings, until Ctrl-C.

    Raises NuriError, which is no_memory where memory was short in whatever way, KeyboardInterrupt.
    """
    from backend.tasks import job

    try:
        outcome = job.run(
            task,
            inputs,
            options,
            progress=progress,
            cancelled=lambda: interrupt.requested,
            **of_stream,
        )
    except Exception as error:
        if interrupt.requested and isinstance(error, NuriError):
            raise KeyboardInterrupt from None
        is_told = isinstance(error, NuriError) and error.code is ErrorCode.no_memory
        if is_told or not refusal.is_no_memory(error):
            raise
        raise refusal.no_memory_for_job() from error
    return outcome
