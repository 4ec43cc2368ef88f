"""Colorize animation carried on: cancelled, corrected, continued, in parts, in several shots."""

from __future__ import annotations

from nuri_test_hook.shot import TIMES, colorize, colorize_until, make


def check_cancel_keeps_the_finished_frames(stage):
    shot = yield from make(stage)
    before, steps = shot.artist(), stage.history()
    desk = yield from colorize_until(stage, 8)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 200
    kind, message, remedy, _ = stage.notice()
    assert kind == "advice", stage.notice()
    assert "are missing" in message
    assert "finished frames are there" in remedy
    result = shot.document.nodeByName("Colours")
    assert shot.keys(result) == list(TIMES)
    empty = [time for time in TIMES if not any(shot.read(result, time))]
    assert 0 < len(empty) < 22, empty
    assert TIMES[1] not in empty
    assert TIMES[-1] not in empty
    assert shot.artist() == before
    assert stage.history() == [*steps, "Add Layer"]
    yield from stage.undo(shot.document)
    assert shot.artist() == before
    return {"empty": len(empty)}


def check_cancel_before_the_first_frame(stage):
    shot = yield from make(stage, times=TIMES[:3])
    before, steps = shot.artist(), stage.history()
    stage.trigger("nuri_colorize_animation")
    stage.trigger("nuri_cancel_colouring")
    yield 300
    assert stage.actions().desk().job is None
    assert "cancelled" in stage.notice()[1]
    assert (shot.artist(), stage.history()) == (before, steps)


def check_a_corrected_frame_is_a_key_frame_and_the_rest_is_kept(stage):
    """Again: nothing to do. Painted on a frame: its neighbours follow, the others stay."""
    times = TIMES[:8]
    shot = yield from make(stage, times=times)
    document = shot.document
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice
    result = document.nodeByName("Colours")
    frames = [shot.read(result, time) for time in times]
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
    # The artist paints on a frame of the result: it is followed by those up to the next keys.
    yield from shot.move_to(second, times[5])
    place = shot.rooms[times[5]][0]
    is_second = shot.at(shot.read(second, times[5]), place) == shot.second
    stage.fill(document, second, shot.first if is_second else shot.second, *place, 12, 12)
    stage.refresh(document)
    painted = shot.read(second, times[5])
    yield 100
    notice = yield from colorize(stage)
    assert "2 frames coloured from 4 (1 corrected by you), 2 kept" in notice[1], notice
    third = document.nodeByName("Colours 3")
    assert shot.read(third, times[5]) == painted
    for time in times[:3]:
        assert shot.read(third, time) == shot.read(second, time)
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
    fourth = opened.nodeByName("Colours 4")
    size = opened.width(), opened.height()
    assert bytes(fourth.pixelDataAtTime(0, 0, *size, times[5])) == painted
    return {"frames": len(frames)}


def check_what_was_cancelled_is_continued(stage):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 300
    first = shot.document.nodeByName("Colours")
    finished = [time for time in TIMES if any(shot.read(first, time))]
    assert 5 <= len(finished) < 24
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice
    assert f"{24 - len(finished)} frames coloured from 2, {len(finished) - 2} kept" in notice[1]
    second = shot.document.nodeByName("Colours 2")
    shot.check_result(second)
    for time in finished:
        assert shot.read(second, time) == shot.read(first, time)


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
    try:
        kind, message, remedy, _ = yield from colorize(stage)
        assert kind == "advice", stage.notice()
        assert "7 frames coloured from 2 in 3 shots" in message, message
        assert "3 without a coloured frame in their shot" in message, message
        assert "begins at frame 30" in remedy, remedy
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
