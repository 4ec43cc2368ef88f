"""A few pixels of a large picture, quickly and without NumPy, which Krita's Python lacks."""

from __future__ import annotations

from typing import Literal

from .rows import Pixels

# Pixels of these sizes can be picked by a strided view; others one by one.
_ITEMS: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LOOK_SIDE = 256
# A drawing on white paper has more light opaque area than white ink on a transparent layer.
_PAPER_SHARE = 0.25


def sample(pixels: Pixels, side: int) -> tuple[int, int, bytes]:
    """Every n-th pixel of every n-th row, at most ``side`` a side: (width, height, raw pixels)."""
    step = -(-max(pixels.width, pixels.height) // side)
    view = memoryview(pixels.data)
    row = len(view) // pixels.height
    size = row // pixels.width
    starts = range(0, pixels.height * row, step * row)
    columns = range(0, row, size * step)
    if size in _ITEMS:
        rows = [view[y : y + row].cast(_ITEMS[size])[::step].tobytes() for y in starts]
    else:
        rows = [b"".join([view[y + x : y + x + size] for x in columns]) for y in starts]
    return len(columns), len(rows), b"".join(rows)


def is_paper(line: Pixels) -> bool:
    """True when the lines stand on opaque light paper, so that colours under them cannot show.

    ``line``: bgra8. Ink on a transparent layer has hardly any light opaque pixels.
    """
    width, height, data = sample(line, _LOOK_SIDE)
    values = zip(data[1::4], data[3::4], strict=True)
    light = sum(1 for green, alpha in values if alpha > 250 and green > 128)
    return light > width * height * _PAPER_SHARE
