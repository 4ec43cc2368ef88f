"""LZF, the packing of Krita's tiles (liblzf's format, in plain Python)."""

from __future__ import annotations


def unpack(packed: bytes, size: int) -> bytes:
    """The ``size`` bytes that ``packed`` holds. Raises ValueError where it holds anything else."""
    out = bytearray()
    position, end = 0, len(packed)
    try:
        while position < end:
            control = packed[position]
            position += 1
            if control < 32:  # that many bytes and one more follow as they are
                out += packed[position : position + control + 1]
                position += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[position]
                position += 1
            length += 2
            distance = ((control & 31) << 8) + packed[position] + 1
            position += 1
            start = len(out) - distance
            if start < 0:
                raise ValueError("LZF refers to before its beginning")
            if distance >= length:
                out += out[start : start + length]
            else:  # the copy overlaps itself: a pattern that repeats
                out += (out[start:] * (length // distance + 1))[:length]
            if len(out) > size:
                break
    except IndexError:
        raise ValueError("LZF is cut short") from None
    if len(out) != size or position != end:
        raise ValueError(f"LZF holds {len(out)} bytes, not {size}")
    return bytes(out)
