"""The end of an animation: its frames come into the document, whatever has changed there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from protocol.errors import ErrorCode, NuriError

from .. import layers, made
from ..document import FOR_EVER, LAYER_NAME, Added, find_document, when_idle
from ..jobs.request import Request
from ..made import Made, Past
from ..pixels.colourspace import travel_space
from ..steps import Work
from ..timeline import Timeline
from . import doubts
from .plan import Plan
from .refit import refit
from .report import Count
from .sheet import FrameSheet, add_frames

_CORNERS = 5  # frames whose places are noted


def write_known(sheet: FrameSheet, plan: Plan, count: Count) -> Work:
    """The frames that need no backend: coloured by the artist, or good as they were."""
    for key in plan.keys:
        if key.time not in count.filled:
            yield from sheet.write(key.time, key.colours)
    native = travel_space(sheet.timeline.space)
    for moment in plan.kept:
        pixels = yield from sheet.timeline.read(plan.past.layer, moment, native)
        yield from sheet.write(moment, pixels)


def add_result(
    request: Request,
    sheet: FrameSheet,
    plan: Plan,
    count: Count,
    on_paper: bool,
    added: Added,
) -> Work:
    """Adds the frames of ``sheet`` as a layer, in one undo step, and notes them; returns `Past`.

    Where the artist has changed the canvas, the colour space or the key frames of the lines
    meanwhile, they are brought there. ``on_paper``: the lines are drawn on opaque paper; ``added``
    hears the identity of the layer.
    Raises `NuriError`: not_found (document closed), bad_input (they belong nowhere now).
    """

    def place(document: Any) -> layers.Place:
        line = layers.find(document, request.line)
        # Lines that have been deleted meanwhile cost nothing.
        return layers.on_top(document) if line is None else layers.place_colours(line, on_paper)

    with ExitStack() as opened:
        while True:
            frames = yield from _note(sheet, plan, count)
            corners = yield from _corners(sheet)
            layer = yield from add_frames(request.document, sheet, LAYER_NAME, place, added)
            if layer:
                break
            document = yield from when_idle(request.document, FOR_EVER)
            now = opened.enter_context(Timeline(document))
            is_there = layers.find(now.document, request.line) is not None
            times = now.times(request.line) if is_there else sheet.times
            newer = opened.enter_context(FrameSheet(now, request.line, times))
            if not (yield from refit(sheet, newer, (request.line, request.hints))):
                raise _lost(len(count.done))
            sheet = newer
        result = Past(layer, frames, sheet.timeline.view, corners)
    if (document := find_document(request.document)) is not None:
        masks = doubts.masks_of(document, plan.past.layer)
        places = {time: plan.moved.get(time, time) for time in plan.kept}
        masks = {time: masks[then] for time, then in places.items() if then in masks} | count.masks
        made.remember(document, request.line, result)
        doubts.remember(document, layer, masks)
    return result


def _note(sheet: FrameSheet, plan: Plan, count: Count) -> Work:
    """What a later run has to know of the frames, by time; returns a dict of `Made`."""
    frames: dict[int, Made] = {}
    keys = {key.time: key for key in plan.keys}
    for time in sheet.times:
        name = yield from sheet.digest(time)
        recipe, doubtful = plan.recipes.get(time, ""), count.doubts.get(time, 0)
        if time in keys:
            key = keys[time]
            frames[time] = Made(recipe, name, key.source, key.painted, doubtful)
        elif time in plan.kept:
            frames[time] = Made(recipe, name, "made", doubts=plan.past.frames[time].doubts)
        elif time in count.done:
            frames[time] = Made(recipe, name, "made", doubts=doubtful)
        else:
            frames[time] = Made("", name, "empty")
    return frames


def _corners(sheet: FrameSheet) -> Work:
    """Where some of the frames begin; returns (x, y) by time."""
    found: dict[int, tuple[int, int]] = {}
    times = sorted(sheet.written.intersection(sheet.times))
    for time in times[:: max(1, len(times) // _CORNERS)]:
        if (corner := sheet.corner(time)) is not None:
            found[time] = corner
        yield 0
    return found


def _lost(done: int) -> NuriError:
    frames = f"{done} finished frame{'s' if done != 1 else ''}"
    return NuriError(
        ErrorCode.bad_input,
        f"The canvas has another size by now, and its lines are not the same: {frames} fit no more",
        "choose Colorize animation again, and change the canvas before it or when it has ended",
    )
