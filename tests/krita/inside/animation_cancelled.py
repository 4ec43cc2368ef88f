"""Colorize animation cancelled: what is finished stays, what is left is painted or continued."""

from __future__ import annotations

from nuri_test_hook.shot import TIMES, colorize, colorize_until, make


def check_cancel_keeps_the_finished_frames(stage):
    shot = yield from make(stage)
    before, steps = shot.artist(), stage.history()
    desk = yield from colorize_until(stage, 8)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 60, "the end")
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


def check_a_frame_that_was_left_empty_can_be_painted(stage):
    """What the artist paints where a run stopped is theirs; what they clear is coloured anew."""
    shot = yield from make(stage)
    document = shot.document
    desk = yield from colorize_until(stage, 3)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 60, "the end")
    yield 300
    first = document.nodeByName("Colours")
    time = TIMES[-2]  # the last that is left to colour
    assert not any(shot.read(first, time))
    yield from shot.move_to(first, time)
    left, _, right, top, bottom = shot.rooms[time][2]
    stage.fill(document, first, shot.second, left, top, right - left, bottom - top)
    painted = shot.read(first, time)
    yield from shot.move_to(first, TIMES[1])
    stage.fill(document, first, bytes(4), 0, 0, document.width(), document.height())
    stage.refresh(document)
    yield 100
    notice = yield from colorize(stage)
    assert "(1 corrected by you)" in notice[1], notice
    second = document.nodeByName("Colours 2")
    assert shot.read(second, time) == painted
    assert all(any(shot.read(second, time)) for time in TIMES)


def check_what_was_cancelled_is_continued(stage):
    shot = yield from make(stage)
    desk = yield from colorize_until(stage, 6)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 60, "the end")
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
