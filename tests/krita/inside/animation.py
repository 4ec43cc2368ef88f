"""Colorize animation in the real timeline: 24 key frames, some held, two of them coloured."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from nuri_test_hook.shot import LAST, TIMES, make

CONNECTION = Path(os.environ["NURI_CONNECTION"])


def _colorize(stage, seconds=120):
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, seconds, "the animation")
    yield 100
    return stage.notice()


def _colours_in(shot, pixels):
    """All colours but the transparent ones, which have many values in some colour spaces."""
    size = len(shot.first)
    found = {pixels[i : i + size] for i in range(0, len(pixels), size)}
    channels = size if size in (2, 5) else 4
    return {colour for colour in found if any(colour[-size // channels :])}


def _artist(shot):
    """Every frame of the artist's layers and what else is theirs."""
    stage, document = shot.stage, shot.document
    layers = {
        node.name(): [shot.read(node, time) for time in shot.keys(node)]
        for node in (shot.line, shot.colour)
    }
    return layers, stage.fingerprint(document, skip=["Colours"]), document.currentTime()


def _check_result(shot, result):
    """Key frames where the lines have them; the artist's own where they coloured; the rest
    in their colours alone. Returns the share of rooms with the right colour."""
    assert shot.keys(result) == list(TIMES)
    right = 0
    for time in TIMES:
        pixels = shot.read(result, time)
        if time in (TIMES[0], TIMES[-1]):
            assert pixels == shot.read(shot.colour, time), time
        assert _colours_in(shot, pixels) <= {shot.first, shot.second}, time
        first, second, _ = shot.rooms[time]
        right += shot.at(pixels, first) == shot.first
        right += shot.at(pixels, second) == shot.second
        # One colour to the ends of a room.
        for x, y in (first, second):
            assert shot.at(pixels, (x + 20, y + 30)) == shot.at(pixels, (x, y)), time
    return right / (2 * len(TIMES))


def check_whole_timeline(stage):
    """Two coloured frames give all others; nothing of the artist's changes; one undo step."""
    yield from stage.resize_window(1400, 900)
    shot = yield from make(stage)
    document = shot.document
    assert shot.keys(shot.line) == list(TIMES)
    before, steps = _artist(shot), stage.history()
    active = document.activeNode().name()
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    stages = set()
    shown = False
    while desk.job is not None:
        stages.add(desk.job.stage)
        if len(stages) > 8 and not shown:
            shown = True
            stage.screenshot("animation-running")
        yield 20
    yield 300
    assert stage.notice()[0] == "done", stage.notice()
    assert "22 frames coloured from 2" in stage.notice()[1]
    assert any("of 22" in text for text in stages), stages
    assert document.fileName() == ""
    result = document.nodeByName("Colours")
    right = _check_result(shot, result)
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Paint"]
    assert document.activeNode().name() == active
    assert _artist(shot) == before
    assert stage.history() == [*steps, "Add Layer"]
    assert result.animated()
    document.setCurrentTime(TIMES[12] + 1)
    document.waitForDone()
    yield 300
    stage.screenshot("animation-done")
    yield from stage.undo(document)
    yield from stage.undo(document)
    assert document.nodeByName("Colours") is None
    document.setCurrentTime(3)
    document.waitForDone()
    assert _artist(shot) == before
    return {"right": right, "stages": sorted(stages)[:6]}


def check_saved_and_opened_again(stage):
    shot = yield from make(stage)
    notice = yield from _colorize(stage)
    assert notice[0] == "done", notice
    result = shot.document.nodeByName("Colours")
    frames = [shot.read(result, time) for time in TIMES]
    shot.document.setBatchmode(True)
    path = stage.root / "shot.kra"
    assert shot.document.saveAs(str(path))
    yield 600
    again = stage.krita.openDocument(str(path))
    again.waitForDone()
    opened = again.nodeByName("Colours")
    size = again.width(), again.height()
    assert [t for t in range(LAST + 9) if opened.hasKeyframeAtTime(t)] == list(TIMES)
    assert [bytes(opened.pixelDataAtTime(0, 0, *size, time)) for time in TIMES] == frames
    again.close()


def check_cancel_keeps_the_finished_frames(stage):
    shot = yield from make(stage)
    before, steps = _artist(shot), stage.history()
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(
        lambda: desk.job is None or "Frame 8" in desk.job.stage, 60, "some frames"
    )
    assert desk.job is not None, desk.notice
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
    assert _artist(shot) == before
    assert stage.history() == [*steps, "Add Layer"]
    yield from stage.undo(shot.document)
    assert _artist(shot) == before
    return {"empty": len(empty)}


