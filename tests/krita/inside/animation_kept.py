"""Colorize animation: frames that are finished come into the document, whatever happens then."""

from __future__ import annotations

import os

from nuri_test_hook.processes import held, worker_pid
from nuri_test_hook.shot import TIMES, colorize, colorize_until, make
from nuri_test_hook.stage import SleepingBackend, kill_daemon

from nuri import document as documents


def _finished_are_there(stage, shot, desk):
    """Some frames but not all have been added; returns the notice."""
    yield from stage.until(lambda: desk.job is None, 60, "the end")
    yield 200
    result = shot.document.nodeByName("Colours")
    assert result is not None, stage.notice()
    there = [time for time in TIMES if any(shot.read(result, time))]
    assert 5 <= len(there) < len(TIMES), there
    assert "are missing" in stage.notice()[1], stage.notice()
    return stage.notice()


def check_backend_does_not_start_again(stage):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    backend = os.environ["NURI_BACKEND"]
    os.environ["NURI_BACKEND"] = "/bin/false"
    try:
        kill_daemon()
        kind, _, remedy, _ = yield from _finished_are_there(stage, shot, desk)
    finally:
        os.environ["NURI_BACKEND"] = backend
    assert kind == "error" and "did not start" in remedy, remedy
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice


def check_cancel_while_the_backend_starts_again(stage):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    with SleepingBackend(stage.root):
        kill_daemon()
        state = lambda: stage.actions().backend.state.name  # noqa: E731
        yield from stage.until(lambda: state() == "starting", 20, "the start")
        stage.trigger("nuri_cancel_colouring")
        kind, _, remedy, _ = yield from _finished_are_there(stage, shot, desk)
    assert kind == "advice" and "finished frames are there" in remedy, remedy


def check_a_stroke_while_the_layer_is_added(stage):
    """Longer than other jobs wait for it; and it is too late to cancel."""
    yield from stage.resize_window(1400, 900)
    shot = yield from make(stage, times=TIMES[:8])
    sketch = stage.layer(shot.document, "Sketch")
    stage.krita.action("zoom_to_100pct").trigger()
    yield from stage.activate(shot.document, sketch)
    patience = documents.when_idle.__defaults__
    desk = yield from colorize_until(stage, 2)
    with held(worker_pid()):
        x, y, width, height = stage.places()["canvas"]
        yield from stage.mouse("mousemove", x + width // 2, y + height // 2)
        yield from stage.mouse("mousedown", 1)
        yield from stage.mouse("mousemove", x + width // 2 + 30, y + height // 2)
    try:
        documents.when_idle.__defaults__ = (300,)
        is_adding = lambda: desk.job is None or "Adding" in desk.job.stage  # noqa: E731
        yield from stage.until(is_adding, 60, "the end of the frames")
        yield 1500
        stage.trigger("nuri_cancel_colouring")
        yield 500
        assert desk.job is not None, desk.notice
        assert shot.document.nodeByName("Colours") is None
    finally:
        documents.when_idle.__defaults__ = patience
        yield from stage.mouse("mouseup", 1)
    yield from stage.until(lambda: desk.job is None, 20, "the layer")
    yield 200
    assert stage.notice()[:2] == ("done", "6 frames coloured from 2"), stage.notice()
    shot.check_rooms(shot.document.nodeByName("Colours"), TIMES[:8])
