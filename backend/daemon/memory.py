"""Memory of the daemon's processes: freed pixels are reused at once, and given back when idle.

glibc returns every large block to the system when it is freed and gets it back page by page;
for pictures of 64 MB those page faults cost more than moving the bytes.
"""

from __future__ import annotations

import ctypes
import sys

_MALLOPT = {"trim_threshold": -1, "mmap_max": -4, "arena_max": -8}
_KEEP_BYTES = 1 << 30


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def keep_freed_memory() -> None:
    """Makes malloc reuse large freed blocks. Call before threads start. glibc only."""
    if library := _glibc():
        library.mallopt(_MALLOPT["mmap_max"], 0)
        library.mallopt(_MALLOPT["trim_threshold"], _KEEP_BYTES)
        # One heap for all threads: a block that one thread frees serves the next one that asks.
        library.mallopt(_MALLOPT["arena_max"], 1)


def give_back_memory() -> None:
    """Returns freed memory to the system; costs milliseconds, so call it when idle. glibc only."""
    if library := _glibc():
        library.malloc_trim(0)


def process_memory(pid: int) -> int:
    """Resident bytes of a process, or -1 where the system does not say so cheaply."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return -1
    import resource

    return pages * resource.getpagesize()
