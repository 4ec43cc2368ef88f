"""Which frames of an animation are coloured, which have to be, and which can stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from protocol.errors import ErrorCode, NuriError
from protocol.pixels import Plane

from .. import guess, layers, made
from ..made import Past
from ..pixels.colourspace import SRGB8
from ..pixels.rows import Pixels, plane_of
from ..steps import Work
from ..threads import JOBS, in_thread
from ..timeline import Timeline, shown_in
from .corrections import Changes
from .key_frames import KeyFrame, coloured_frames

SELECTED_FRAMES = "selected_frames"  # the option that leaves out what is not selected
# Three pictures each travel in one message, which may hold 64.
MOST_KEYS = 20


@dataclass
class Plan:
    """``shots``: the times of each, in order. ``left``: times of the frames to colour. ``kept``:
    those that stay as they are in the result ``past``, whose frames are noted where they are now;
    ``moved``: where they were. ``blank``: those that stay empty, for nothing is drawn there;
    ``keyless``: for no frame of their shot is coloured, by shot. ``recipes``: of all that are
    coloured or kept. ``is_new``: the key frames of ``past`` are not where they have to be, or not
    as they are now.

    ``former``: name of the layer of ``past``. It stays where it ``is_unread``, as it cannot be told
    what was painted on it since, and where it has painted frames ``astray``, as in `Changes`.
    """

    shots: list[list[int]]
    keys: list[KeyFrame]
    past: Past
    left: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    recipes: dict[int, str] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    blank: list[int] = field(default_factory=list)
    keyless: list[list[int]] = field(default_factory=list)
    is_new: bool = True
    former: str = ""
    is_unread: bool = False
    astray: list[int] = field(default_factory=list)

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
    plan = Plan(shots, [keys[time] for time in sorted(keys)], replace(past, frames=found.frames))
    plan.moved, plan.astray, plan.is_unread = found.moved, found.astray, found.area is None
    if past.layer:
        plan.former = layers.require(timeline.document, past.layer).name()
    if any(len(plan.keys_of(shot)) > MOST_KEYS for shot in shots):
        raise NuriError(
            ErrorCode.too_large,
            f"More than {MOST_KEYS} frames are coloured" + " in one shot" * (len(shots) > 1),
            "colour a shorter part of the animation at a time",
        )
    wanted = shown_in(times, timeline.span) if selected and timeline.span else set(times)
    yield from _sort_frames(timeline, line, plan, found.unchanged, wanted, manner)
    plan.is_new = not _is_same(plan, found, times)
    return plan


def _is_same(plan: Plan, found: Changes, times: list[int]) -> bool:
    """Whether the last result has the key frames of the lines, coloured or empty as now."""
    frames, keys = plan.past.frames, [key.time for key in plan.keys]
    if frames.keys() != {0, *times} or not found.unchanged.issuperset(keys):
        return False
    is_empty = all(frames[time].source == "empty" for time in plan.blank)
    return is_empty and not any(_is_stale(plan, time) for time in keys)


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
        keyless = []
        for time in shot:
            if time in keys:
                plan.recipes[time] = made.digest(keys[time], manner)
                continue
            if time not in wanted:
                if time in there and past.frames[time].source != "empty":
                    plan.recipes[time] = past.frames[time].recipe
                    plan.kept.append(time)
                continue
            pixels = yield from timeline.read(line, time, SRGB8)
            drawn = yield from in_thread(JOBS, _drawn, pixels)
            if not drawn:
                plan.blank.append(time)
            elif not names:
                keyless.append(time)
            else:
                plan.recipes[time] = made.recipe(drawn, time, names, manner)
                is_stale = time not in unchanged or _is_stale(plan, time)
                (plan.left if is_stale else plan.kept).append(time)
        if keyless:
            plan.keyless.append(keyless)


def _drawn(line: Pixels) -> str:
    """A short name of what is drawn on a frame in bgra8; "" for nothing, or even paper."""
    data, size = bytes(line.data), 4 * line.width
    even = data[:4] * line.width
    if all(data[start : start + size] == even for start in range(0, len(data), size)):
        return ""
    # What was rubbed out keeps its colour.
    return made.digest(data) if data[3::4].strip(b"\0") else ""


def _is_stale(plan: Plan, time: int) -> bool:
    """Whether a frame of the last result was made from something else."""
    return plan.past.frames[time].recipe != plan.recipes[time]


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
