"""Files and large buffers are dealt with in threads, while Krita's event loop turns."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .steps import Work

_POLL_MS = 20
# One after the other: a large picture takes hundreds of megabytes while it is read.
PICTURES = ThreadPoolExecutor(1, "nuri-pictures")
# Several: one that waits for a dead network drive must not hold up the next job.
JOBS = ThreadPoolExecutor(8, "nuri-jobs")


def in_thread(pool: ThreadPoolExecutor, function: Callable[..., Any], *arguments: Any) -> Work:
    """Calls ``function`` in a thread of ``pool``; returns what it returns, raises what it raises.

    ``function`` may not touch Krita's objects, nor widgets and pixmaps. The event loop only turns
    in Python code, and in calls that let other Python code run: files, hashes, reading pictures.
    """
    future = pool.submit(function, *arguments)
    try:
        while not future.done():
            yield _POLL_MS
    finally:
        future.cancel()  # stopped before its turn came
    return future.result()


def close() -> None:
    """Waits for what is under way and drops the rest; nothing can be begun after this."""
    for pool in (PICTURES, JOBS):
        pool.shutdown(cancel_futures=True)
