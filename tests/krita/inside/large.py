"""How long Krita's event loop is held up at 4096 x 4096; measured and noted, not asserted."""

from __future__ import annotations

import time

from nuri_test_hook.pictures import SPACES, Rooms
from nuri_test_hook.shot import TIMES, make
from nuri_test_hook.stage import GapWatch

SIDE = 4096


def _large(stage):
    document = stage.document(SIDE, SIDE)
    line = stage.layer(document, "Ink")
    rooms = Rooms(SIDE, SIDE, thickness=12)
    for rectangle in rooms.lines():
        stage.fill(document, line, SPACES["rgba8"][1], *rectangle)
    hints = stage.layer(document, "Hints")
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield 1500
    return document, rooms


def check_event_loop(stage):
    """Facts: the longest gaps while colouring, beside those of Krita left alone."""
    document, rooms = yield from _large(stage)
    before = stage.fingerprint(document)
    watch = GapWatch()
    yield 1500
    idle = watch.stop()[:3]
    for round_ in (1, 2):
        watch, began = GapWatch(), time.monotonic()
        trace = stage.trace_stages(watch)
        notice = yield from stage.colorize(120)
        seconds = time.monotonic() - began
        gaps = watch.stop()
        assert notice[0] == "done", notice
        name = "Colours" if round_ == 1 else "Colours 2"
        assert stage.pixel(document.nodeByName(name), *rooms.first) == SPACES["rgba8"][2]
    assert stage.fingerprint(document, skip=["Colours", "Colours 2"]) == before
    stage.screenshot("large")
    return {
        "idle ms": [round(gap, 1) for gap in idle],
        "colouring ms": [round(gap, 1) for gap in gaps[:8]],
        "over 50 ms": sum(gap > 50 for gap in gaps),
        "longest gap by stage ms": trace,
        "seconds": round(seconds, 2),
    }


def check_cancel_while_computing(stage):
    """Cancel in the middle of real work of the daemon."""
    document, _ = yield from _large(stage)
    before = stage.fingerprint(document)
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None or desk.job.job_id, 30, "the job to be sent")
    yield 200
    began = time.monotonic()
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 20, "the end of the cancelled job")
    seconds = time.monotonic() - began
    assert "cancelled" in stage.notice()[1], stage.notice()
    yield 500
    assert stage.fingerprint(document) == before
    return {"cancel seconds": round(seconds, 2)}


def check_event_loop_of_an_animation(stage):
    """Facts: the longest gaps while eight frames of 2048 x 2048 go through, and the memory."""
    shot = yield from make(stage, width=2048, height=2048, times=TIMES[:8])
    yield 1500
    watch = GapWatch()
    yield 1500
    idle = watch.stop()[:3]
    memory = _resident()
    watch, began = GapWatch(), time.monotonic()
    trace = stage.trace_stages(watch)
    peak = memory
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    while desk.job is not None:
        peak = max(peak, _resident())
        yield 50
    seconds = time.monotonic() - began
    gaps = watch.stop()
    assert stage.notice()[0] == "done", stage.notice()
    assert shot.keys(shot.document.nodeByName("Colours")) == list(TIMES[:8])
    longest = dict(sorted(trace.items(), key=lambda entry: -entry[1])[:6])
    return {
        "idle ms": [round(gap, 1) for gap in idle],
        "colouring ms": [round(gap, 1) for gap in gaps[:8]],
        "over 50 ms": sum(gap > 50 for gap in gaps),
        "longest gap by stage ms": longest,
        "seconds": round(seconds, 2),
        "megabytes more": (peak - memory) >> 20,
    }


def _resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
