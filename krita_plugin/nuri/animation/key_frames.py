"""The coloured frames of an animation: the artist's own, and corrected ones of a result."""

from __future__ import annotations

from dataclasses import dataclass

from .. import made
from ..made import Past
from ..pixels.colourspace import SRGB8, travel_space
from ..pixels.rows import Pixels
from ..steps import Work
from ..threads import JOBS, in_thread
from ..timeline import Timeline, is_blank, shown_at
from .corrections import Changes, changes


@dataclass
class KeyFrame:
    """A coloured frame. ``colours``: as painted; ``seen``: the same in sRGB.

    ``source``, ``painted``: as in `made.Made`. ``place``: identity of the layer and time that the
    colours have there.
    """

    time: int
    colours: Pixels
    seen: Pixels
    line: Pixels
    place: tuple[str, int]
    source: str = "key"
    painted: str = ""


def coloured_frames(timeline: Timeline, line: str, colours: str, past: Past, most: int) -> Work:
    """The frames whose colours are the artist's: of the coloured layer, a few more than ``most`` at
    the most, and those of the last result that were corrected.

    Returns (`KeyFrame` by time, `Changes` of that result).
    """
    times = timeline.times(line)
    keys = yield from _read_keys(timeline, line, colours, times, most)
    found = yield from changes(timeline, past)
    for time in timeline.times(past.layer) if past.layer else ():
        then = found.frames.get(time)
        if time not in found.painted and (then is None or then.source != "corrected"):
            continue
        if time not in times:
            seen = yield from timeline.read(past.layer, time, SRGB8, found.area)
            if not (yield from is_blank(seen)):
                found.astray.append(time)
            continue
        key = keys.get(time)
        notes = past.frames.values() if then is None else (then,)
        known = {note.painted for note in notes}
        # The coloured layer decides where it has a frame of its own that is newer.
        if key is not None and (yield from _painted_then(timeline, key, found)) not in known:
            continue
        corrected = yield from read_key(timeline, line, time, (past.layer, time), "corrected")
        if key is not None:
            corrected.painted = key.painted
        elif then is not None:
            corrected.painted = then.painted
        if not (yield from is_blank(corrected.seen)):
            keys[time] = corrected
    return keys, found


def _painted_then(timeline: Timeline, key: KeyFrame, found: Changes) -> Work:
    """As `KeyFrame.painted`, on the canvas that the last result was made for; returns text."""
    if found.area is None or found.area == timeline.canvas:
        return key.painted
    seen = yield from timeline.read(*key.place, SRGB8, found.area)
    return (yield from in_thread(JOBS, made.digest, seen.data))


def _read_keys(timeline: Timeline, line: str, colours: str, times: list[int], most: int) -> Work:
    """The coloured frames by the frames of the lines that they belong to."""
    found: dict[int, KeyFrame] = {}
    # A still picture was painted over the frame that is on the screen.
    for moment in timeline.times(colours) or [timeline.now]:
        place = shown_at(times, moment)
        if place in found or len(found) > most:
            continue
        key = yield from read_key(timeline, line, place, (colours, moment), "key")
        if not (yield from is_blank(key.seen)):
            key.painted = yield from in_thread(JOBS, made.digest, key.seen.data)
            found[place] = key
    return found


def read_key(timeline: Timeline, line: str, time: int, place: tuple[str, int], source: str) -> Work:
    """`KeyFrame` of a line frame; ``place``: layer and time of its colours."""
    native = travel_space(timeline.space)
    seen = yield from timeline.read(*place, SRGB8)
    colours = seen
    if not native.is_srgb8:
        colours = yield from timeline.read(*place, native)
    drawn = yield from timeline.read(line, time, SRGB8)
    return KeyFrame(time, colours, seen, drawn, place, source)
