"""Frames of an earlier result that the artist has painted on, after the canvas has changed."""

from __future__ import annotations

from nuri_test_hook.shot import TIMES, colorize, make

_TIMES = TIMES[:6]


def _correct(stage, shot, result, time, shift=(0, 0)):
    """Paints into a room of a frame; returns the picture."""
    yield from shot.move_to(result, time)
    x, y = shot.rooms[time][0]
    stage.fill(shot.document, result, shot.second, x + shift[0], y + shift[1], 12, 12)
    stage.refresh(shot.document)
    yield 100
    return shot.read(result, time)


def check_corrections_before_and_after_the_canvas_was_resized(stage):
    """They are followed wherever the canvas has gone, on key frames as well."""
    shot = yield from make(stage, times=_TIMES)
    document, move = shot.document, (24, 10)
    assert "4 frames coloured from 2" in (yield from colorize(stage))[1]
    result = document.nodeByName("Colours")
    yield from _correct(stage, shot, result, _TIMES[2])
    yield from _correct(stage, shot, result, _TIMES[0])
    document.resizeImage(-move[0], -move[1], 400, 300)
    document.waitForDone()
    last = yield from _correct(stage, shot, result, _TIMES[3], move)
    painted = {time: shot.read(result, time) for time in (_TIMES[0], _TIMES[2])}
    kind, message, *_ = yield from colorize(stage)
    assert kind == "done" and "coloured from 4 (3 corrected by you)" in message, message
    second = document.nodeByName("Colours 2")
    for time, pixels in {**painted, _TIMES[3]: last}.items():
        assert shot.read(second, time) == pixels, time
    assert "up to date" in (yield from colorize(stage))[1]
    # On a smaller canvas, which cuts nothing off the layers.
    document.resizeImage(10, 6, 380, 280)
    document.waitForDone()
    yield 300
    kind, message, *_ = yield from colorize(stage)
    assert kind == "done" and "(3 corrected by you)" in message, message


def check_what_cannot_be_compared_is_told(stage):
    """And the old layer stays, for there may be work on it."""
    shot = yield from make(stage, times=_TIMES)
    document, actions = shot.document, stage.actions()
    assert "4 frames coloured from 2" in (yield from colorize(stage))[1]
    result = document.nodeByName("Colours")
    yield from _correct(stage, shot, result, _TIMES[2])
    document.setColorSpace("RGBA", "U16", document.colorProfile())
    document.waitForDone()
    yield 300
    actions.set_flag("replace_previous", True)
    try:
        kind, message, remedy, _ = yield from colorize(stage)
    finally:
        actions.set_flag("replace_previous", False)
    assert kind == "advice" and "4 frames coloured from 2" in message, message
    assert '"Colours"' in remedy and "not followed" in remedy, remedy
    names = stage.names(document.rootNode())
    assert "Colours" in names and "Colours 2" in names, names
