"""Results of finished jobs, kept on disk for a day within a bound of bytes.

One file per job: a line of JSON, then the frames of the `Result` message as they travelled.
A file is written beside its place and renamed, so a half-written one is never taken for whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from protocol import version

KEEP_SECONDS = 24 * 3600.0
KEEP_BYTES = 1 << 30
_SUFFIX = ".result"
_PARTIAL = ".partial"
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Kept:
    """One kept result. ``finished``: Unix seconds; ``bytes``: of its frames together."""

    job: str
    task: str
    document: str
    finished: float
    bytes: int


class KeptResults:
    """The folder of kept results. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = KEEP_SECONDS,
        limit: int = KEEP_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, Kept] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._read_folder()
        self.prune()

    def store(self, job: str, task: str, document: str, frames: Sequence[Any]) -> None:
        """Keeps ``frames`` (bytes-like) as the result of ``job``, dropping the oldest others.

        Raises OSError when they cannot be written (disk full, read-only folder); then nothing of
        this job is kept. A result larger than the whole bound is not kept.
        """
        views = [memoryview(frame).cast("B") for frame in frames]
        size = sum(len(view) for view in views)
        if size > self._limit:
            raise OSError(f"a result of {size} bytes is over the bound of {self._limit} bytes")
        kept = Kept(job, task, document, self._clock(), size)
        self.prune(room=size)
        head = {"protocol": version.PROTOCOL_VERSION, "sizes": [len(view) for view in views]}
        line = json.dumps({**head, **asdict(kept)}).encode() + b"\n"
        path = self._path(job)
        partial = path.with_suffix(_PARTIAL)
        try:
            with open(partial, "wb", buffering=0, opener=_private) as file:
                for view in (memoryview(line), *views):
                    while len(view):
                        view = view[file.write(view) :]
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        with self._lock:
            self._kept[job] = kept

    def load(self, job: str) -> list[bytes] | None:
        """The frames of the result of ``job``, or None when it is not kept (any more)."""
        with self._lock:
            kept = self._kept.get(job)
        if kept is None or kept.finished < self._clock() - self._seconds:
            return None
        try:
            with open(self._path(job), "rb") as file:
                head = json.loads(file.readline(_HEAD_BYTES))
                frames = [file.read(size) for size in head["sizes"]]
        except FileNotFoundError:
            self._forget(job)
            return None
        if [len(frame) for frame in frames] != head["sizes"]:
            self._drop(job)
            return None
        return frames

    def entries(self) -> list[Kept]:
        """What is kept now, newest first."""
        oldest = self._clock() - self._seconds
        with self._lock:
            kept = [entry for entry in self._kept.values() if entry.finished >= oldest]
        return sorted(kept, key=lambda entry: -entry.finished)

    def prune(self, room: int = 0) -> None:
        """Drops what is too old, then the oldest until ``room`` more bytes fit the bound."""
        entries = self.entries()
        current = {entry.job for entry in entries}
        with self._lock:
            expired = [job for job in self._kept if job not in current]
        used = sum(entry.bytes for entry in entries)
        while entries and used + room > self._limit:
            entry = entries.pop()
            used -= entry.bytes
            expired.append(entry.job)
        for job in expired:
            self._drop(job)

    def _path(self, job: str) -> Path:
        # Job names differ in case; some file systems do not.
        return self._folder / (hashlib.sha256(job.encode()).hexdigest()[:32] + _SUFFIX)

    def _forget(self, job: str) -> None:
        with self._lock:
            self._kept.pop(job, None)

    def _drop(self, job: str) -> None:
        self._forget(job)
        # Windows keeps a file that is being read; it goes at the next start.
        with contextlib.suppress(OSError):
            self._path(job).unlink()

    def _read_folder(self) -> None:
        """Takes up what an earlier daemon left, and removes what is broken or foreign."""
        for path in self._folder.iterdir():
            if path.suffix not in (_SUFFIX, _PARTIAL):
                continue
            kept = _read_head(path) if path.suffix == _SUFFIX else None
            if kept is not None and self._path(kept.job) == path:
                self._kept[kept.job] = kept
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read_head(path: Path) -> Kept | None:
    """The entry of a whole file of a protocol that we still speak, else None."""
    try:
        with open(path, "rb") as file:
            line = file.readline(_HEAD_BYTES)
            size = os.fstat(file.fileno()).st_size
        head = json.loads(line)
        if not version.can_talk(head["protocol"]) or size != len(line) + sum(head["sizes"]):
            return None
        job, task, document = (str(head[name]) for name in ("job", "task", "document"))
        return Kept(job, task, document, float(head["finished"]), int(head["bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
