"""Colorize animation when the backend dies, the document closes, or the input is bad."""

from __future__ import annotations

import os
import signal

from nuri_test_hook.processes import held, worker_pid
from nuri_test_hook.shot import TIMES, colorize, colorize_until, make
from nuri_test_hook.stage import daemon_pid


def _killed(stage, process):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    os.kill(process(), signal.SIGKILL)
    yield from stage.until(lambda: desk.job is None, 90, "the end")
    yield 200
    assert stage.notice()[0] == "done", stage.notice()
    shot.check_result(shot.document.nodeByName("Colours"))


def check_worker_killed_in_the_middle(stage):
    yield from _killed(stage, worker_pid)


def check_daemon_killed_in_the_middle(stage):
    yield from _killed(stage, daemon_pid)


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
    with held(worker_pid()):
        yield from stage.close(shot.document)
        yield from stage.until(lambda: desk.job is None, 60, "the end")
    yield 200
    assert "closed" in desk.notice.message, desk.notice
