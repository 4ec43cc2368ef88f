"""Which frames of an animation are coloured, which have to be, and which can stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from . import guess, layers, made
from .colourspace import SRGB8, travel_space
from .corrections import Changes, changes
from .made import Past
from .rows import Pixels, plane_of
from .steps import Work
from .threads import JOBS, in_thread
from .timeline import Timeline, is_blank, shown_at, shown_in

SELECTED_FRAMES = "selected_frames"  # the option that leaves out what is not selected
# Three pictures each travel in one message, which may hold 64.
MOST_KEYS = 20


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


@dataclass
class Plan:
    """``shots``: the times of each, in order. ``left``: times of the frames to colour. ``kept``:
    those that stay as they are in the result ``past``. ``keyless``: those that stay empty, for no
    frame of their shot is coloured, by shot. ``recipes``: of all that are coloured or kept.
    ``is_new``: the key frames of ``past`` are not where they have to be, or not as they are now.
    ``unread``: name of the layer of ``past`` where it cannot be told what was painted on it since.
    """

    shots: list[list[int]]
    keys: list[KeyFrame]
    past: Past
    left: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    recipes: dict[int, str] = field(default_factory=dict)
    keyless: list[list[int]] = field(default_factory=list)
    is_new: bool = True
    unread: str = ""

    @property
    def times(self) -> list[int]:
        """Of all frames."""
        return [time for shot in self.shots for time in shot]

    def keys_of(self, shot: list[int]) -> list[KeyFrame]:
        """The coloured frames of a shot, in order."""
        return [key for key in self.keys if key.time in shot]

    def by_shot(self) -> list[tuple[list[KeyFrame], list[int]]]:
        """What goes to the backend for each shot: its key frames, and the times of its frames.

        The backend fills a key frame that has mere hints of its colours, so these go, too.
        """
        asked = {*self.left, *(key.time for key in self.keys)}
        parts = [(self.keys_of(shot), [t for t in shot if t in asked]) for shot in self.shots]
        return [(keys, times) for keys, times in parts if keys]


def colour_layer(document: Any, chosen: str, line: str, own: list[str]) -> Any:
    """The layer with the coloured frames: the chosen one, else the most likely one.

    ``chosen``, ``line``: identities of layers or "". Raises `NuriError`: not_found, bad_input
    (lines and colours are the same layer).
    """
    node = layers.find(document, chosen) if chosen else None
    if node is None:
        node = guess.hint_layer(document, line, own)
    if node is None:
        raise NuriError(
            ErrorCode.not_found,
            "There is no layer with coloured frames yet",
            "add a layer, colour one or two of its frames, and choose it under Hints",
        )
    if layers.uid_of(node) == line:
        raise NuriError(
            ErrorCode.bad_input,
            f'The layer "{node.name()}" is chosen for the lines and for the colours',
            "choose two different layers in the Nuri docker",
        )
    return node


def make_plan(
    timeline: Timeline,
    line: str,
    colours: str,
    past: Past,
    shots: list[list[int]],
    selected: bool = False,
    manner: str = "",
) -> Work:
    """Looks at all frames; returns `Plan`. ``line``, ``colours``: identities of the layers;
    ``past``: of `made.latest`; ``shots``: the times of each. ``selected``: frames that are not
    selected in the timeline stay as they were, or empty. ``manner``: how it is coloured; frames of
    another are coloured again.

    Raises `NuriError`: bad_input (no key frames, none coloured), too_large, not_found.
    """
    times = timeline.times(line)
    if not times:
        name = layers.require(timeline.document, line).name()
        raise NuriError(
            ErrorCode.bad_input,
            f'The layer "{name}" has no key frames',
            "choose the animated layer with the lines; Colorize layer is for a single picture",
        )
    most = MOST_KEYS * len(shots)
    keys, found = yield from coloured_frames(timeline, line, colours, past, most)
    if not keys:
        name = layers.require(timeline.document, colours).name()
        raise NuriError(
            ErrorCode.bad_input,
            f'No frame of the layer "{name}" is coloured',
            "colour one or two frames on it, better the first and the last",
        )
    plan = Plan(shots, [keys[time] for time in sorted(keys)], past)
    if any(len(plan.keys_of(shot)) > MOST_KEYS for shot in shots):
        raise NuriError(
            ErrorCode.too_large,
            f"More than {MOST_KEYS} frames are coloured" + " in one shot" * (len(shots) > 1),
            "colour a shorter part of the animation at a time",
        )
    wanted = shown_in(times, timeline.span) if selected and timeline.span else set(times)
    yield from _sort_frames(timeline, line, plan, found.unchanged, wanted, manner)
    if found.area is None:
        plan.unread = layers.require(timeline.document, past.layer).name()
    is_same = past.frames.keys() == {0, *times} and found.unchanged.issuperset(keys)
    plan.is_new = not is_same or any(_is_stale(plan, time) for time in keys)
    return plan


def _sort_frames(
    timeline: Timeline, line: str, plan: Plan, unchanged: set[int], wanted: set[int], manner: str
) -> Work:
    """Fills the lists of a plan. ``unchanged``: times of frames of the last result where nobody
    has painted; ``wanted``: of frames that shall be coloured if they have to.
    """
    past, keys = plan.past, {}
    for key in plan.keys:
        keys[key.time] = yield from in_thread(JOBS, made.digest, key.seen.data, key.line.data)
    there = past.frames.keys() & set(timeline.times(past.layer) if past.layer else ())
    for shot in plan.shots:
        names = [(time, keys[time]) for time in shot if time in keys]
        asked = [time for time in shot if time in wanted]
        if asked and not names:
            plan.keyless.append(asked)
        for time in shot:
            if time in keys:
                plan.recipes[time] = made.digest(keys[time], manner)
            elif time not in wanted:
                if time in there and past.frames[time].source != "empty":
                    plan.recipes[time] = past.frames[time].recipe
                    plan.kept.append(time)
            elif names:
                pixels = yield from timeline.read(line, time, SRGB8)
                drawn = yield from in_thread(JOBS, made.digest, pixels.data)
                plan.recipes[time] = made.recipe(drawn, time, names, manner)
                is_stale = time not in unchanged or _is_stale(plan, time)
                (plan.left if is_stale else plan.kept).append(time)


def _is_stale(plan: Plan, time: int) -> bool:
    """Whether a frame of the last result was made from something else."""
    return plan.past.frames[time].recipe != plan.recipes[time]


def coloured_frames(timeline: Timeline, line: str, colours: str, past: Past, most: int) -> Work:
    """The frames whose colours are the artist's: of the coloured layer, a few more than ``most`` at
    the most, and those of the last result that were corrected.

    Returns (`KeyFrame` by time, `Changes` of that result).
    """
    times = timeline.times(line)
    keys = yield from _read_keys(timeline, line, colours, times, most)
    found = yield from changes(timeline, past)
    for time in timeline.times(past.layer) if past.layer else ():
        then = past.frames.get(time)
        if time not in times or then is None:
            continue
        if time not in found.painted and then.source != "corrected":
            continue
        key = keys.get(time)
        # The coloured layer decides where it has a frame of its own that is newer.
        if key is not None and (yield from _painted_then(timeline, key, found)) != then.painted:
            continue
        corrected = yield from read_key(timeline, line, time, (past.layer, time), "corrected")
        corrected.painted = then.painted if key is None else key.painted
        if not (yield from is_blank(corrected.seen)):
            keys[time] = corrected
    return keys, found


def _painted_then(timeline: Timeline, key: KeyFrame, found: Changes) -> Work:
    """As `KeyFrame.painted`, on the canvas that the last result was made for; returns text."""
    if found.area is None or found.area == timeline.canvas:
        return key.painted
    seen = yield from timeline.read(*key.place, SRGB8, found.area)
    return (yield from in_thread(JOBS, made.digest, seen.data))


def opening(keys: list[KeyFrame], model: str, soft: bool) -> tuple[list[Plane], dict[str, Any]]:
    """What all frames of a job share: pictures and options."""
    planes: list[Plane] = []
    for number, key in enumerate(keys):
        planes.append(plane_of(f"key{number}", key.seen))
        planes.append(plane_of(f"line{number}", key.line))
        if key.seen is not key.colours:
            planes.append(plane_of(f"exact{number}", key.colours))
    times = [key.time for key in keys]
    return planes, {"keys": times, "outputs": ["flats", "confidence"], "model": model, "soft": soft}


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
