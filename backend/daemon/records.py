"""A message on disk, as a record: a line of JSON, then its wire frames as they travelled."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from protocol import version

_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Kept:
    """What is kept of one job. ``finished``: Unix seconds; ``bytes``: of all its wire frames on
    disk; ``frames``: how many outputs of a stream, from the first on."""

    job: str
    task: str
    document: str
    finished: float
    bytes: int
    frames: int = 0


def private(path: str, flags: int) -> int:
    """An opener for files that their owner alone can read."""
    return os.open(path, flags, 0o600)


def write(file: IO[bytes], kept: Kept, frames: Sequence[bytes | memoryview]) -> None:
    """Adds a record to an unbuffered file."""
    sizes = [len(frame) for frame in frames]
    head = {"protocol": version.PROTOCOL_VERSION, "sizes": sizes, **asdict(kept)}
    for part in (json.dumps(head).encode() + b"\n", *frames):
        view = memoryview(part)
        while len(view):
            view = view[file.write(view) :]


def read_head(file: IO[bytes]) -> tuple[Kept, list[int]] | None:
    """What the record at this place is, and the sizes of the wire frames that follow.

    None for one that is not whole, or of a protocol that we do not speak.
    """
    try:
        head: dict[str, Any] = json.loads(file.readline(_HEAD_BYTES))
        left = os.fstat(file.fileno()).st_size - file.tell()
        if not version.can_talk(head["protocol"]) or sum(head["sizes"]) > left:
            return None
        job, task, document = (str(head[name]) for name in ("job", "task", "document"))
        numbers = float(head["finished"]), int(head["bytes"]), int(head.get("frames", 0))
        return Kept(job, task, document, *numbers), head["sizes"]
    except (ValueError, KeyError, TypeError):
        return None