def check_cancel_before_the_first_frame(stage):
    shot = yield from make(stage, times=TIMES[:3])
    before, steps = _artist(shot), stage.history()
    stage.trigger("nuri_colorize_animation")
    stage.trigger("nuri_cancel_colouring")
    yield 300
    assert stage.actions().desk().job is None
    assert "cancelled" in stage.notice()[1]
    assert (_artist(shot), stage.history()) == (before, steps)


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
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(
        lambda: desk.job is None or "Frame 6" in desk.job.stage, 60, "some frames"
    )
    assert desk.job is not None, desk.notice
    _kill(which)
    yield from stage.until(lambda: desk.job is None, 90, "the end")
    yield 200
    assert stage.notice()[0] == "done", stage.notice()
    _check_result(shot, shot.document.nodeByName("Colours"))


def check_worker_killed_in_the_middle(stage):
    yield from _killed(stage, "worker")


def check_daemon_killed_in_the_middle(stage):
    yield from _killed(stage, "daemon")


def check_colours_of_other_colour_spaces_are_exact(stage):
    for space in ("rgba16", "rgbaf32", "graya8", "cmyka8"):
        shot = yield from make(stage, space, times=TIMES[:5])
        notice = yield from _colorize(stage)
        assert notice[0] == "done", (space, notice)
        result = shot.document.nodeByName("Colours")
        for time in TIMES[:5]:
            pixels = shot.read(result, time)
            strange = _colours_in(shot, pixels) - {shot.first, shot.second}
            assert not strange, (space, time, strange)
        yield 100


def check_blank_frames_stay_empty_and_are_told(stage):
    """Hidden and locked layers are read all the same and stay as they are."""
    shot = yield from make(stage, times=TIMES[:6])
    yield from shot.add_frame(shot.line, 40)
    yield from shot.move_to(shot.line, 3)
    shot.line.setLocked(True)
    shot.colour.setVisible(False)
    stage.refresh(shot.document)
    yield 100
    notice = yield from _colorize(stage)
    assert notice[0] == "advice", notice
    assert "4 frames coloured from 2, 1 left empty" in notice[1]
    assert "blank" in notice[2] and "40" in notice[2]
    result = shot.document.nodeByName("Colours")
    assert shot.keys(result) == [*TIMES[:6], 40]
    assert not any(shot.read(result, 40))
    assert shot.line.locked() and not shot.colour.visible()
    assert not result.locked() and result.visible()


def _fails(stage, message):
    document = stage.krita.activeDocument()
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from _colorize(stage)
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
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(
        lambda: desk.job is None or "Frame 3" in desk.job.stage, 60, "some frames"
    )
    assert desk.job is not None, desk.notice
    yield from stage.close(shot.document)
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 200
    assert "closed" in desk.notice.message, desk.notice


def check_a_still_colour_layer_colours_the_frame_on_the_screen(stage):
    shot = yield from make(stage, times=TIMES[:5], painted=())
    document = shot.document
    shot.colour.remove()
    still = stage.layer(document, "Colour hints")
    left, middle, right, top, bottom = shot.rooms[TIMES[2]][2]
    stage.fill(document, still, shot.first, left, top, middle - left, bottom - top)
    stage.fill(document, still, shot.second, middle, top, right - middle, bottom - top)
    yield from shot.move_to(shot.line, TIMES[2] + 1)
    stage.refresh(document)
    yield 100
    notice = yield from _colorize(stage)
    assert "4 frames coloured from 1" in notice[1], notice
    result = document.nodeByName("Colours")
    size = document.width(), document.height()
    painted = bytes(still.pixelData(0, 0, *size))
    assert shot.read(result, TIMES[2]) == painted


def check_hints_on_the_key_frames(stage):
    """Dots of colour are enough: the frames that have them are filled, too."""
    shot = yield from make(stage, times=TIMES[:5], painted=())
    for time in (TIMES[0], TIMES[4]):
        yield from shot.add_frame(shot.colour, time)
        for (x, y), colour in zip(shot.rooms[time][:2], (shot.first, shot.second), strict=True):
            stage.fill(shot.document, shot.colour, colour, x - 4, y - 4, 9, 9)
    yield from shot.move_to(shot.line, 1)
    stage.refresh(shot.document)
    yield 100
    before = _artist(shot)
    notice = yield from _colorize(stage)
    assert "3 frames coloured from 2" in notice[1], notice
    result = shot.document.nodeByName("Colours")
    for time in (TIMES[0], TIMES[4]):
        pixels = shot.read(result, time)
        for (x, y), colour in zip(shot.rooms[time][:2], (shot.first, shot.second), strict=True):
            assert shot.at(pixels, (x + 25, y + 40)) == colour, time
    assert _artist(shot) == before
    assert "up to date" in (yield from _colorize(stage))[1]


