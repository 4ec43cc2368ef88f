"""The thread that writes results to disk and reads them, so that the work loop never waits."""

from __future__ import annotations

import errno
import logging
import queue
import threading
import time
from typing import Any

from .mailbox import Mailbox
from .results import Kept, KeptResults

# Results that wait for a slow disk; beyond this they are not kept.
MAX_WAITING_BYTES = 512 << 20
# The client gets its result first; writing at the same moment would slow that down by half.
STORE_DELAY_SECONDS = 0.3
_logger = logging.getLogger("nuri.daemon")


class Archive:
    """Stores and fetches kept results in the background.

    ``fetch`` answers through the mailbox: ("fetched", job, session, frames or None).
    """

    def __init__(self, results: KeptResults, mailbox: Mailbox) -> None:
        self._results = results
        self._mailbox = mailbox
        self._tasks: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    def store(self, job: str, task: str, document: str, frames: list[Any]) -> None:
        """Keeps the wire frames of a result, in order with later fetches."""
        size = sum(len(frame) for frame in frames)
        with self._lock:
            fits = self._waiting_bytes + size <= MAX_WAITING_BYTES
            if fits:
                self._waiting_bytes += size
        if fits:
            due = time.monotonic() + STORE_DELAY_SECONDS
            self._tasks.put(("store", job, task, document, frames, size, due))
        else:
            _logger.warning("[%s] result not kept: the disk is too slow", job)

    def fetch(self, job: str, session: str) -> None:
        self._tasks.put(("fetch", job, session))

    def entries(self) -> list[Kept]:
        return self._results.entries()

    def close(self, timeout: float) -> None:
        """Writes what waits, within ``timeout`` seconds."""
        self._closing.set()
        self._tasks.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            kind, job, *rest = task
            try:
                if kind == "store":
                    self._store(job, *rest)
                else:
                    self._mailbox.post("fetched", job, *rest, self._load(job))
            except Exception:
                _logger.exception("[%s] cannot %s the result", job, kind)
            # The pixels must not live on until the next task comes.
            del task, rest

    def _store(
        self, job: str, task: str, document: str, frames: list[Any], size: int, due: float
    ) -> None:
        self._closing.wait(max(0.0, due - time.monotonic()))
        try:
            self._results.store(job, task, document, frames)
        except OSError as error:
            reason = "the disk is full" if _is_full(error) else error.strerror or str(error)
            _logger.warning("[%s] result not kept: %s", job, reason)
        finally:
            with self._lock:
                self._waiting_bytes -= size

    def _load(self, job: str) -> list[bytes] | None:
        try:
            return self._results.load(job)
        except (OSError, ValueError, KeyError) as error:
            _logger.warning("[%s] kept result cannot be read: %s", job, error)
            return None


def _is_full(error: OSError) -> bool:
    full = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
    return error.errno in full
