"""The worker gives way: the artist's programs go first, and on larger machines keep a core."""

from __future__ import annotations

import os
import sys

_NICE = 10  # of 19: a stroke of the pen gets nine times as much of a core as a job beside it
_WINDOWS_BELOW_NORMAL = 0x4000
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")


def give_way() -> None:
    """Lowers the priority of this process, and limits its threads unless the user has set them.

    Call before PyTorch and Numba are imported, which read their number of threads then.
    """
    for name in _THREAD_SETTINGS:
        os.environ.setdefault(name, str(threads()))
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _WINDOWS_BELOW_NORMAL)
    else:
        os.nice(_NICE)


def threads() -> int:
    """All cores but one, where there are more than two."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(min(cores, 2), cores - 1)
