"""Frames of a result that the artist added or moved, and painted: they stay, or are told of."""

from __future__ import annotations

from nuri_test_hook.shot import colorize, make

_TIMES = (0, 2, 4, 6)
_SIZE = 320, 240


def _paint(stage, shot, node, time, like):
    """The rooms of a frame, with their colours swapped; returns the picture."""
    # Krita's timeline may stay on a layer that is active while another is added.
    yield from shot.move_to(shot.line, time)
    left, middle, right, top, bottom = shot.rooms[like][2]
    for colour, start, end in ((shot.second, left, middle), (shot.first, middle, right)):
        stage.fill(shot.document, node, colour, start, top, end - start, bottom - top)
    stage.refresh(shot.document)
    yield 100
    return shot.read(node, time)


def _move(stage, shot, node, time, to):
    """A key frame elsewhere, as by dragging it in the timeline: the picture is the same."""
    pixels = shot.read(node, time)
    yield from stage.activate(shot.document, node)
    yield from shot.add_frame(node, to)
    node.setPixelData(pixels, 0, 0, *_SIZE)
    stage.refresh(shot.document)
    yield 50
    yield from shot.remove_frame(node, time)
    assert shot.read(node, to) == pixels
    yield from stage.activate(shot.document, shot.line)


def check_an_added_frame_stays(stage):
    """It is a key frame where the lines have one, too; the artist's old layer may go then."""
    shot = yield from make(stage, times=_TIMES)
    document, actions = shot.document, stage.actions()
    actions.set_flag("replace_previous", True)
    try:
        assert "2 frames coloured from 2" in (yield from colorize(stage))[1]
        result = document.nodeByName("Colours")
        yield from shot.draw_line(3, 2)
        yield from shot.add_frame(result, 3)
        painted = yield from _paint(stage, shot, result, 3, 3)
        # A blank one, which ends what is seen before it, is no paint.
        yield from shot.draw_line(5, 4)
        yield from shot.add_frame(result, 5)
        notice = yield from colorize(stage)
        assert "3 frames coloured from 3 (1 corrected by you)" in notice[1], notice
        second = document.nodeByName("Colours 2")
        assert shot.keys(second) == [0, 2, 3, 4, 5, 6]
        assert shot.read(second, 3) == painted
        assert any(shot.read(second, 5))
        assert document.nodeByName("Colours") is None
        assert "up to date" in (yield from colorize(stage))[1]
    finally:
        actions.set_flag("replace_previous", False)


def check_paint_that_fits_no_line_frame_is_told(stage):
    """And the layer that it is on stays."""
    shot = yield from make(stage, times=_TIMES)
    document, actions = shot.document, stage.actions()
    assert "2 frames coloured from 2" in (yield from colorize(stage))[1]
    result = document.nodeByName("Colours")
    corrected = yield from _paint(stage, shot, result, 4, 4)
    yield from shot.add_frame(result, 5)
    yield from _paint(stage, shot, result, 5, 4)
    yield from shot.remove_frame(shot.line, 4)
    actions.set_flag("replace_previous", True)
    try:
        kind, message, remedy, _ = yield from colorize(stage)
        assert kind == "advice", message
        assert 'frame 4, 5 of the layer "Colours"' in remedy and "not followed" in remedy, remedy
        assert shot.keys(document.nodeByName("Colours 2")) == [0, 2, 6]
        assert shot.read(document.nodeByName("Colours"), 4) == corrected
        assert "up to date" in (yield from colorize(stage))[1]
    finally:
        actions.set_flag("replace_previous", False)


def check_corrections_move_with_their_lines(stage):
    """What is the artist's stays so; what is Nuri's is not taken for the artist's."""
    shot = yield from make(stage, times=_TIMES)
    document = shot.document
    assert "2 frames coloured from 2" in (yield from colorize(stage))[1]
    yield from _paint(stage, shot, document.nodeByName("Colours"), 4, 4)
    assert "(1 corrected by you)" in (yield from colorize(stage))[1]
    second = document.nodeByName("Colours 2")
    corrected = shot.read(second, 4)
    for time, to in ((4, 5), (2, 3)):
        for node in (shot.line, second):
            yield from _move(stage, shot, node, time, to)
        shot.rooms[to] = shot.rooms[time]
    notice = yield from colorize(stage)
    assert "1 frame coloured from 3 (1 corrected by you)" in notice[1], notice
    third = document.nodeByName("Colours 3")
    assert shot.keys(third) == [0, 3, 5, 6]
    assert shot.read(third, 5) == corrected
    assert "up to date" in (yield from colorize(stage))[1]
    # One that moves where another was before, with paint that no run has seen yet.
    yield from shot.move_to(shot.line, 3)
    stage.fill(document, third, shot.ink, *shot.rooms[3][0], 12, 12)
    stage.refresh(document)
    fresh = shot.read(third, 3)
    for node in (shot.line, third):
        yield from _move(stage, shot, node, 5, 4)
        yield from _move(stage, shot, node, 3, 5)
    shot.rooms[5], shot.rooms[4] = shot.rooms[3], shot.rooms[5]
    notice = yield from colorize(stage)
    assert "(2 corrected by you)" in notice[1], notice
    last = document.nodeByName("Colours 4")
    assert (shot.read(last, 4), shot.read(last, 5)) == (corrected, fresh)


def check_frames_that_only_moved_are_not_corrected(stage):
    """Each of them to where another was before."""
    shot = yield from make(stage, times=(0, 1, 2, 3), painted=(0,))
    document = shot.document
    assert "3 frames coloured from 1" in (yield from colorize(stage))[1]
    for node in (shot.line, document.nodeByName("Colours")):
        for time in (3, 2, 1):
            yield from _move(stage, shot, node, time, time + 1)
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "3 frames coloured from 1"), notice
    assert shot.keys(document.nodeByName("Colours 2")) == [0, 2, 3, 4]


def check_a_shot_that_moves_as_a_whole_is_up_to_date(stage):
    """Behind a blank frame at 0, which stays: its colours are as good as they were."""
    shot = yield from make(stage, times=_TIMES, painted=_TIMES[2:3])
    document = shot.document
    yield from shot.move_to(shot.line, 0)
    stage.fill(document, shot.line, bytes(4), 0, 0, *_SIZE)
    assert "2 frames coloured from 1" in (yield from colorize(stage))[1]
    result = document.nodeByName("Colours")
    for node in (shot.line, shot.colour, result):
        for time in reversed([time for time in shot.keys(node) if time]):
            yield from _move(stage, shot, node, time, time + 1)
    assert shot.keys(result) == shot.keys(shot.line) == [0, 3, 5, 7]
    assert "up to date" in (yield from colorize(stage))[1]
