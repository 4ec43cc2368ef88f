"""Bounds msgpack before anything is built from it, so that no claimed length is believed."""

from __future__ import annotations

from . import checks, limits

_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
# (bytes, bits of the exponent in the first two of them, which NaN and infinities have all set)
_FLOATS = {0xCA: (4, 0x7F80), 0xCB: (8, 0x7FF0)}


def _steps() -> list[int]:
    """Bytes that a whole value takes, by its first byte; 0 where more than that byte decides."""
    steps = [1] * 256
    numbers = {0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}
    numbers.update({0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9})
    for byte, size in numbers.items():
        steps[byte] = size
    for byte in range(0xA0, 0xC0):
        steps[byte] = 1 + (byte & 31)
    # Floats (0xca, 0xcb) are looked at. 0xc1 is unused; raw bytes (0xc4-0xc6) and ext types
    # (0xc7-0xc9, 0xd4-0xd8) never travel.
    for byte in (*range(0x80, 0xA0), 0xC1, *range(0xC4, 0xCC), *range(0xD4, 0xE0)):
        steps[byte] = 0
    return steps


_STEPS = _steps()


def check_structure(data: bytes, name: str) -> None:
    """Walks ``data`` as one msgpack value, without building it.

    Raises `NuriError` malformed for a wrong length, a depth over limits.DEPTH, a count that the
    rest of the data cannot hold, and for what never travels (raw bytes, extensions, NaN and
    infinities).
    """
    position = 0
    pending = 1
    stack: list[int] = []
    try:
        while True:
            while pending:
                pending -= 1
                byte = data[position]
                if step := _STEPS[byte]:
                    position += step
                    continue
                position += 1
                if width := _TEXTS.get(byte):
                    position += width + _length(data, position, width)
                    continue
                if byte in _FLOATS:
                    position += _finite_float(byte, data, position, name)
                    continue
                children, width = _children(byte, data, position, name)
                position += width
                if len(stack) >= limits.DEPTH:
                    raise checks.malformed(f"the {name} is nested deeper than {limits.DEPTH}")
                stack.append(pending)
                pending = children
            if not stack:
                break
            pending = stack.pop()
    except IndexError:
        raise checks.malformed(f"the {name} ends too early") from None
    if position != len(data):
        raise checks.malformed(f"the {name} has the wrong length")


def _children(byte: int, data: bytes, position: int, name: str) -> tuple[int, int]:
    """(values that follow in this array or table, bytes of their count)."""
    if 0x80 <= byte < 0x90:
        return 2 * (byte & 15), 0
    if 0x90 <= byte < 0xA0:
        return byte & 15, 0
    if width := _ARRAYS.get(byte):
        return _length(data, position, width), width
    if width := _MAPS.get(byte):
        return 2 * _length(data, position, width), width
    raise checks.malformed(f"the {name} holds raw bytes or extension types")


def _finite_float(byte: int, data: bytes, position: int, name: str) -> int:
    """Bytes that a float takes; the data may end before."""
    width, exponent = _FLOATS[byte]
    if _length(data, position, 2) & exponent == exponent:
        raise checks.malformed(f"the {name} holds a number that is not finite")
    return width


def _length(data: bytes, position: int, width: int) -> int:
    return int.from_bytes(data[position : position + width], "big")
