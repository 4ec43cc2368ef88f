"""Colorize animation when the backend dies, the document closes, or the input is bad."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from nuri_test_hook.shot import TIMES, colorize, colorize_until, make

CONNECTION = Path(os.environ["NURI_CONNECTION"])


def _kill(which):
    daemon = json.loads(CONNECTION.read_text())["pid"]
    if which == "daemon":
        os.kill(daemon, signal.SIGKILL)
        return
    children = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    for child in children:
        if "backend.daemon.worker" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(int(child), signal.SIGKILL)
            return
    raise AssertionError("no worker")


def _killed(stage, which):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    _kill(which)
    yield from stage.until(lambda: desk.job is None, 90, "the end")
    yield 200
    assert stage.notice()[0] == "done", stage.notice()
    shot.check_result(shot.document.nodeByName("Colours"))


def check_worker_killed_in_the_middle(stage):
    yield from _killed(stage, "worker")


def check_daemon_killed_in_the_middle(stage):
    yield from _killed(stage, "daemon")


def check_blank_frames_stay_empty_and_are_told(stage):
    """Hidden and locked layers are read all the same and stay as they are."""
    shot = yield from make(stage, times=TIMES[:6])
    yield from shot.add_frame(shot.line, 40)
    yield from shot.move_to(shot.line, 3)
    shot.line.setLocked(True)
    shot.colour.setVisible(False)
    stage.refresh(shot.document)
    yield 100
    notice = yield from colorize(stage)
    assert notice[0] == "advice", notice
    assert "4 frames coloured from 2, 1 left empty" in notice[1]
    assert "blank" in notice[2] and "40" in notice[2]
    result = shot.document.nodeByName("Colours")
    assert shot.keys(result) == [*TIMES[:6], 40]
    assert not any(shot.read(result, 40))
    assert shot.line.locked() and not shot.colour.visible()
    assert not result.locked() and result.visible()


def check_coloured_frames_without_lines_are_named(stage):
    """With what to do about it; the others are followed all the same."""
    shot = yield from make(stage, times=TIMES[:5])
    yield from shot.add_frame(shot.line, 40)
    yield from shot.add_frame(shot.colour, 40)
    stage.fill(shot.document, shot.colour, shot.second, 30, 30, 100, 100)
    yield from shot.move_to(shot.line, 3)
    stage.refresh(shot.document)
    yield 100
    kind, message, remedy, _ = yield from colorize(stage)
    assert kind == "advice", message
    assert "3 frames coloured from 3 (1 of no use)" in message, message
    assert "Frame 40: its line frame is blank" in remedy and "draw its lines" in remedy, remedy


def _ends(stage, desk):
    yield from stage.until(lambda: desk.job is None, 120, "the end")
    yield 300
    return stage.notice()


def check_canvas_resized_meanwhile(stage):
    """Nothing is lost: the frames are where the lines are by now."""
    shot = yield from make(stage)
    document = shot.document
    desk = yield from colorize_until(stage, 4)
    document.resizeImage(-24, -10, 400, 300)
    document.waitForDone()
    steps = stage.history()
    notice = yield from _ends(stage, desk)
    assert notice[:2] == ("done", "22 frames coloured from 2"), notice
    result = document.nodeByName("Colours")
    assert shot.keys(result) == list(TIMES)
    right = shot.check_rooms(result, TIMES, (24, 10))
    for time in (TIMES[0], TIMES[-1]):
        assert shot.read(result, time) == shot.read(shot.colour, time), time
    assert stage.history() == [*steps, "Add Layer"]
    notice = yield from colorize(stage)
    assert notice[0] == "done" and "corrected" not in notice[1], notice
    shot.check_rooms(document.nodeByName("Colours 2"), TIMES, (24, 10))
    return {"right": right}


def check_image_cropped_meanwhile(stage):
    """Lines are cut off on both sides in each frame."""
    shot = yield from make(stage, times=TIMES[:8])
    document = shot.document
    desk = yield from colorize_until(stage, 2)
    document.crop(30, 20, 200, 180)
    document.waitForDone()
    notice = yield from _ends(stage, desk)
    assert notice[:2] == ("done", "6 frames coloured from 2"), notice
    result = document.nodeByName("Colours")
    shot.check_rooms(result, TIMES[:8], (-30, -20))
    assert shot.read(result, TIMES[0]) == shot.read(shot.colour, TIMES[0])


def check_image_scaled_meanwhile(stage):
    """The frames fit no more, and that is said; nothing is added."""
    shot = yield from make(stage, times=TIMES[:8])
    desk = yield from colorize_until(stage, 2)
    shot.document.scaleImage(200, 150, 72, 72, "Bicubic")
    shot.document.waitForDone()
    before, steps = shot.artist(), stage.history()
    kind, message, remedy, _ = yield from _ends(stage, desk)
    assert kind == "error"
    assert "another size" in message and "6 finished frames" in message, message
    assert "Colorize animation again" in remedy
    assert (shot.artist(), stage.history()) == (before, steps)


def _words(pixels):
    return memoryview(pixels).cast("H")


def check_image_converted_meanwhile(stage):
    """The frames come in the colour space that the image has by now."""
    shot = yield from make(stage, times=TIMES[:8])
    document = shot.document
    desk = yield from colorize_until(stage, 2)
    document.setColorSpace("RGBA", "U16", document.colorProfile())
    document.waitForDone()
    notice = yield from _ends(stage, desk)
    assert notice[:2] == ("done", "6 frames coloured from 2"), notice
    result = document.nodeByName("Colours")
    assert result.colorDepth() == "U16"
    # Krita rounds a little otherwise when it converts a whole image.
    painted, pixels = (shot.read(node, TIMES[0]) for node in (shot.colour, result))
    values = zip(_words(painted), _words(pixels), strict=True)
    assert max(abs(one - other) for one, other in values) < 16
    shot.first, shot.second = (shot.at(pixels, place) for place in shot.rooms[TIMES[0]][:2])
    shot.check_rooms(result, TIMES[:8])
    assert shot.colours_in(shot.read(result, TIMES[3])) <= {shot.first, shot.second}
    notice = yield from colorize(stage)
    assert "corrected" not in notice[1], notice


def check_key_frames_changed_meanwhile(stage):
    """New key frames of the lines are empty and named, those that are gone are gone."""
    shot = yield from make(stage)
    document = shot.document
    desk = yield from colorize_until(stage, 4)
    added, gone = 7, TIMES[20]
    yield from shot.draw_line(added, 6)
    yield from shot.remove_frame(shot.line, gone)
    yield from shot.move_to(shot.line, 3)
    stage.refresh(document)
    assert desk.job is not None, desk.notice
    kind, message, remedy, _ = yield from _ends(stage, desk)
    assert kind == "advice", message
    assert "22 frames coloured from 2; 1 new in the lines" in message, message
    assert f"again for frame {added}" in remedy, remedy
    result = document.nodeByName("Colours")
    there = sorted({*TIMES, added} - {gone})
    assert shot.keys(result) == shot.keys(shot.line) == there
    assert not any(shot.read(result, added))
    shot.check_rooms(result, [time for time in there if time != added])
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "1 frame coloured from 2, 21 kept"), notice
    shot.check_rooms(document.nodeByName("Colours 2"), there)


def check_lines_deleted_meanwhile(stage):
    shot = yield from make(stage, times=TIMES[:6])
    desk = yield from colorize_until(stage, 2)
    shot.line.remove()
    notice = yield from _ends(stage, desk)
    assert notice[:2] == ("done", "4 frames coloured from 2"), notice
    assert stage.names(shot.document.rootNode()) == ["Background", "Paint", "Colours"]
    shot.check_rooms(shot.document.nodeByName("Colours"), TIMES[:6])


def _fails(stage, message):
    document = stage.krita.activeDocument()
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from colorize(stage)
    assert message in notice[1], notice
    assert notice[2], "no remedy"
    assert stage.fingerprint(document) == before
    assert stage.history() == steps


def check_bad_input(stage):
    shot = yield from make(stage, times=TIMES[:3], painted=())
    yield from _fails(stage, 'No frame of the layer "Paint" is coloured')
    stage.actions().desk().hints = stage.actions().desk().line = str(
        shot.line.uniqueId().toString()
    )
    yield from _fails(stage, "is chosen for the lines and for the colours")
    document = stage.document(64, 64)
    line = stage.layer(document, "Ink")
    stage.draw(document, line)
    yield 100
    yield from _fails(stage, "no layer with coloured frames")
    stage.hint(document, stage.layer(document, "Hints"), stage.draw(document, line))
    stage.refresh(document)
    yield 100
    yield from _fails(stage, 'The layer "Ink" has no key frames')


def check_document_closed_in_the_middle(stage):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 3)
    yield from stage.close(shot.document)
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 200
    assert "closed" in desk.notice.message, desk.notice
