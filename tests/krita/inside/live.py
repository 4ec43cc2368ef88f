"""Live: the docker's picture follows the hints; the document stays as it is."""

from __future__ import annotations

from krita import ManagedColor
from nuri_test_hook.pictures import Rooms
from nuri_test_hook.stage import GapWatch
from PyQt5.QtWidgets import QDockWidget

_SIZE = 640, 480


def _live(stage):
    return stage.actions().live


def _jobs(stage):
    """The identities of previews that were begun from now on; it fills itself."""
    begun, live = [], _live(stage)
    begin = live._begin

    def note(desk, request):
        begun.append(request)
        begin(desk, request)

    live._begin = note
    return begun


def _switch(stage, is_on):
    box = stage.widget("nuri_live")
    if box.isChecked() is not is_on:
        box.click()
    yield 50


def _settled(stage, begun, count):
    """Waits until ``count`` previews were begun and the last has ended."""
    done = lambda: len(begun) >= count and not _live(stage).is_busy  # noqa: E731
    yield from stage.until(done, 60, f"preview {count}")
    yield 60


def _shown(stage, document, place, colour):
    """Waits until the picture has ``colour`` at a point of the canvas and no preview is made.

    How many previews that takes is left open: Live may look while Krita is still at the change.
    """
    done = lambda: not _live(stage).is_busy and _at(stage, document, place) == colour  # noqa: E731
    yield from stage.until(done, 60, f"the picture at {place}")
    yield 60


def _at(stage, document, place):
    """Red, green, blue of the docker's picture at a point of the canvas; None without a picture."""
    image = stage.widget("nuri_preview")._image
    if image is None:
        return None
    x = place[0] * image.width() // document.width()
    y = place[1] * image.height() // document.height()
    colour = image.pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def _stroke(stage, document, x, y, length):
    """A brush stroke at image coordinates; the canvas shows the image at 100 %, centred."""
    canvas_x, canvas_y, width, height = stage.places()["canvas"]
    zoom = stage.krita.activeWindow().activeView().canvas().zoomLevel() * 72 / document.resolution()
    left = canvas_x + width / 2 + (x - document.width() / 2) * zoom
    top = canvas_y + height / 2 + (y - document.height() / 2) * zoom
    yield from stage.mouse("mousemove", round(left), round(top))
    yield 100
    yield from stage.mouse("mousedown", 1)
    for step in range(1, 13):
        yield from stage.mouse("mousemove", round(left + length * zoom * step / 12), round(top))
    yield 1200  # held down longer than Live looks away


def check_a_stroke_changes_the_preview_alone(stage):
    yield from stage.resize_window(1400, 900)
    document, _, hints, rooms = yield from stage.drawing(width=_SIZE[0], height=_SIZE[1])
    stage.fill(document, hints, bytes(4), *rooms.dots()[1])
    stage.refresh(document)
    stage.krita.activeWindow().activeView().setBrushSize(24)
    stage.krita.action("zoom_to_100pct").trigger()
    colour = ManagedColor("RGBA", "U8", "")
    colour.setComponents([0.9, 0.5, 0.2, 1.0])  # blue first
    stage.krita.activeWindow().activeView().setForeGroundColor(colour)
    presets = stage.krita.activeWindow().qwindow().findChild(QDockWidget, "PresetDocker")
    presets.hide()
    yield from stage.activate(document, hints)
    yield 500
    before, steps, notice = stage.fingerprint(document), stage.history(), stage.notice()
    begun = _jobs(stage)
    yield 900
    assert not begun, "Live is off at first"
    yield from _switch(stage, True)
    yield from _settled(stage, begun, 1)
    assert stage.actions().desk().live_note == ""
    assert _at(stage, document, rooms.first) == (250, 34, 12)
    assert stage.fingerprint(document) == before and stage.history() == steps
    assert stage.notice() == notice
    above = rooms.second[0], rooms.second[1] - 60
    without = _at(stage, document, above)
    yield 1500
    assert len(begun) == 1, "nothing has changed"
    yield from _stroke(stage, document, rooms.second[0] - 40, rooms.second[1] + 30, 80)
    assert len(begun) == 1, "not while the pen is down"
    watch = GapWatch()
    yield from stage.mouse("mouseup", 1)
    yield from _settled(stage, begun, 2)
    gaps = watch.stop()
    document.waitForDone()
    blue, green, red, _ = stage.pixel(hints, rooms.second[0], rooms.second[1] + 30)
    assert (red, green, blue) != without
    yield from _shown(stage, document, above, (red, green, blue))
    assert _at(stage, document, rooms.first) == (250, 34, 12)
    after = stage.fingerprint(document)
    assert [e for e in after if e[1] != "Nuri hints"] == [e for e in before if e[1] != "Nuri hints"]
    assert stage.history() == [*steps, "Freehand Brush Stroke"]
    stage.docker().setFloating(True)
    stage.docker().widget().window().setGeometry(1000, 120, 340, 620)
    yield 600
    stage.screenshot("live")
    stage.docker().setFloating(False)
    presets.show()
    yield from stage.undo(document)
    yield from _shown(stage, document, above, without)
    assert stage.fingerprint(document) == before
    assert _at(stage, document, rooms.first) == (250, 34, 12)
    yield from _switch(stage, False)
    assert not stage.widget("nuri_preview").isVisible()
    count = len(begun)
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield 1500
    assert len(begun) == count and not _live(stage).is_busy
    return {"largest gaps": gaps[:3]}


