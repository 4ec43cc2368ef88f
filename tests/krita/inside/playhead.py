"""An animation is coloured as it was shown when that was asked for, wherever the playhead goes."""

from __future__ import annotations

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.shot import make
from nuri_test_hook.stage import kill_daemon

from nuri import references
from nuri.pixels.snapshot import Snapshot

_TIMES = (0, 2, 4, 6)


def _lefts(shot, pixels):
    """Where the paint of a colour layer begins in the row through the first room."""
    width, y = shot.document.width(), shot.rooms[0][0][1]
    row = pixels[4 * width * y : 4 * width * (y + 1)]
    return next(x for x in range(width) if row[4 * x + 3])


def _ask_and_move(stage, document, action, time):
    """A menu action, waited for; the playhead moves before the backend has started."""
    kill_daemon()
    yield 200
    stage.trigger(action)
    desk = stage.actions().desk()
    yield 100
    assert desk.job.stage == "Connecting to the backend", desk.job.stage
    document.setCurrentTime(time)
    document.waitForDone()
    yield from stage.until(lambda: desk.job is None, 90, "the colours")
    yield 100


def check_playhead_moved_while_the_backend_starts(stage):
    shot = yield from make(stage, times=_TIMES)
    document = shot.document
    hints = stage.layer(document, "Nuri hints")
    for colour, (x, y) in zip(SPACES["rgba8"][2:], shot.rooms[0][:2], strict=True):
        stage.fill(document, hints, colour, x - 2, y - 2, 5, 5)
    yield from shot.move_to(hints, 0)
    stage.refresh(document)
    stage.actions().desk().hints = hints.uniqueId().toString()
    yield from _ask_and_move(stage, document, "nuri_colorize_layer", 6)
    assert stage.notice()[0] == "done", stage.notice()
    assert document.currentTime() == 6
    begins = _lefts(shot, stage.pixels(document, document.nodeByName("Colours")))
    first, last = (shot.rooms[time][2][0] for time in (0, 6))
    assert first <= begins < last, (first, begins, last)


def check_playhead_moved_while_the_lines_are_read(stage):
    shot = yield from make(stage, width=1600, height=1200, times=_TIMES)
    document, uid = shot.document, shot.line.uniqueId().toString()
    yield from shot.move_to(shot.line, 0)
    expected = shot.read(shot.line, 0)
    assert expected != shot.read(shot.line, 6)
    with Snapshot(document, uid, progress=lambda part: None) as snapshot:
        work = snapshot.read_line(uid)
        steps = 0
        try:
            while True:
                next(work)
                steps += 1
                if steps == 2:
                    document.setCurrentTime(6)
                    document.waitForDone()
                yield 0
        except StopIteration as end:
            pixels = end.value
    assert steps > 3
    assert bytes(pixels.data) == expected


def check_a_still_colour_layer_belongs_to_the_frame_that_was_shown(stage):
    shot = yield from make(stage, times=_TIMES, painted=())
    document = shot.document
    shot.colour.remove()
    still = stage.layer(document, "Colour hints")
    left, middle, right, top, bottom = shot.rooms[4][2]
    stage.fill(document, still, shot.first, left, top, middle - left, bottom - top)
    stage.fill(document, still, shot.second, middle, top, right - middle, bottom - top)
    yield from shot.move_to(shot.line, 4)
    stage.refresh(document)
    yield from _ask_and_move(stage, document, "nuri_colorize_animation", 0)
    assert "3 frames coloured from 1" in stage.notice()[1], stage.notice()
    result = document.nodeByName("Colours")
    size = document.width(), document.height()
    assert shot.read(result, 4) == bytes(still.pixelData(0, 0, *size))


def check_an_animated_reference_is_read_at_the_time_of_the_request(stage):
    shot = yield from make(stage, times=_TIMES)
    document = shot.document
    yield from shot.move_to(shot.line, 6)
    plane = yield from references.read(references.of_layer(document, shot.colour), "r", 0)
    left, _, _, top, _ = shot.rooms[0][2]
    row = 4 * plane.width * (top + 10 - plane.y)
    alpha = bytes(plane.data)[row : row + 4 * plane.width][3::4]
    assert plane.x + alpha.index(255) == left < shot.rooms[6][2][0]
    assert document.currentTime() == 6
