"""Colorize animation carried on: corrected, repainted, in parts, in several shots."""

from __future__ import annotations

from contextlib import contextmanager

from nuri_test_hook.shot import TIMES, colorize, make

import nuri.animation.job as animation


def check_a_corrected_frame_is_a_key_frame_and_the_rest_is_kept(stage):
    """Again: nothing to do. Painted on a frame: all that may follow it are coloured anew."""
    times = TIMES[:8]
    shot = yield from make(stage, times=times)
    document = shot.document
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice
    result = document.nodeByName("Colours")
    shot.check_rooms(result, times)
    steps = stage.history()
    notice = yield from colorize(stage)
    assert "up to date" in notice[1], notice
    assert stage.history() == steps
    # A third coloured frame: what lies between it and the old ones is coloured anew.
    yield from shot.paint(times[3])
    yield from shot.add_frame(shot.colour, times[3] + 1)
    stage.refresh(document)
    yield 100
    notice = yield from colorize(stage)
    assert "5 frames coloured from 3" in notice[1], notice
    second = document.nodeByName("Colours 2")
    assert shot.read(second, times[3]) == shot.read(shot.colour, times[3])
    # The artist paints on a frame of the result: any frame may have lines like those.
    yield from shot.move_to(second, times[5])
    place = shot.rooms[times[5]][0]
    is_second = shot.at(shot.read(second, times[5]), place) == shot.second
    stage.fill(document, second, shot.first if is_second else shot.second, *place, 12, 12)
    stage.refresh(document)
    painted = shot.read(second, times[5])
    yield 100
    notice = yield from colorize(stage)
    assert "4 frames coloured from 4 (1 corrected by you)" in notice[1], notice
    third = document.nodeByName("Colours 3")
    assert shot.read(third, times[5]) == painted
    # The lines of one frame change; saved and opened again, that frame alone is left.
    yield from shot.move_to(shot.line, times[1])
    stage.fill(document, shot.line, shot.ink, 4, 4, 6, 6)
    stage.refresh(document)
    document.setBatchmode(True)
    path = stage.root / "again.kra"
    assert document.saveAs(str(path))
    yield 600
    opened = stage.krita.openDocument(str(path))
    stage.krita.activeWindow().addView(opened)
    yield 600
    notice = yield from colorize(stage)
    assert "1 frame coloured from 4 (1 corrected by you), 3 kept" in notice[1], notice
    fourth, third = opened.nodeByName("Colours 4"), opened.nodeByName("Colours 3")
    for time in (times[2], *times[4:]):
        assert shot.read(fourth, time) == shot.read(third, time)
    assert shot.read(fourth, times[5]) == painted


def _repaint(shot, time):
    """The rooms of a coloured frame with their colours swapped."""
    yield from shot.move_to(shot.colour, time)
    left, middle, right, top, bottom = shot.rooms[time][2]
    for colour, start, end in ((shot.second, left, middle), (shot.first, middle, right)):
        shot.stage.fill(shot.document, shot.colour, colour, start, top, end - start, bottom - top)
    shot.stage.refresh(shot.document)
    yield 100


def check_a_repainted_frame_comes_into_the_result(stage):
    """Coloured frames are stale, too, and with them what follows them from far away."""
    times = TIMES[:5]
    shot = yield from make(stage, times=times, painted=times[:2] + times[4:])
    document = shot.document
    notice = yield from colorize(stage)
    assert "2 frames coloured from 3" in notice[1], notice
    assert "up to date" in (yield from colorize(stage))[1]
    yield from _repaint(shot, times[0])
    notice = yield from colorize(stage)
    assert "2 frames coloured from 3" in notice[1], notice
    assert shot.read(document.nodeByName("Colours 2"), 0) == shot.read(shot.colour, 0)
    assert "up to date" in (yield from colorize(stage))[1]


def check_coloured_frames_alone(stage):
    """Nothing for the backend to do, and still there is news for the result."""
    times = TIMES[:3]
    shot = yield from make(stage, times=times, painted=times)
    document = shot.document
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "3 coloured frames taken over"), notice
    assert "up to date" in (yield from colorize(stage))[1]
    yield from _repaint(shot, times[1])
    assert "3 coloured frames taken over" in (yield from colorize(stage))[1]
    second = document.nodeByName("Colours 2")
    for time in times:
        assert shot.read(second, time) == shot.read(shot.colour, time)
    # A correction of the result outlives the run that takes it over.
    yield from shot.move_to(second, times[1])
    stage.fill(document, second, shot.second, *shot.rooms[times[1]][1], 9, 9)
    stage.refresh(document)
    corrected = shot.read(second, times[1])
    yield 100
    assert "(1 corrected by you)" in (yield from colorize(stage))[1]
    assert "up to date" in (yield from colorize(stage))[1]
    yield from _repaint(shot, times[0])
    assert "(1 corrected by you)" in (yield from colorize(stage))[1]
    last = document.nodeByName("Colours 4")
    assert shot.read(last, times[1]) == corrected
    assert shot.read(last, times[0]) == shot.read(shot.colour, times[0])


def check_a_deleted_key_frame_leaves_the_result(stage):
    times = TIMES[:5]
    shot = yield from make(stage, times=times)
    document = shot.document
    assert "3 frames coloured from 2" in (yield from colorize(stage))[1]
    yield from shot.remove_frame(shot.line, times[2])
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "2 coloured frames taken over, 2 kept"), notice
    second = document.nodeByName("Colours 2")
    assert shot.keys(second) == shot.keys(shot.line) == [*times[:2], *times[3:]]
    first = document.nodeByName("Colours")
    for time in shot.keys(second):
        assert shot.read(second, time) == shot.read(first, time)
    assert "up to date" in (yield from colorize(stage))[1]


