"""Colorize animation in the real timeline: 24 key frames, some held, two of them coloured."""

from __future__ import annotations

import os
import subprocess

from nuri_test_hook.shot import LAST, TIMES, colorize, make


def check_whole_timeline(stage):
    """Two coloured frames give all others; nothing of the artist's changes; one undo step."""
    yield from stage.resize_window(1400, 900)
    shot = yield from make(stage)
    document = shot.document
    assert shot.keys(shot.line) == list(TIMES)
    before, steps = shot.artist(), stage.history()
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
    right = shot.check_result(result)
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Paint"]
    assert document.activeNode().name() == active
    assert shot.artist() == before
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
    assert shot.artist() == before
    return {"right": right, "stages": sorted(stages)[:6]}


def check_saved_and_opened_again(stage):
    shot = yield from make(stage)
    notice = yield from colorize(stage)
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


def check_a_file_coloured_by_the_command_line(stage):
    """Krita opens the .kra copy that `nuri animate --film` writes, with the same colours."""
    shot = yield from make(stage, times=TIMES[:4])
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice
    result = shot.document.nodeByName("Colours")
    shot.check_rooms(result, TIMES[:4])
    frames = [shot.read(result, time) for time in TIMES[:4]]
    result.remove()
    stage.refresh(shot.document)
    yield 100
    shot.document.setBatchmode(True)
    source, path = stage.root / "lines.kra", stage.root / "coloured.kra"
    assert shot.document.saveAs(str(source))
    yield 600
    command = [os.environ["NURI_BACKEND"], "animate", str(source), "--key-layer", "Paint"]
    command += ["-o", str(stage.root / "frames"), "--film", str(path)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    yield from stage.until(lambda: running.poll() is not None, 90, "the command")
    assert running.returncode == 0, running.stdout.read()
    again = stage.krita.openDocument(str(path))
    again.waitForDone()
    assert stage.names(again.rootNode()) == ["Background", "Colours", "Ink", "Paint"]
    opened = again.nodeByName("Colours")
    size = again.width(), again.height()
    assert [t for t in range(LAST + 9) if opened.hasKeyframeAtTime(t)] == list(TIMES[:4])
    assert [bytes(opened.pixelDataAtTime(0, 0, *size, time)) for time in TIMES[:4]] == frames
    again.close()


def check_colours_of_other_colour_spaces_are_exact(stage):
    for space in ("rgba16", "rgbaf32", "graya8", "cmyka8"):
        shot = yield from make(stage, space, times=TIMES[:5])
        notice = yield from colorize(stage)
        assert notice[0] == "done", (space, notice)
        result = shot.document.nodeByName("Colours")
        for time in TIMES[:5]:
            pixels = shot.read(result, time)
            strange = shot.colours_in(pixels) - {shot.first, shot.second}
            assert not strange, (space, time, strange)
        shot.check_rooms(result, TIMES[:5])
        yield 100


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
    notice = yield from colorize(stage)
    assert "4 frames coloured from 1" in notice[1], notice
    result = document.nodeByName("Colours")
    size = document.width(), document.height()
    painted = bytes(still.pixelData(0, 0, *size))
    assert shot.read(result, TIMES[2]) == painted
    shot.check_rooms(result, TIMES[:5])


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
    before = shot.artist()
    notice = yield from colorize(stage)
    assert "3 frames coloured from 2" in notice[1], notice
    result = shot.document.nodeByName("Colours")
    for time in (TIMES[0], TIMES[4]):
        pixels = shot.read(result, time)
        for (x, y), colour in zip(shot.rooms[time][:2], (shot.first, shot.second), strict=True):
            assert shot.at(pixels, (x + 25, y + 40)) == colour, time
    shot.check_rooms(result, TIMES[:5])
    assert shot.artist() == before
    assert "up to date" in (yield from colorize(stage))[1]


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
    notice = yield from colorize(stage)
    assert notice[0] == "done", notice
    result = document.nodeByName("Colours")
    assert shot.keys(result) == [*TIMES[:4], 7]
    shot.check_rooms(result, TIMES[:4])
    assert stage.names(document.rootNode()) == ["Background", "Paint", "Colours", "Lines"]