def check_nothing_to_preview_is_told_quietly(stage):
    """No dialog, no notice; the note goes once there is a hint, and a document may close."""
    document, _, hints, rooms = yield from stage.drawing(paint_hints=False)
    begun, note, notice = _jobs(stage), stage.widget("nuri_live_note"), stage.notice()
    yield from _switch(stage, True)
    yield from stage.until(note.isVisible, 20, "the note")
    assert "is empty" in note.text() and stage.notice() == notice, note.text()
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield from stage.until(lambda: not note.isVisible(), 60, "the end of the note")
    yield from _shown(stage, document, rooms.second, (7, 120, 251))
    assert not note.isVisible()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    count = len(begun)
    yield 1200
    assert len(begun) == count, "the result is what Live would show"
    stage.fill(document, hints, bytes((9, 200, 30, 255)), *rooms.dots()[0])
    yield from stage.until(lambda: len(begun) > count, 60, "a preview")
    yield from stage.close(document)
    yield from stage.until(lambda: not _live(stage).is_busy, 20, "the end of its preview")
    yield from _switch(stage, False)


def check_other_spaces_and_large_drawings(stage):
    """Sixteen bits, floats, CMYK; and 4096 pixels, made smaller without holding up the pen."""
    found = {}
    for space in ("rgba16", "rgbaf32", "cmyka8"):
        document, _, _, rooms = yield from stage.drawing(space)
        begun = _jobs(stage)
        yield from _switch(stage, True)
        yield from _settled(stage, begun, 1)
        assert stage.actions().desk().live_note == "", stage.actions().desk().live_note
        found[space] = _at(stage, document, rooms.first), _at(stage, document, rooms.second)
        assert found[space][0] != found[space][1]
        yield from _switch(stage, False)
        yield from stage.close(document)
    document, _, hints, _ = yield from stage.drawing(width=4096, height=4096, paint_hints=False)
    rooms = Rooms(4096, 4096, thickness=6)
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    yield 1500
    before, steps, begun = stage.fingerprint(document), stage.history(), _jobs(stage)
    yield 500
    watch = GapWatch()
    yield from _switch(stage, True)
    yield from _settled(stage, begun, 1)
    assert _at(stage, document, rooms.first) == (250, 34, 12), stage.actions().desk().live_note
    yield 2500  # looking, with nothing to do
    gaps = watch.stop()
    assert len(begun) == 1
    assert stage.fingerprint(document) == before and stage.history() == steps
    yield from _switch(stage, False)
    return {"colours": found, "largest gaps at 4096 px": gaps[:5]}


def check_sizes_that_are_no_multiple(stage):
    """Hints up to the right and the lower edge, and beyond them."""
    document, _, hints, _ = yield from stage.drawing(width=2480, height=3508, paint_hints=False)
    rooms = Rooms(2480, 3508)
    stage.hint(document, hints, rooms)
    stage.fill(document, hints, bytes((9, 200, 30, 255)), 2400, 3440, 100, 100)
    document.setSelection(stage.selection(0, 0, 2480, 3508))
    stage.refresh(document)
    yield 500
    begun = _jobs(stage)
    yield from _switch(stage, True)
    yield from _settled(stage, begun, 1)
    assert stage.actions().desk().live_note == ""
    assert _at(stage, document, rooms.first) == (250, 34, 12)
    assert _at(stage, document, (2440, 3470)) == (30, 200, 9)
    yield from _switch(stage, False)


def check_a_hint_layer_known_by_its_looks(stage):
    """It has a name that says nothing, and is empty when Live begins to look."""
    document = stage.document(*_SIZE)
    rooms = stage.draw(document, stage.layer(document, "Ink"))
    paint = stage.layer(document, "Layer 3")
    stage.refresh(document)
    yield from stage.activate(document, paint)
    note = stage.widget("nuri_live_note")
    yield from _switch(stage, True)
    yield from stage.until(note.isVisible, 60, "the note")
    stage.hint(document, paint, rooms)
    stage.refresh(document)
    yield from _shown(stage, document, rooms.first, (250, 34, 12))
    stage.fill(document, paint, bytes((9, 200, 30, 255)), *rooms.dots()[0])
    yield from _shown(stage, document, rooms.first, (30, 200, 9))
    yield from _switch(stage, False)