def check_a_group_of_animated_layers_as_lines(stage):
    shot = yield from make(stage, times=TIMES[:4])
    document = shot.document
    group = document.createGroupLayer("Lines")
    document.rootNode().addChildNode(group, None)
    second = stage.layer(document, "Details", parent=group)
    shot.line.remove()
    group.addChildNode(shot.line, None)
    yield from stage.activate(document, second)
    second.enableAnimation()
    yield from shot.add_frame(second, 7)
    stage.fill(document, second, shot.ink, 150, 100, 10, 10)
    yield from shot.move_to(shot.line, 3)
    stage.refresh(document)
    yield 200
    stage.actions().desk().line = str(group.uniqueId().toString())
    notice = yield from _colorize(stage)
    assert notice[0] == "done", notice
    result = document.nodeByName("Colours")
    assert shot.keys(result) == [*TIMES[:4], 7]
    assert stage.names(document.rootNode()) == ["Background", "Paint", "Colours", "Lines"]


def check_a_corrected_frame_is_a_key_frame_and_the_rest_is_kept(stage):
    """Again: nothing to do. Painted on a frame: its neighbours follow, the others stay."""
    times = TIMES[:8]
    shot = yield from make(stage, times=times)
    document = shot.document
    notice = yield from _colorize(stage)
    assert notice[0] == "done", notice
    result = document.nodeByName("Colours")
    frames = [shot.read(result, time) for time in times]
    steps = stage.history()
    notice = yield from _colorize(stage)
    assert "up to date" in notice[1], notice
    assert stage.history() == steps
    # A third coloured frame: what lies between it and the old ones is coloured anew.
    yield from shot.paint(times[3])
    yield from shot.add_frame(shot.colour, times[3] + 1)
    stage.refresh(document)
    yield 100
    notice = yield from _colorize(stage)
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
    notice = yield from _colorize(stage)
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
    notice = yield from _colorize(stage)
    assert "1 frame coloured from 4 (1 corrected by you), 3 kept" in notice[1], notice
    fourth = opened.nodeByName("Colours 4")
    size = opened.width(), opened.height()
    assert bytes(fourth.pixelDataAtTime(0, 0, *size, times[5])) == painted
    return {"frames": len(frames)}


def check_what_was_cancelled_is_continued(stage):
    shot = yield from make(stage)
    stage.trigger("nuri_colorize_animation")
    desk = stage.actions().desk()
    yield from stage.until(
        lambda: desk.job is None or "Frame 6" in desk.job.stage, 60, "some frames"
    )
    stage.trigger("nuri_cancel_colouring")
    yield from stage.until(lambda: desk.job is None, 20, "the end")
    yield 300
    first = shot.document.nodeByName("Colours")
    finished = [time for time in TIMES if any(shot.read(first, time))]
    assert 5 <= len(finished) < 24
    notice = yield from _colorize(stage)
    assert notice[0] == "done", notice
    assert f"{24 - len(finished)} frames coloured from 2, {len(finished) - 2} kept" in notice[1]
    second = shot.document.nodeByName("Colours 2")
    _check_result(shot, second)
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
    notice = yield from _colorize(stage)
    actions.set_flag("selected_frames", False)
    assert "5 frames coloured from 2" in notice[1], notice
    first = document.nodeByName("Colours")
    painted = [time for time in TIMES if any(shot.read(first, time))]
    assert painted == [TIMES[0], 5, 6, 8, 9, 10, TIMES[-1]]
    notice = yield from _colorize(stage)
    assert "17 frames coloured from 2, 5 kept" in notice[1], notice
    _check_result(shot, document.nodeByName("Colours 2"))


def check_docker(stage):
    """The button is there for animated lines; the notice leads to the doubtful frames."""
    yield from stage.resize_window(1400, 900)
    shot = yield from make(stage, times=TIMES[:9])
    document = shot.document
    stage.docker().refresh()
    yield 200
    assert stage.widget("nuri_animation_button").isVisible()
    assert stage.widget("nuri_hints").itemText(0) == "Automatic: Paint"
    assert stage.widget("nuri_selected_frames").isVisibleTo(stage.docker())
    stage.screenshot("animation-docker")
    yield from stage.click("nuri_animation_button")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 60, "the animation")
    yield 300
    notice = desk.notice
    assert "7 frames coloured from 2" in notice.message
    if notice.times:
        seen = []
        for _ in notice.times:
            stage.widget("nuri_notice_button").click()
            document.waitForDone()
            yield 100
            seen.append(document.currentTime())
        assert sorted(seen) == sorted(notice.times)
    still = stage.document(64, 64)
    stage.draw(still, stage.layer(still, "Ink"))
    yield 100
    stage.docker().refresh()
    yield 200
    assert not stage.widget("nuri_animation_button").isVisible()
    return {"doubtful": list(notice.times)}
