"""Pixels of layers, a few rows per turn of the event loop."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from protocol.pixels import PixelBuffer, PixelFormat

from ..qt import QRect
from ..steps import Work
from .colourspace import ColourSpace, convert, pixel_format
from .hidden import HiddenCopy

# So many pixels keep one step of reading or writing near 10 ms; converting adds its own steps.
_STEP_PIXELS = 2**19
_CONVERTED_STEP_PIXELS = 2**18


@dataclass
class Pixels:
    """Raw pixels of the canvas from ``x``, ``y``; ``format`` is the protocol's name of them."""

    x: int
    y: int
    width: int
    height: int
    format: str
    data: bytes | memoryview


def read_rows(
    hidden: HiddenCopy,
    read: Callable[[int, int, int, int], Any],
    area: QRect,
    painted: QRect,
    spaces: tuple[ColourSpace, ColourSpace],
    progress: Callable[[float], None] = lambda part: None,
) -> Work:
    """`Pixels` of ``area``; rows above and below ``painted`` stay transparent.

    ``read``: (x, y, width, height) -> raw bytes. ``spaces``: of these bytes and of the result.
    ``progress`` hears 0..1.
    """
    source, target = spaces
    if source.is_srgb8 and target.is_srgb8:
        target = source
    limit = _STEP_PIXELS if source == target else _CONVERTED_STEP_PIXELS
    data = memoryview(b"")
    yield 0
    for y, count in _steps(painted.y(), painted.height(), limit // area.width()):
        rows = read(area.x(), y, area.width(), count)
        if source != target:
            rows = yield from convert(hidden, bytes(rows), source, target)
        row = len(rows) // count
        if not data:
            # The system hands out zeroed pages one by one; a bytearray clears all at once.
            data = memoryview(mmap.mmap(-1, row * area.height()))
        start = (y - area.y()) * row
        data[start : start + count * row] = memoryview(rows)
        progress((y + count - painted.y()) / painted.height())
        yield 0
    size = area.width(), area.height()
    return Pixels(area.x(), area.y(), *size, pixel_format(target), data)


def write_rows(
    hidden: HiddenCopy, node: Any, pixels: Pixels, source: ColourSpace, target: ColourSpace
) -> Work:
    """Fills ``node`` row by row; parts without any colour stay unpainted, so that bounds fit."""
    view = memoryview(pixels.data)
    row = len(view) // pixels.height
    limit = _STEP_PIXELS if source == target else _CONVERTED_STEP_PIXELS
    blank = b""
    for y, count in _steps(0, pixels.height, limit // pixels.width):
        rows = bytes(view[y * row : (y + count) * row])
        if len(blank) != len(rows):
            blank = bytes(len(rows))
        if rows != blank:
            rows = yield from convert(hidden, rows, source, target)
            node.setPixelData(rows, pixels.x, pixels.y + y, pixels.width, count)
            yield 0


def plane_of(name: str, pixels: Pixels) -> PixelBuffer:
    """Pixels as they travel."""
    return PixelBuffer(
        name=name,
        width=pixels.width,
        height=pixels.height,
        format=PixelFormat(pixels.format),
        data=memoryview(pixels.data),
        x=pixels.x,
        y=pixels.y,
    )


def blue_first(pixels: Pixels) -> Work:
    """`Pixels` in bgra8 of pixels in rgba8."""
    data = bytearray(pixels.data)
    row = len(data) // pixels.height
    for y, count in _steps(0, pixels.height, _STEP_PIXELS // pixels.width):
        start, end = y * row, (y + count) * row
        red = data[start:end:4]
        data[start:end:4] = data[start + 2 : end : 4]
        data[start + 2 : end : 4] = red
        yield 0
    return Pixels(pixels.x, pixels.y, pixels.width, pixels.height, "bgra8", memoryview(data))


def _steps(start: int, count: int, limit: int) -> Iterator[tuple[int, int]]:
    """(first, count) pieces of ``count`` rows from ``start``, none longer than ``limit`` rows."""
    limit = max(1, limit)
    for first in range(start, start + count, limit):
        yield first, min(limit, start + count - first)
