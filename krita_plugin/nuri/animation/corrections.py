"""Which frames of an earlier result the artist has painted on since, on another canvas, too."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..made import Made, Past
from ..qt import QRect
from ..steps import Work
from ..timeline import Timeline

# What a document may say of the canvas that it had.
_MOST_SIDE, _MOST_PIXELS = 100_000, 2**28


@dataclass
class Changes:
    """Times of frames of a result: ``painted`` on since or new, or ``unchanged`` and good for the
    canvas that there is. ``area``: where the canvas of then is now, None where that cannot be told;
    both are empty then.

    ``frames``: what was noted of each, by the time where it is now; ``moved``: where it was, of
    those that are elsewhere. ``astray``: times of painted ones where the lines have no key frame.
    """

    area: QRect | None = None
    painted: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    frames: dict[int, Made] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    astray: list[int] = field(default_factory=list)


def changes(timeline: Timeline, past: Past) -> Work:
    """Compares a result with what was noted of it; returns `Changes`."""
    if not past.layer:
        return Changes(timeline.canvas)
    is_same = past.view == timeline.view
    found = Changes(timeline.canvas if is_same else (yield from _former_canvas(timeline, past)))
    found.frames = past.frames
    if found.area is None:
        return found
    names: dict[int, str] = {}
    for time in timeline.times(past.layer):
        names[time] = yield from timeline.digest(past.layer, time, found.area)
    found.frames, found.moved = _followed(past, names)
    for time, name in names.items():
        then = found.frames.get(time)
        if then is None or name != then.digest:
            found.painted.add(time)
        elif is_same and then.source != "empty":
            found.unchanged.add(time)
    return found


def _followed(past: Past, names: dict[int, str]) -> tuple[dict[int, Made], dict[int, int]]:
    """As `Changes.frames` and `Changes.moved`. ``names``: digests of all frames as they are now."""
    frames = {t: made for t, made in past.frames.items() if names.get(t) == made.digest}
    left: dict[str, list[int]] = {}
    for time in sorted(past.frames.keys() - frames.keys()):
        if past.frames[time].source != "empty":
            left.setdefault(past.frames[time].digest, []).append(time)
    moved = {
        t: left[name].pop(0) for t, name in names.items() if t not in frames and left.get(name)
    }
    gone = set(moved.values())
    frames |= {time: past.frames[then] for time, then in moved.items()}
    # Those that are left in their places have been painted on.
    there = names.keys() - frames.keys() - gone
    return frames | {t: past.frames[t] for t in there if t in past.frames}, moved


def _former_canvas(timeline: Timeline, past: Past) -> Work:
    """Where the canvas of a result is on the one of now, by frames that still are as they were.

    Returns `QRect`, or None: converted, scaled, cut off, or painted on wherever one looks.
    """
    size, _, space = past.view.partition(" ")
    try:
        width, height = map(int, size.split("x"))
    except ValueError:
        return None  # noted by another version
    is_sane = min(width, height) > 0 and max(width, height) <= _MOST_SIDE
    if not is_sane or width * height > _MOST_PIXELS or space != " ".join(timeline.space):
        return None
    times = set(timeline.times(past.layer)) & past.frames.keys()
    corners = {time: corner for time, corner in past.corners.items() if time in times}
    shifts = {(0, 0)}
    for time, corner in corners.items():
        now = timeline.bounds(past.layer, time)
        shifts.add((now.x() - corner[0], now.y() - corner[1]))
        yield 0
    for shift in sorted(shifts):
        area = QRect(*shift, width, height)
        for time in corners:
            if (yield from timeline.digest(past.layer, time, area)) == past.frames[time].digest:
                return area
    return None
