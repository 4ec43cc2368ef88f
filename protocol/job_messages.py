"""The messages of jobs; see messages.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import checks, limits
from .base import COUNT, SECONDS, Message, instance
from .errors import ErrorInfo
from .pixels import Plane, check_planes

LANES = ("interactive", "batch")
CANCEL_STATES = ("cancelling", "finished", "unknown")


@dataclass(frozen=True, kw_only=True)
class Submit(Message):
    """Asks for one job. ``frames`` > 0: so many `Frame` messages follow as inputs.

    ``deadline``: seconds of computing allowed (per frame for a stream). ``document``: jobs of the
    interactive lane with the same non-empty text supersede each other. ``keep``: the daemon keeps
    the result on disk for `Fetch`, and the outputs of a stream.
    """

    TYPE = "submit"
    PLANES = "inputs"
    job: str
    task: str
    options: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Plane, ...] = ()
    lane: str = "interactive"
    document: str = ""
    deadline: float = 120.0
    frames: int = 0
    keep: bool = True

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.task_name(self.task, "task")
        checks.options(self.options)
        check_planes(self.inputs, "inputs")
        checks.choice(self.lane, "lane", LANES)
        checks.text(self.document, "document")
        checks.number(self.deadline, "deadline", 0.001, limits.DEADLINE_SECONDS)
        checks.integer(self.frames, "frames", 0, limits.FRAMES)
        checks.flag(self.keep, "keep")


@dataclass(frozen=True, kw_only=True)
class Accepted(Message):
    """The job is queued: ``position`` jobs before it, ``window`` frames of credit each way."""

    TYPE = "accepted"
    job: str
    position: int = 0
    window: int = 4

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.integer(self.position, "position", 0, COUNT)
        checks.integer(self.window, "window", 1, limits.WINDOW)


@dataclass(frozen=True, kw_only=True)
class Progress(Message):
    """``fraction`` 0..1; ``frame`` -1 where there is none; ``seconds_left`` -1 when unknown."""

    TYPE = "progress"
    job: str
    fraction: float
    stage: str = ""
    frame: int = -1
    seconds_left: float = -1.0

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.number(self.fraction, "fraction", 0.0, 1.0)
        checks.text(self.stage, "stage", limits.TEXT)
        checks.integer(self.frame, "frame", -1, limits.FRAMES)
        checks.number(self.seconds_left, "seconds_left", -1.0, SECONDS)


@dataclass(frozen=True, kw_only=True)
class Frame(Message):
    """Frame ``index`` (from 0) of a stream: inputs to the daemon, outputs to the client.

    ``info``: facts of this frame (plain values); it travels in the header, so it stays small.
    """

    TYPE = "frame"
    PLANES = "planes"
    job: str
    index: int
    planes: tuple[Plane, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.integer(self.index, "index", 0, limits.FRAMES - 1)
        check_planes(self.planes, "planes")
        # One level less than an info frame has, because the header wraps it in its body.
        checks.plain(self.info, "info", limits.DEPTH - 3)


@dataclass(frozen=True, kw_only=True)
class Credit(Message):
    """Its sender has room for ``count`` more `Frame` messages of this job."""

    TYPE = "credit"
    job: str
    count: int = 1

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.integer(self.count, "count", 1, limits.WINDOW)


@dataclass(frozen=True, kw_only=True)
class Result(Message):
    """The job is done. ``info``: facts of the task (plain values); ``seconds`` of computing."""

    TYPE = "result"
    PLANES = "outputs"
    INFO = ("info",)
    job: str
    outputs: tuple[Plane, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        check_planes(self.outputs, "outputs")
        checks.plain(self.info, "info")
        checks.number(self.seconds, "seconds", 0.0, SECONDS)


@dataclass(frozen=True, kw_only=True)
class Failed(Message):
    """The job has ended without a result."""

    TYPE = "failed"
    job: str
    error: ErrorInfo

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        instance(self.error, ErrorInfo, "error")


@dataclass(frozen=True, kw_only=True)
class Cancelled(Message):
    """The job has ended because somebody asked for it; ``reason`` says who or why."""

    TYPE = "cancelled"
    job: str
    reason: str = ""

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.text(self.reason, "reason")


@dataclass(frozen=True, kw_only=True)
class Cancel(Message):
    """Stop this job."""

    TYPE = "cancel"
    job: str

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")


@dataclass(frozen=True, kw_only=True)
class CancelReply(Message):
    """What `Cancel` met; the job itself still ends with its own message on the work socket."""

    TYPE = "cancel_reply"
    job: str
    state: str

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.choice(self.state, "state", CANCEL_STATES)


@dataclass(frozen=True, kw_only=True)
class Fetch(Message):
    """Asks for the kept result of a finished job, or for output ``frame`` of a stream."""

    TYPE = "fetch"
    job: str
    frame: int = -1

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.integer(self.frame, "frame", -1, limits.FRAMES - 1)
