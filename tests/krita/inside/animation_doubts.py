"""Frames with areas that are a guess: listed in the docker, jumped to, marked on request."""

from __future__ import annotations

from nuri_test_hook.shot import TIMES, colorize, colorize_until, make
from nuri_test_hook.stage import GapWatch

from nuri import layers, made
from nuri.animation import doubts
from nuri.made import Made, Past


def _puzzle(shot, time):
    """Small boxes in a frame of the lines, which no coloured frame has anything like."""
    yield from shot.move_to(shot.line, time)
    for number in range(9):
        x, y = 8 + 9 * number, 4 + 5 * (number % 3)
        for box in ((x, y, 8, 1), (x, y + 7, 8, 1), (x, y, 1, 8), (x + 7, y, 1, 8)):
            shot.stage.fill(shot.document, shot.line, shot.ink, *box)
    shot.stage.refresh(shot.document)
    yield 100


def _listed(stage, document, line):
    return doubts.listed(document, layers.uid_of(line))


def _rows(stage):
    """What the docker lists, and whether it is to be seen."""
    listed = stage.widget("nuri_doubts_list")
    texts = [listed.item(row).text() for row in range(listed.count())]
    return texts, stage.widget("nuri_doubts").isVisibleTo(stage.docker())


def _expected(found):
    return [f"Frame {time}: {areas} area{'s' if areas != 1 else ''}" for time, areas in found]


def check_docker(stage):
    """The button is there for animated lines; a row of the list leads to its doubtful frame."""
    yield from stage.resize_window(1400, 900)
    times = TIMES[:9]
    shot = yield from make(stage, times=times)
    document = shot.document
    yield from _puzzle(shot, times[2])
    yield from _puzzle(shot, times[5])
    yield from shot.move_to(shot.line, 0)
    stage.docker().refresh()
    yield 200
    assert stage.widget("nuri_animation_button").isVisible()
    assert stage.widget("nuri_hints").itemText(0) == "Automatic: Paint"
    for name in ("nuri_selected_frames", "nuri_several_shots"):
        assert stage.widget(name).isVisibleTo(stage.docker())
    assert not _rows(stage)[1]
    stage.screenshot("animation-docker")
    stage.widget("nuri_scroll").ensureWidgetVisible(stage.widget("nuri_several_shots"))
    yield 100
    stage.screenshot("animation-options")
    yield from stage.click("nuri_animation_button")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 120, "the animation")
    yield 300
    assert "7 frames coloured from 2" in desk.notice.message
    found = _listed(stage, document, shot.line)
    doubtful = [time for time, _ in found]
    assert {times[2], times[5]} <= set(doubtful), found
    assert f"{len(found)} with doubtful areas" in desk.notice.message, desk.notice
    assert _rows(stage) == (_expected(found), True)
    stage.screenshot("animation-doubts")
    listed = stage.widget("nuri_doubts_list")
    for row in (1, 0):
        item = listed.item(row)
        listed.scrollToItem(item)
        spot = listed.viewport().mapToGlobal(listed.visualItemRect(item).center())
        yield from stage.mouse("mousemove", spot.x(), spot.y(), "click", 1)
        yield 200
        assert document.currentTime() == doubtful[row]
    seen = []
    for _ in doubtful:
        stage.widget("nuri_doubts_next").click()
        document.waitForDone()
        yield 100
        seen.append(document.currentTime())
    assert seen == [*doubtful[1:], doubtful[0]]
    still = stage.document(64, 64)
    stage.draw(still, stage.layer(still, "Ink"))
    yield 100
    stage.docker().refresh()
    yield 200
    assert not stage.widget("nuri_animation_button").isVisible()
    assert not _rows(stage)[1]
    return {"doubtful": found}


