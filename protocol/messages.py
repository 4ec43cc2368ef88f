"""One frozen dataclass per message; building one with a wrong value raises `NuriError`.

The order follows SPEC.md, which says who sends what on which socket. Fields with a default may
be missing on the wire. Seconds are floats, sizes are bytes, times of day are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from . import checks, limits
from .errors import ErrorCode, ErrorInfo
from .pixels import Plane, check_planes

LANES = ("interactive", "batch")
CANCEL_STATES = ("cancelling", "finished", "unknown")
_SECONDS = 1e10
_COUNT = 2**31 - 1
_BYTES = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the daemon accepts; the defaults are the limits of the protocol itself.

    ``window``: frames of a stream that may be under way each way. ``queue``: waiting batch jobs.
    """

    header_bytes: int = limits.HEADER_BYTES
    info_bytes: int = limits.INFO_BYTES
    buffers: int = limits.BUFFERS
    buffer_bytes: int = limits.BUFFER_BYTES
    message_bytes: int = limits.MESSAGE_BYTES
    side: int = limits.SIDE
    pixels: int = limits.PIXELS
    queue: int = 64
    clients: int = 64
    window: int = 4

    def __post_init__(self) -> None:
        for entry in fields(self):
            checks.integer(getattr(self, entry.name), f"limits.{entry.name}", 1, _BYTES)


class Message:
    """Base of all messages; ``TYPE`` is the name on the wire."""

    TYPE: ClassVar[str]
    # Fields that travel in a frame of their own, because they may outgrow the header.
    INFO: ClassVar[tuple[str, ...]] = ()
    # Name of the field that holds the pictures, or "".
    PLANES: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class Hello(Message):
    """First message of a client, on the control socket."""

    TYPE = "hello"
    protocol: str
    client: str
    client_version: str = ""
    pid: int = 0

    def __post_init__(self) -> None:
        checks.text(self.protocol, "protocol", 16, empty=False)
        checks.text(self.client, "client", limits.NAME, empty=False)
        checks.text(self.client_version, "client_version", limits.NAME)
        checks.integer(self.pid, "pid", 0, _COUNT)


@dataclass(frozen=True, kw_only=True)
class Welcome(Message):
    """The daemon accepts the client; ``session`` goes into the header of all that follows."""

    TYPE = "welcome"
    protocol: str
    version: str
    session: str
    pid: int
    device: str
    models: list[dict[str, Any]]
    tasks: list[str]
    limits: Limits = field(default_factory=Limits)
    log_file: str = ""

    def __post_init__(self) -> None:
        checks.text(self.protocol, "protocol", 16, empty=False)
        checks.text(self.version, "version", limits.NAME)
        checks.identifier(self.session, "session")
        checks.integer(self.pid, "pid", 0, _COUNT)
        checks.text(self.device, "device")
        checks.sequence(self.models, "models", limits.MODELS)
        for model in self.models:
            checks.plain(model, "a model", limits.DEPTH - 3)
        checks.sequence(self.tasks, "tasks", limits.TASKS)
        for task in self.tasks:
            checks.task_name(task, "a task")
        _instance(self.limits, Limits, "limits")
        checks.text(self.log_file, "log_file", limits.OPTION_TEXT)


@dataclass(frozen=True, kw_only=True)
class Refused(Message):
    """The daemon speaks another protocol; names its versions and what to update."""

    TYPE = "refused"
    protocol: str
    version: str
    message: str
    action: str = ""

    def __post_init__(self) -> None:
        checks.text(self.protocol, "protocol", 16)
        checks.text(self.version, "version", limits.NAME)
        checks.text(self.message, "message", limits.MESSAGE)
        checks.text(self.action, "action", limits.MESSAGE)


