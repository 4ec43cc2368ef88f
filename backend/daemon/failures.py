"""What clients are told when a job cannot be taken in or does not end well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocol import wire
from protocol.errors import ErrorCode, ErrorInfo
from protocol.messages import Frame

from .queue import Job


def unknown_task(task: str, known: Sequence[str]) -> ErrorInfo:
    return ErrorInfo(
        ErrorCode.unsupported,
        f"The task {task!r} is unknown to this backend, which has {', '.join(known)}",
        "Update the Nuri backend",
    )


def no_stream() -> ErrorInfo:
    return ErrorInfo(
        ErrorCode.malformed, "A frame came for a job that is no stream", "Submit it with frames"
    )


def overdue(job: Job) -> ErrorInfo:
    """The deadline has passed: of computing, or of a stream's waiting for its client."""
    if job.stream and not job.is_computing:
        return ErrorInfo(
            ErrorCode.deadline,
            f"The animation waited more than {job.deadline:g} s for its next frame",
            "Start it again",
        )
    return ErrorInfo(
        ErrorCode.deadline,
        f"The job took longer than the {job.deadline:g} s that it was given",
        "Use a smaller picture, or give it more time",
    )


def worker_died(reason: str, for_good: bool) -> ErrorInfo:
    """``for_good``: it is not started again by itself."""
    action = "Try again; if it happens again, see the backend's log"
    if for_good:
        action = "Run `nuri doctor`, and see the backend's log"
    return ErrorInfo(ErrorCode.worker_died, reason, action)


def lost_frame(inputs: Sequence[Any], death: ErrorInfo) -> dict[str, Any]:
    """Facts in place of the output of a frame that has ended two workers; the others go on.

    ``inputs``: its wire frames.
    """
    reason = f"This frame failed twice: {death.message}"
    error = ErrorInfo(death.code, reason, death.action).as_facts()
    given = wire.decode(inputs)
    time = given.info.get("time") if isinstance(given, Frame) else None
    return {"time": time, "error": error} if isinstance(time, (int, float)) else {"error": error}


def lost_frames(index: int, death: ErrorInfo) -> ErrorInfo:
    """Too many frames have done so in a row, the last of them ``index``."""
    return ErrorInfo(death.code, f"Frame {index}: {death.message}", death.action)


def leaving() -> ErrorInfo:
    return ErrorInfo(
        ErrorCode.shutting_down,
        "The Nuri backend is shutting down",
        "Start it again with `nuri serve`",
    )


def not_kept(job: str, index: int) -> ErrorInfo:
    """``index``: of a frame of the job, -1 for its result."""
    part = "The result" if index < 0 else f"Frame {index}"
    return ErrorInfo(
        ErrorCode.not_found,
        f"{part} of job {job} is not kept (any more)",
        "Run the job again; results are kept for a day",
    )


def not_ended(job: str) -> ErrorInfo:
    return ErrorInfo(ErrorCode.not_found, f"The job {job} has not ended yet", "Ask again later")
