"""LZF, the packing of Krita's tiles (liblzf's format), compiled with Numba.

The machine code checks no index by itself, so `_unpack` checks every one that the data decides.
"""

from __future__ import annotations

import numpy as np

from .compiled import compiled


def unpack(packed: bytes, size: int) -> np.ndarray:
    """The ``size`` bytes (uint8) that ``packed`` holds. Raises ValueError for anything else."""
    out = np.empty(size, np.uint8)
    if _unpack(np.frombuffer(packed, np.uint8), out) != size:
        raise ValueError(f"LZF does not hold {size} bytes")
    return out


@compiled
def _unpack(packed: np.ndarray, out: np.ndarray) -> int:
    """Fill ``out``; returns the number of bytes written, or -1 where the data is no LZF of it."""
    size, end = len(out), len(packed)
    written = position = 0
    while position < end:
        control = np.int64(packed[position])
        position += 1
        if control < 32:  # that many bytes and one more follow as they are
            count = control + 1
            if position + count > end or written + count > size:
                return -1
            for index in range(count):
                out[written + index] = packed[position + index]
            position += count
            written += count
            continue
        length = (control >> 5) + 2
        if length == 9:
            if position >= end:
                return -1
            length += np.int64(packed[position])
            position += 1
        if position >= end:
            return -1
        start = written - ((control & 31) << 8) - np.int64(packed[position]) - 1
        position += 1
        if start < 0 or written + length > size:
            return -1
        for index in range(length):  # byte by byte: a copy may overlap what it writes
            out[written + index] = out[start + index]
        written += length
    return written