@dataclass(frozen=True, kw_only=True)
class Submit(Message):
    """Asks for one job. ``frames`` > 0: so many `Frame` messages follow as inputs.

    ``deadline``: seconds of computing allowed (per frame for a stream). ``document``: jobs of the
    interactive lane with the same non-empty text supersede each other. ``keep``: the daemon keeps
    the result on disk for `Fetch`.
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
        checks.integer(self.position, "position", 0, _COUNT)
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
        checks.number(self.seconds_left, "seconds_left", -1.0, _SECONDS)


@dataclass(frozen=True, kw_only=True)
class Frame(Message):
    """Frame ``index`` (from 0) of a stream: inputs to the daemon, outputs to the client."""

    TYPE = "frame"
    PLANES = "planes"
    job: str
    index: int
    planes: tuple[Plane, ...] = ()

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        checks.integer(self.index, "index", 0, limits.FRAMES - 1)
        check_planes(self.planes, "planes")


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
        checks.number(self.seconds, "seconds", 0.0, _SECONDS)


@dataclass(frozen=True, kw_only=True)
class Failed(Message):
    """The job has ended without a result."""

    TYPE = "failed"
    job: str
    error: ErrorInfo

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")
        _instance(self.error, ErrorInfo, "error")


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
    """Asks for the kept result of a finished job."""

    TYPE = "fetch"
    job: str

    def __post_init__(self) -> None:
        checks.identifier(self.job, "job")


@dataclass(frozen=True, kw_only=True)
class StatusRequest(Message):
    """Asks for `Status`."""

    TYPE = "status_request"


@dataclass(frozen=True, kw_only=True)
class Status(Message):
    """State of the daemon; ``jobs`` in running order, ``kept`` newest first."""

    TYPE = "status"
    INFO = ("jobs", "kept")
    version: str
    pid: int
    device: str
    uptime: float
    worker: dict[str, Any] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    log_file: str = ""

    def __post_init__(self) -> None:
        checks.text(self.version, "version", limits.NAME)
        checks.integer(self.pid, "pid", 0, _COUNT)
        checks.text(self.device, "device")
        checks.number(self.uptime, "uptime", 0.0, _SECONDS)
        checks.plain(self.worker, "worker")
        for name, entries, limit in (
            ("jobs", self.jobs, limits.JOBS),
            ("kept", self.kept, limits.KEPT),
        ):
            checks.sequence(entries, name, limit)
            for entry in entries:
                checks.plain(entry, f"an entry of {name}", limits.DEPTH - 3)
        checks.text(self.log_file, "log_file", limits.OPTION_TEXT)


@dataclass(frozen=True, kw_only=True)
class Ping(Message):
    """Asks for `Pong` with the same ``nonce``."""

    TYPE = "ping"
    nonce: int = 0

    def __post_init__(self) -> None:
        checks.integer(self.nonce, "nonce", 0, _BYTES)


@dataclass(frozen=True, kw_only=True)
class Pong(Message):
    """The running job ("" for none), its ``fraction`` and the seconds since its last step."""

    TYPE = "pong"
    nonce: int = 0
    job: str = ""
    fraction: float = 0.0
    step_age: float = 0.0

    def __post_init__(self) -> None:
        checks.integer(self.nonce, "nonce", 0, _BYTES)
        checks.identifier(self.job, "job", empty=True)
        checks.number(self.fraction, "fraction", 0.0, 1.0)
        checks.number(self.step_age, "step_age", 0.0, _SECONDS)


@dataclass(frozen=True, kw_only=True)
class Shutdown(Message):
    """Asks the daemon to end its jobs and leave."""

    TYPE = "shutdown"


@dataclass(frozen=True, kw_only=True)
class Stopping(Message):
    """The daemon leaves now; open jobs get `Failed` with shutting_down first."""

    TYPE = "stopping"


@dataclass(frozen=True, kw_only=True)
class Error(Message):
    """A message could not be served. ``reply_to``: its type, or the job it named."""

    TYPE = "error"
    error: ErrorInfo
    reply_to: str = ""

    def __post_init__(self) -> None:
        _instance(self.error, ErrorInfo, "error")
        checks.identifier(self.reply_to, "reply_to", empty=True)

    @property
    def code(self) -> ErrorCode:
        return self.error.code


MESSAGES: dict[str, type[Message]] = {message.TYPE: message for message in Message.__subclasses__()}


def _instance(value: object, expected: type, name: str) -> None:
    if not isinstance(value, expected):
        raise checks.malformed(f"{name} must be {expected.__name__}, not {type(value).__name__}")
