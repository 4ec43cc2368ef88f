"""The errors that a user of Nuri can meet: a code, one line of what, one line of what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from . import limits


class ErrorCode(str, Enum):
    """What went wrong, for programs. SPEC.md holds the table of codes with their remedies."""

    malformed = "malformed"
    unsupported = "unsupported"
    version_mismatch = "version_mismatch"
    unauthenticated = "unauthenticated"
    too_large = "too_large"
    too_many_clients = "too_many_clients"
    busy = "busy"
    superseded = "superseded"
    cancelled = "cancelled"
    deadline = "deadline"
    worker_died = "worker_died"
    bad_input = "bad_input"
    not_found = "not_found"
    model_missing = "model_missing"
    disk_full = "disk_full"
    no_memory = "no_memory"
    unreachable = "unreachable"
    shutting_down = "shutting_down"
    internal = "internal"


def one_line(text: str, limit: int = limits.MESSAGE) -> str:
    """``text`` on one line without control characters, cut to ``limit`` characters.

    Messages may quote file and layer names of others, and end on a terminal.
    """
    text = " ".join(text[: 4 * limit].split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def several_lines(text: str) -> str:
    """``text`` without control characters but those that part lines and columns."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


@dataclass(frozen=True)
class ErrorInfo:
    """One error as it travels.

    ``message``: one line in the user's words, naming the file or layer. ``action``: the remedy.
    ``detail``: for a log or a "more" button. ``job``: the job that it ends, or "".
    Texts are cut to their limits and freed of control characters here, never refused; of a detail
    the end is kept, where a traceback says most.
    """

    code: ErrorCode
    message: str
    action: str = ""
    detail: str = ""
    job: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", ErrorCode(self.code))
        object.__setattr__(self, "message", one_line(self.message))
        object.__setattr__(self, "action", one_line(self.action))
        object.__setattr__(self, "detail", several_lines(self.detail[-limits.DETAIL :]))
        object.__setattr__(self, "job", one_line(self.job, limits.NAME))

    def as_facts(self) -> dict[str, str]:
        """Code, message and remedy, for JSON and for the facts of a frame."""
        return {"code": self.code.value, "message": self.message, "action": self.action}

    @classmethod
    def from_facts(cls, facts: Mapping[str, object]) -> ErrorInfo:
        """What `as_facts` gave, maybe of a newer peer: an unknown code counts as internal."""
        code = ErrorCode.__members__.get(str(facts.get("code")), ErrorCode.internal)
        return cls(code, str(facts.get("message", "")), str(facts.get("action", "")))


class NuriError(Exception):
    """The one exception of Nuri that a user may see; ``str()`` is one line: "message (action)"."""

    def __init__(
        self, code: ErrorCode, message: str, action: str = "", *, detail: str = "", job: str = ""
    ) -> None:
        self.info = ErrorInfo(code, message, action, detail, job)
        super().__init__(self.info)

    @classmethod
    def from_info(cls, info: ErrorInfo) -> NuriError:
        """The exception for an error that arrived in a message."""
        return cls(info.code, info.message, info.action, detail=info.detail, job=info.job)

    @property
    def code(self) -> ErrorCode:
        return self.info.code

    def __str__(self) -> str:
        message, action = self.info.message, self.info.action
        return f"{message} ({action})" if action else message

    def __reduce__(self) -> tuple[object, tuple[ErrorInfo]]:
        return NuriError.from_info, (self.info,)
