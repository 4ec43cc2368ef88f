"""Key frames without a drawing, as Krita makes one at 0: they stay empty and are done with."""

from __future__ import annotations

from nuri_test_hook.shot import colorize, make

_TIMES = (0, 2, 4, 6)
_SIZE = 320, 240


def _clear(stage, shot, time, pixel=bytes(4)):
    yield from shot.move_to(shot.line, time)
    stage.fill(shot.document, shot.line, pixel, 0, 0, *_SIZE)
    stage.refresh(shot.document)
    yield 100


def check_a_blank_first_frame(stage):
    shot = yield from make(stage, times=_TIMES, painted=_TIMES[1:2])
    yield from _clear(stage, shot, 0)
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "2 frames coloured from 1"), notice
    result = shot.document.nodeByName("Colours")
    assert shot.keys(result) == list(_TIMES)
    assert not any(shot.read(result, 0))
    assert "up to date" in (yield from colorize(stage))[1]
    # The lines of another frame change: that one alone is due.
    yield from shot.move_to(shot.line, 4)
    stage.fill(shot.document, shot.line, shot.ink, 4, 4, 6, 6)
    stage.refresh(shot.document)
    yield 100
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "1 frame coloured from 1, 1 kept"), notice


def check_rubbed_out_and_even_paper(stage):
    """What was rubbed out keeps its colour in the pixels; a page without lines is no drawing."""
    shot = yield from make(stage, times=_TIMES, painted=_TIMES[3:])
    yield from _clear(stage, shot, 0, b"\xff\xff\xff\xff")
    yield from _clear(stage, shot, 2, b"\x10\x20\x30\0")
    stage.fill(shot.document, shot.line, b"\x40\x20\x30\0", 0, 0, 40, 40)
    kind, message, remedy, _ = yield from colorize(stage)
    # The one at 0 may be Krita's; any other is told, as it may be a slip.
    assert (kind, message) == ("advice", "1 frame coloured from 1, 1 left empty")
    assert remedy == "The line art is blank: frame 2", remedy
    assert "up to date" in (yield from colorize(stage))[1]


def check_lines_that_are_rubbed_out_lose_their_colours(stage):
    shot = yield from make(stage, times=_TIMES)
    assert "2 frames coloured from 2" in (yield from colorize(stage))[1]
    yield from _clear(stage, shot, 2)
    notice = yield from colorize(stage)
    assert "1 kept, 1 left empty" in notice[1], notice
    second = shot.document.nodeByName("Colours 2")
    assert not any(shot.read(second, 2))
    assert any(shot.read(second, 4))
    assert "up to date" in (yield from colorize(stage))[1]


def check_a_blank_frame_of_a_shot_of_its_own_waits_for_nothing(stage):
    shot = yield from make(stage, times=_TIMES, painted=_TIMES[1:2])
    yield from _clear(stage, shot, 0)
    actions = stage.actions()
    actions.set_flag("several_shots", True)
    try:
        notice = yield from colorize(stage)
        assert notice[0] == "done" and "without a coloured" not in notice[1], notice
        assert "up to date" in (yield from colorize(stage))[1]
    finally:
        actions.set_flag("several_shots", False)