def check_the_list_stays(stage):
    """Cancelled and dismissed, saved and opened, carried on: what is a guess is still listed."""
    shot = yield from make(stage)
    document = shot.document
    yield from _puzzle(shot, TIMES[1])
    yield from _puzzle(shot, TIMES[20])
    desk = yield from colorize_until(stage, 6)
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 300
    assert "with doubtful areas" in stage.notice()[1], stage.notice()
    first = _listed(stage, document, shot.line)
    assert TIMES[1] in dict(first) and TIMES[20] not in dict(first), first
    stage.widget("nuri_notice_close").click()
    stage.docker().refresh()
    assert _rows(stage) == (_expected(first), True)
    document.setBatchmode(True)
    path = stage.root / "doubts.kra"
    assert document.saveAs(str(path))
    yield 600
    opened = stage.krita.openDocument(str(path))
    stage.krita.activeWindow().addView(opened)
    yield 600
    line = opened.nodeByName("Ink")
    stage.docker().refresh()
    assert _listed(stage, opened, line) == first
    assert _rows(stage) == (_expected(first), True)
    notice = yield from colorize(stage)
    assert "kept" in notice[1] and "with doubtful areas" in notice[1], notice
    assert str(TIMES[1]) in notice[2] and str(TIMES[20]) in notice[2], notice
    second = _listed(stage, opened, line)
    assert TIMES[20] in dict(second)
    assert set(first) <= set(second), (first, second)
    yield 200
    assert _rows(stage) == (_expected(second), True)
    return {"first": first, "second": second}


def check_areas_are_marked_on_request(stage):
    """What no key frame has is a guess: red on a layer of its own, undone in one step."""
    times = TIMES[:6]
    shot = yield from make(stage, times=times)
    document = shot.document
    yield from _puzzle(shot, times[2])
    notice = yield from colorize(stage)
    assert f"frame {times[2]}" in notice[2], notice
    desk = stage.actions().desk()
    result = document.nodeByName("Colours")
    doubtful = [time for time, _ in _listed(stage, document, shot.line)]
    before, steps = shot.artist(), stage.history()
    colours = [shot.read(result, time) for time in times]
    stage.docker().refresh()
    yield 100
    stage.widget("nuri_doubts_mark").click()
    yield from stage.until(lambda: desk.job is None, 30, "the marks")
    yield 300
    assert stage.notice()[0] == "done", stage.notice()
    marks = document.nodeByName("Doubtful areas")
    assert stage.names(document.rootNode())[-1] == "Doubtful areas"
    assert shot.keys(marks) == list(times)
    marked = [time for time in times if any(shot.read(marks, time))]
    assert marked == doubtful
    for time in marked:
        alphas = set(shot.read(marks, time)[3::4])
        assert len(alphas) == 2 and 0 in alphas, alphas
    stage.screenshot("animation-doubtful")
    assert [shot.read(result, time) for time in times] == colours
    assert stage.history() == [*steps, "Add Layer"]
    # They are no lines, no hints and no colours of a next run.
    notice = yield from colorize(stage)
    assert "up to date" in notice[1], notice
    yield from stage.undo(document)
    assert document.nodeByName("Doubtful areas") is None
    assert shot.artist() == before
    return {"doubtful": doubtful}


def check_nothing_doubtful_is_said(stage):
    yield from make(stage, times=TIMES[:3])
    stage.trigger("nuri_mark_doubtful")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 20, "the answer")
    assert "nothing to mark" in stage.notice()[1], stage.notice()


def check_long_animations_are_listed_at_once(stage):
    """Eight results of 500 frames, all doubtful. Facts: the longest gaps of the event loop."""
    shot = yield from make(stage, times=TIMES[:2])
    document, line = shot.document, layers.uid_of(shot.line)
    frames = {time: Made("0" * 24, "1" * 24, "made", "", 1 + time % 40) for time in range(500)}
    for _ in range(8):
        node = stage.layer(document, "Result")
        made.remember(document, line, Past(layers.uid_of(node), frames, "320x240"))
    yield 300
    watch = GapWatch()
    stage.docker().refresh()
    yield 300
    texts, is_visible = _rows(stage)
    assert is_visible and len(texts) == 500
    assert texts[39] == "Frame 39: 40 areas or more"
    return {"longest ms": [round(gap, 1) for gap in watch.stop()[:5]]}