def check_a_larger_canvas_makes_no_corrections(stage):
    """Later on another canvas nothing looks painted on; all is coloured anew."""
    times = TIMES[:5]
    shot = yield from make(stage, times=times)
    document = shot.document
    assert "3 frames coloured from 2" in (yield from colorize(stage))[1]
    document.resizeImage(0, 0, 400, 300)
    document.waitForDone()
    yield 600
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "3 frames coloured from 2"), notice
    shot.check_rooms(document.nodeByName("Colours 2"), times)


def check_selected_frames_alone(stage):
    shot = yield from make(stage)
    document = shot.document
    yield 800  # the timeline docker answers late to the frames that were added
    document.setPlayBackRange(5, 11)  # 5 to 10
    yield 100
    assert (document.playBackStartTime(), document.playBackEndTime()) == (5, 10)
    actions = stage.actions()
    actions.set_flag("selected_frames", True)
    notice = yield from colorize(stage)
    actions.set_flag("selected_frames", False)
    assert "5 frames coloured from 2" in notice[1], notice
    first = document.nodeByName("Colours")
    painted = [time for time in TIMES if any(shot.read(first, time))]
    assert painted == [TIMES[0], 5, 6, 8, 9, 10, TIMES[-1]]
    notice = yield from colorize(stage)
    assert "17 frames coloured from 2, 5 kept" in notice[1], notice
    shot.check_result(document.nodeByName("Colours 2"))


TOWER = (30, 20, 80, 200)  # left, top, width, height: the second scene, of two floors
SHED = (190, 150, 110, 70)  # the third, of two floors, too


def _draw_scene(shot, time, scene, move):
    """A box of two floors, ``move`` pixels further right; returns (inside above, inside below)."""
    left, top, width, height = scene
    left += move
    yield from shot.add_frame(shot.line, time)
    middle = top + height // 2
    for y in (top, middle, top + height):
        shot.stage.fill(shot.document, shot.line, shot.ink, left, y, width + 4, 4)
    for x in (left, left + width):
        shot.stage.fill(shot.document, shot.line, shot.ink, x, top, 4, height)
    shot.places[time] = (left + width // 2, top + height // 4), (left + width // 2, middle + 20)


@contextmanager
def _heard(found):
    """Fills ``found`` with what a run says of each shot: (frames after it, frames of its job)."""
    say = animation.stage

    def listen(count, progress, frames):
        found.add((count.ahead, frames))
        return say(count, progress, frames)

    animation.stage = listen
    try:
        yield
    finally:
        animation.stage = say


def check_several_shots(stage):
    """Cut where the lines change: each shot follows its own coloured frame, or waits for one."""
    rooms, towers, sheds = TIMES[:5], (20, 22, 24, 26), (30, 32, 33)
    shot = yield from make(stage, times=rooms, painted=rooms[:1])
    shot.places = {}
    for times, scene in ((towers, TOWER), (sheds, SHED)):
        for number, time in enumerate(times):
            yield from _draw_scene(shot, time, scene, 3 * number)
    left, top, width, height = TOWER
    yield from shot.add_frame(shot.colour, rooms[0] + 1)
    yield from shot.add_frame(shot.colour, towers[0])
    half = height // 2
    # The other way round than the rooms: what the first shot shows would be seen.
    stage.fill(shot.document, shot.colour, shot.second, left, top, width, half)
    stage.fill(shot.document, shot.colour, shot.first, left, top + half, width, half)
    yield from shot.add_frame(shot.colour, towers[0] + 1)
    yield from shot.move_to(shot.line, towers[1])
    stage.refresh(shot.document)
    yield 300
    before, actions = shot.artist(), stage.actions()
    actions.set_flag("several_shots", True)
    parts = set()
    try:
        with _heard(parts):
            kind, message, remedy, _ = yield from colorize(stage)
        assert kind == "advice", stage.notice()
        assert "7 frames coloured from 2 in 3 shots" in message, message
        assert "3 without a coloured frame in their shot" in message, message
        assert "begins at frame 30" in remedy, remedy
        assert parts == {(len(towers), len(rooms)), (0, len(towers))}, parts
        result = shot.document.nodeByName("Colours")
        assert shot.keys(result) == [*rooms, *towers, *sheds]
        for time in towers:
            pixels = shot.read(result, time)
            above, below = shot.places[time]
            assert shot.at(pixels, above) == shot.second, time
            assert shot.at(pixels, below) == shot.first, time
        assert not any(any(shot.read(result, time)) for time in sheds)
        for time in rooms:
            first, second, _ = shot.rooms[time]
            pixels = shot.read(result, time)
            assert (shot.at(pixels, first), shot.at(pixels, second)) == (shot.first, shot.second)
        assert shot.artist() == before
        # Nothing has changed: a coloured frame of one shot is no news for the others.
        kind, message, *_ = yield from colorize(stage)
        assert "up to date" in message, message
        yield from shot.add_frame(shot.colour, sheds[0])
        stage.fill(shot.document, shot.colour, shot.first, 190, 150, 110, 35)
        stage.fill(shot.document, shot.colour, shot.second, 190, 185, 110, 35)
        stage.refresh(shot.document)
        yield 100
        kind, message, *_ = yield from colorize(stage)
        assert kind == "done", stage.notice()
        assert "2 frames coloured from 3 in 3 shots, 7 kept" in message, message
        last = shot.read(shot.document.nodeByName("Colours 2"), sheds[-1])
        above, below = shot.places[sheds[-1]]
        assert (shot.at(last, above), shot.at(last, below)) == (shot.first, shot.second)
    finally:
        actions.set_flag("several_shots", False)
