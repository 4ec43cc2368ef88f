"""One frozen dataclass per message; building one with a wrong value raises `NuriError`.

The order follows SPEC.md, which says who sends what on which socket. Fields with a default may
be missing on the wire. Seconds are floats, sizes are bytes, times of day are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import checks, limits
from .base import BYTES, COUNT, SECONDS, Limits, Message, instance
from .errors import ErrorCode, ErrorInfo
from .job_messages import (
    Accepted,
    Cancel,
    Cancelled,
    CancelReply,
    Credit,
    Failed,
    Fetch,
    Frame,
    Progress,
    Result,
    Submit,
)

__all__ = [
    "MESSAGES",
    "Accepted",
    "Cancel",
    "CancelReply",
    "Cancelled",
    "Credit",
    "Error",
    "Failed",
    "Fetch",
    "Frame",
    "Hello",
    "Limits",
    "Message",
    "Ping",
    "Pong",
    "Progress",
    "Refused",
    "Result",
    "Shutdown",
    "Status",
    "StatusRequest",
    "Stopping",
    "Submit",
    "Welcome",
]


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
        checks.integer(self.pid, "pid", 0, COUNT)


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
        checks.integer(self.pid, "pid", 0, COUNT)
        checks.text(self.device, "device")
        checks.sequence(self.models, "models", limits.MODELS)
        for model in self.models:
            checks.plain(model, "a model", limits.DEPTH - 3)
        checks.sequence(self.tasks, "tasks", limits.TASKS)
        for task in self.tasks:
            checks.task_name(task, "a task")
        instance(self.limits, Limits, "limits")
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
        checks.integer(self.pid, "pid", 0, COUNT)
        checks.text(self.device, "device")
        checks.number(self.uptime, "uptime", 0.0, SECONDS)
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
        checks.integer(self.nonce, "nonce", 0, BYTES)


@dataclass(frozen=True, kw_only=True)
class Pong(Message):
    """The running job ("" for none), its ``fraction`` and the seconds since its last step."""

    TYPE = "pong"
    nonce: int = 0
    job: str = ""
    fraction: float = 0.0
    step_age: float = 0.0

    def __post_init__(self) -> None:
        checks.integer(self.nonce, "nonce", 0, BYTES)
        checks.identifier(self.job, "job", empty=True)
        checks.number(self.fraction, "fraction", 0.0, 1.0)
        checks.number(self.step_age, "step_age", 0.0, SECONDS)


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
        instance(self.error, ErrorInfo, "error")
        checks.identifier(self.reply_to, "reply_to", empty=True)

    @property
    def code(self) -> ErrorCode:
        return self.error.code


MESSAGES: dict[str, type[Message]] = {message.TYPE: message for message in Message.__subclasses__()}
