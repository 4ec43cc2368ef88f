"""The thread that writes results and frames to disk and reads them: the work loop never waits."""

from __future__ import annotations

import errno
import logging
import queue
import threading
import time
from typing import Any

from .mailbox import Mailbox
from .records import Kept
from .results import KeptResults

# What waits for a slow disk; beyond this it is not kept.
MAX_WAITING_BYTES = 512 << 20
# The client gets its result first; writing at the same moment would slow that down by half.
STORE_DELAY_SECONDS = 0.3
_logger = logging.getLogger("nuri.daemon")


class Archive:
    """Stores and fetches results in the background, and outputs of streams by their ``index``,
    which is -1 for the result of a job.

    ``fetch`` answers through the mailbox: ("fetched", job, index, session, wire frames or None).
    """

    def __init__(self, results: KeptResults, mailbox: Mailbox) -> None:
        self._results = results
        self._mailbox = mailbox
        self._tasks: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        # Streams that lack an output, so that those after it would be kept for nothing.
        self._incomplete: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    def store(self, job: str, task: str, document: str, frames: list[Any], index: int = -1) -> None:
        """Keeps wire frames, in order with later fetches."""
        size = sum(len(frame) for frame in frames)
        with self._lock:
            if index <= 0:
                self._incomplete.discard(job)
            elif job in self._incomplete:
                return
            fits = self._waiting_bytes + size <= MAX_WAITING_BYTES
            if fits:
                self._waiting_bytes += size
            elif index >= 0:
                self._incomplete.add(job)
        if fits:
            due = time.monotonic() + STORE_DELAY_SECONDS
            self._tasks.put(("store", job, index, task, document, frames, size, due))
        else:
            _logger.warning("[%s] %s not kept: the disk is too slow", job, _name(index))

    def fetch(self, job: str, index: int, session: str) -> None:
        self._tasks.put(("fetch", job, index, session))

    def entries(self) -> list[Kept]:
        return self._results.entries()

    def close(self, timeout: float) -> None:
        """Writes what waits, within ``timeout`` seconds."""
        self._closing.set()
        self._tasks.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            kind, job, index, *rest = task
            try:
                if kind == "store":
                    self._store(job, index, *rest)
                else:
                    self._mailbox.post("fetched", job, index, *rest, self._load(job, index))
            except Exception:
                _logger.exception("[%s] cannot %s the %s", job, kind, _name(index))
            # The pixels must not live on until the next task comes.
            del task, rest

    def _store(
        self,
        job: str,
        index: int,
        task: str,
        document: str,
        frames: list[Any],
        size: int,
        due: float,
    ) -> None:
        self._closing.wait(max(0.0, due - time.monotonic()))
        try:
            if index < 0:
                self._results.store(job, task, document, frames)
            else:
                self._results.store_frame(job, task, document, index, frames)
        except OSError as error:
            reason = "the disk is full" if _is_full(error) else error.strerror or str(error)
            _logger.warning("[%s] %s not kept: %s", job, _name(index), reason)
            if index >= 0:
                with self._lock:
                    self._incomplete.add(job)
        finally:
            with self._lock:
                self._waiting_bytes -= size

    def _load(self, job: str, index: int) -> list[bytes] | None:
        try:
            if index < 0:
                return self._results.load(job)
            return self._results.load_frame(job, index)
        except OSError as error:
            _logger.warning("[%s] kept %s cannot be read: %s", job, _name(index), error)
            return None


def _name(index: int) -> str:
    return "result" if index < 0 else f"frame {index}"


def _is_full(error: OSError) -> bool:
    full = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
    return error.errno in full
