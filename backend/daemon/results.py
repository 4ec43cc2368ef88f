"""Results of finished jobs and outputs of streams, kept on disk for a day within a bound of bytes.

One file per result, one per stream for its outputs (reels.py). A result is written beside its place
and renamed, so a half-written one is never taken for whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import records, reels
from .records import Kept
from .reels import Reel

KEEP_SECONDS = 24 * 3600.0
KEEP_BYTES = 1 << 30
_RESULT = ".result"
_REEL = ".frames"
_PARTIAL = ".partial"


class KeptResults:
    """The folder of what is kept. Read from any thread, stored to from one."""

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
        self._results: dict[str, Kept] = {}
        self._reels: dict[str, Reel] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._read_folder()
        self.prune()

    def store(self, job: str, task: str, document: str, frames: Sequence[Any]) -> None:
        """Keeps ``frames`` (bytes-like) as the result of ``job``, dropping the oldest others.

        Raises OSError when they cannot be written (disk full, read-only folder); then nothing of
        this result is kept. One larger than the whole bound is not kept.
        """
        views = [memoryview(frame).cast("B") for frame in frames]
        kept = Kept(job, task, document, self._clock(), sum(len(view) for view in views))
        self._make_room(job, kept.bytes)
        path = self._path(job, _RESULT)
        partial = path.with_suffix(_PARTIAL)
        try:
            with open(partial, "wb", buffering=0, opener=records.private) as file:
                records.write(file, kept, views)
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        with self._lock:
            self._results[job] = kept

    def store_frame(
        self, job: str, task: str, document: str, index: int, frames: Sequence[Any]
    ) -> None:
        """Keeps ``frames`` as output ``index`` of a stream, unless one before it is not kept.

        Raises OSError as `store` does; then the outputs before it are kept.
        """
        if index == 0:
            # An older stream of the same name.
            self._drop(job)
        reel = self._reels.get(job) or self._new_reel(job, task, document)
        if index != reel.kept.frames:
            return
        packed = reels.pack([memoryview(frame).cast("B") for frame in frames])
        self._make_room(job, sum(map(len, packed)))
        reel.append(packed, self._clock())
        with self._lock:
            self._reels[job] = reel

    def load(self, job: str) -> list[bytes] | None:
        """The frames of the result of ``job``, or None when it is not kept (any more)."""
        with self._lock:
            kept = self._results.get(job)
        if kept is None or self._is_old(kept):
            return None
        path = self._path(job, _RESULT)
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            if head := records.read_head(file):
                return [file.read(size) for size in head[1]]
        self._drop_result(job)
        return None

    def load_frame(self, job: str, index: int) -> list[bytes] | None:
        """The frames of output ``index`` of a stream, or None when it is not kept (any more)."""
        with self._lock:
            reel = self._reels.get(job)
        if reel is None or index >= reel.kept.frames or self._is_old(reel.kept):
            return None
        with contextlib.suppress(FileNotFoundError, zlib.error):
            return reel.load(index)
        return None

    def entries(self) -> list[Kept]:
        """What is kept now, newest first."""
        with self._lock:
            kept = {job: reel.kept for job, reel in self._reels.items()}
            for job, result in self._results.items():
                outputs = kept.get(job, replace(result, bytes=0))
                kept[job] = replace(
                    result, bytes=result.bytes + outputs.bytes, frames=outputs.frames
                )
        current = [entry for entry in kept.values() if not self._is_old(entry)]
        return sorted(current, key=lambda entry: -entry.finished)

    def prune(self, room: int = 0, spare: str = "") -> None:
        """Drops what is too old, then the oldest until ``room`` more bytes fit the bound.

        ``spare``: a job that stays in any case.
        """
        entries = self.entries()
        current = {entry.job for entry in entries}
        with self._lock:
            expired = [job for job in (*self._results, *self._reels) if job not in current]
        used = sum(entry.bytes for entry in entries)
        others = [entry for entry in entries if entry.job != spare]
        while others and used + room > self._limit:
            entry = others.pop()
            used -= entry.bytes
            expired.append(entry.job)
        for job in expired:
            self._drop(job)

    def _make_room(self, job: str, size: int) -> None:
        reel = self._reels.get(job)
        whole = size + (reel.kept.bytes if reel else 0)
        if whole > self._limit:
            raise OSError(f"{whole} bytes are over the bound of {self._limit} bytes")
        self.prune(room=size, spare=job)

    def _new_reel(self, job: str, task: str, document: str) -> Reel:
        return Reel(self._path(job, _REEL), Kept(job, task, document, 0.0, 0))

    def _is_old(self, kept: Kept) -> bool:
        # A clock that was ahead has dated it in the future: it must not stay for ever.
        return abs(self._clock() - kept.finished) > self._seconds

    def _path(self, job: str, suffix: str) -> Path:
        # Job names differ in case; some file systems do not.
        return self._folder / (hashlib.sha256(job.encode()).hexdigest()[:32] + suffix)

    def _drop(self, job: str) -> None:
        self._drop_result(job)
        with self._lock:
            self._reels.pop(job, None)
        _unlink(self._path(job, _REEL))

    def _drop_result(self, job: str) -> None:
        with self._lock:
            self._results.pop(job, None)
        _unlink(self._path(job, _RESULT))

    def _read_folder(self) -> None:
        """Takes up what an earlier daemon left, and removes what is broken or foreign."""
        for path in self._folder.iterdir():
            if path.suffix in (_RESULT, _REEL, _PARTIAL) and not self._take_up(path):
                _unlink(path)

    def _take_up(self, path: Path) -> bool:
        with contextlib.suppress(OSError):
            if path.suffix == _RESULT:
                kept = _read_result(path)
                if kept is not None and self._path(kept.job, _RESULT) == path:
                    self._results[kept.job] = kept
                    return True
            elif path.suffix == _REEL:
                reel = Reel.restore(path)
                if reel is not None and self._path(reel.kept.job, _REEL) == path:
                    self._reels[reel.kept.job] = reel
                    return True
        return False


def _unlink(path: Path) -> None:
    # Windows keeps a file that is being read; it goes at the next start.
    with contextlib.suppress(OSError):
        path.unlink()


def _read_result(path: Path) -> Kept | None:
    """The entry of a whole file, else None."""
    with open(path, "rb") as file:
        head = records.read_head(file)
        if head is None:
            return None
        kept, sizes = head
        is_whole = file.tell() + sum(sizes) == os.fstat(file.fileno()).st_size
        return kept if is_whole else None
