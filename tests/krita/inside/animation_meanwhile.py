"""Colorize animation while the artist changes the canvas, the colour space or the key frames."""

from __future__ import annotations

from nuri_test_hook.processes import held, worker_pid
from nuri_test_hook.shot import TIMES, colorize, colorize_until, make


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
    with held(worker_pid()):
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
