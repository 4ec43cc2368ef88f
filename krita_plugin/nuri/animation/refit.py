"""Finished frames follow the document: its canvas, colours and key frames may have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

from .. import layers
from ..pixels.colourspace import SRGB8, travel_space
from ..pixels.rows import Pixels
from ..qt import QRect
from ..steps import Work
from ..timeline import Timeline
from .sheet import FrameSheet

_LOOKS = 5  # frames that tell how far a layer has moved
_ROWS = 512  # compared in one step


def refit(sheet: FrameSheet, newer: FrameSheet, anchors: Sequence[str]) -> Work:
    """Opens ``newer`` and fills it with the frames of ``sheet``; returns whether that can be done.

    ``anchors``: identities of layers that show where the frames belong on another canvas.
    """
    shift = yield from _shift(sheet.timeline, newer.timeline, anchors)
    if shift is None:
        return False
    yield from newer.open()
    for time in sorted(sheet.written.intersection(newer.times)):
        pixels = yield from sheet.read(time)
        pixels.x, pixels.y = shift
        yield from newer.write(time, pixels, travel_space(sheet.timeline.space))
    return True


def _shift(before: Timeline, now: Timeline, anchors: Sequence[str]) -> Work:
    """How far layers have moved on the canvas: (x, y), None where that cannot be told."""
    if before.canvas == now.canvas:
        return 0, 0
    for uid in anchors:
        if any(layers.find(each.document, uid) is None for each in (before, now)):
            continue
        times = sorted(set(before.times(uid)) & set(now.times(uid))) or [0]
        times = times[:: max(1, len(times) // _LOOKS)]
        looked = [time for time in times if not before.bounds(uid, time).isEmpty()]
        votes: Counter[tuple[int, int] | None] = Counter()
        for time in looked:
            votes[(yield from _shift_at(before, now, uid, time))] += 1
        for shift, number in votes.most_common(1):
            if shift is not None and 2 * number > len(looked):
                return shift
    return None


def _shift_at(before: Timeline, now: Timeline, uid: str, time: int) -> Work:
    """As `_shift`, of one layer at one time."""
    old, new = before.bounds(uid, time), now.bounds(uid, time)
    across = {0, new.left() - old.left(), new.right() - old.right()}
    down = {0, new.top() - old.top(), new.bottom() - old.bottom()}
    was = yield from before.read(uid, time, SRGB8)
    seen = yield from now.read(uid, time, SRGB8)
    # Of a drawing that is cut on both sides the bounds say nothing, but its rows are in the other.
    shrunk = [(-x, -y) for x, y in _places(seen, was)]
    for shift in dict.fromkeys([*product(across, down), *_places(was, seen), *shrunk]):
        if (yield from _lies_there(was, seen, shift)):
            return shift
    return None


def _places(small: Pixels, large: Pixels) -> list[tuple[int, int]]:
    """Where a picture may lie in a larger one, by its first row that is drawn on and unlike the row
    above. Both: bgra8.
    """
    above = _row(small, 0, 0, small.width)
    for top in range(1, small.height if small.width <= large.width else 0):
        row = _row(small, 0, top, small.width)
        if row != above and row != row[:4] * small.width:
            found = _find(row, large)
            return [(x, y - top) for x, y in found if _row(large, x, y - 1, small.width) == above]
        above = row
    return []


def _find(row: bytes, picture: Pixels) -> list[tuple[int, int]]:
    """Where a part of a row of bgra8 is in a picture, below its first row."""
    data, width = bytes(picture.data), 4 * picture.width
    found = []
    start = data.find(row, width)
    while start >= 0:
        y, x = divmod(start, width)
        if x % 4 == 0 and x + len(row) <= width:
            found.append((x // 4, y))
        start = data.find(row, start + 1)
    return found


def _lies_there(was: Pixels, seen: Pixels, shift: tuple[int, int]) -> Work:
    """Whether a picture shows another one ``shift`` further, and something of it. Both: bgra8."""
    moved = QRect(*shift, was.width, was.height)
    common = moved.intersected(QRect(0, 0, seen.width, seen.height))
    has_drawing = False
    for number, y in enumerate(range(common.top(), common.bottom() + 1)):
        if number % _ROWS == 0:
            yield 0
        row = _row(seen, common.left(), y, common.width())
        if row != _row(was, common.left() - shift[0], y - shift[1], common.width()):
            return False
        has_drawing = has_drawing or row != row[:4] * common.width()
    return has_drawing


def _row(pixels: Pixels, x: int, y: int, width: int) -> bytes:
    start = 4 * (y * pixels.width + x)
    return bytes(pixels.data[start : start + 4 * width])
