"""An artist's first colour with real mouse and keys: menus, brush strokes, the docker's button."""

from __future__ import annotations

from krita import ManagedColor
from nuri_test_hook.pictures import SRGB, Rooms
from PyQt5.QtWidgets import QDockWidget

_EXAMPLE = "witch"


def _stroke(stage, document, x, y, length):
    """A brush stroke from left to right on the canvas, at image coordinates."""
    # Image point -> widget point, by two points whose place on the screen is known.
    zoom = stage.krita.activeWindow().activeView().canvas().zoomLevel() * 72 / document.resolution()
    canvas_x, canvas_y, width, height = stage.places()["canvas"]
    left = canvas_x + width / 2 + (x - document.width() / 2) * zoom
    top = canvas_y + height / 2 + (y - document.height() / 2) * zoom
    yield from stage.mouse("mousemove", round(left), round(top))
    yield 100
    yield from stage.mouse("mousedown", 1)
    for step in range(1, 13):
        yield from stage.mouse("mousemove", round(left + length * zoom * step / 12), round(top))
    yield from stage.mouse("mouseup", 1)
    yield 400
    document.waitForDone()


def _paint_with(stage, red, green, blue):
    colour = ManagedColor("RGBA", "U8", "")
    colour.setComponents([blue / 255, green / 255, red / 255, 1.0])
    stage.krita.activeWindow().activeView().setForeGroundColor(colour)
    yield 100


def check_first_colour(stage):
    """Tools > Scripts > Nuri > New hint layer, two strokes, Colorize layer, undo by key."""
    yield from stage.resize_window(1400, 900)
    document = stage.document(640, 480)
    rooms = stage.draw(document, stage.layer(document, "Ink"))
    stage.refresh(document)
    stage.krita.activeWindow().activeView().setBrushSize(24)
    stage.krita.action("zoom_to_100pct").trigger()
    yield 500
    yield from stage.click("menu:Tools")
    yield from stage.click("menu:Scripts")
    yield from stage.click("menu:Nuri")
    stage.screenshot("journey-menu")
    yield from stage.click("menu:New hint layer")
    yield from stage.until(lambda: document.activeNode().name() == "Nuri hints", 30, "the layer")
    yield 300
    yield from _paint_with(stage, 230, 80, 60)
    yield from _stroke(stage, document, rooms.first[0] - 40, rooms.first[1], 80)
    yield from _paint_with(stage, 60, 130, 220)
    yield from _stroke(stage, document, rooms.second[0] - 40, rooms.second[1] + 30, 60)
    hints = document.nodeByName("Nuri hints")
    first = stage.pixel(hints, *rooms.first)
    second = stage.pixel(hints, rooms.second[0], rooms.second[1] + 30)
    assert first[3] == second[3] == 255, (first, second)
    assert first != second
    before = stage.fingerprint(document)
    yield from stage.click("nuri_colorize_button")
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None and desk.notice, 30, "the colours")
    yield 500
    stage.screenshot("journey-coloured")
    assert stage.notice()[0] == "done", stage.notice()
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == first
    assert stage.pixel(colours, rooms.second[0], rooms.second[1] - 50) == second
    assert stage.pixel(colours, *rooms.outside) == bytes(4)
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.widget("nuri_preview").isVisible()
    yield from stage.mouse("mousemove", *stage.places()["canvas"][:2])
    yield from stage.mouse("key", "ctrl+z")
    yield from stage.until(lambda: document.nodeByName("Colours") is None, 30, "undo")
    assert stage.fingerprint(document) == before
    yield from stage.mouse("key", "ctrl+shift+z")
    yield from stage.until(lambda: document.nodeByName("Colours") is not None, 30, "redo")


def check_result_during_a_stroke(stage):
    """The artist goes on painting while Nuri colours: the stroke is not cut, the layer waits."""
    document = stage.document(640, 480)
    rooms = Rooms(640, 480)
    stage.draw(document, stage.layer(document, "Ink"))
    hints = stage.layer(document, "Hints")
    stage.hint(document, hints, rooms)
    sketch = stage.layer(document, "Sketch")
    stage.refresh(document)
    stage.krita.activeWindow().activeView().setBrushSize(10)
    yield from stage.activate(document, sketch)
    yield 300
    canvas_x, canvas_y, width, height = stage.places()["canvas"]
    middle = canvas_y + height // 2
    yield from stage.mouse("mousemove", canvas_x + width // 2 - 100, middle)
    yield 100
    yield from stage.mouse("mousedown", 1)
    yield from stage.mouse("mousemove", canvas_x + width // 2 - 80, middle)
    stage.trigger("nuri_colorize_layer")
    desk = stage.actions().desk()
    for step in range(20):
        yield from stage.mouse("mousemove", canvas_x + width // 2 - 80 + 10 * step, middle)
        yield 30
    assert desk.job is not None, desk.notice
    assert document.nodeByName("Colours") is None
    yield from stage.mouse("mouseup", 1)
    yield from stage.until(lambda: desk.job is None, 30, "the colours")
    assert stage.notice()[0] == "done", stage.notice()
    document.waitForDone()
    zoom = stage.krita.activeWindow().activeView().canvas().zoomLevel() * 72 / document.resolution()
    painted = sketch.bounds().width() * zoom
    assert painted > 180, painted
    assert "Colours" in stage.names(document.rootNode())
    return {"stroke": painted}


def _open(stage, name):
    """The pixels (BGRA) and size of an example picture, read by Krita itself."""
    picture = stage.krita.openDocument(str(stage.project / "docs" / "examples" / name))
    picture.setColorSpace("RGBA", "U8", SRGB)
    picture.waitForDone()
    size = picture.width(), picture.height()
    data = picture.rootNode().childNodes()[0].pixelData(0, 0, *size)
    picture.setModified(False)
    picture.close()
    return data, size


def check_example_drawing(stage):
    yield from stage.resize_window(1400, 900)
    lines, size = _open(stage, f"{_EXAMPLE}-line.png")
    hints, _ = _open(stage, f"{_EXAMPLE}-hints.png")
    document = stage.document(*size)
    stage.layer(document, "Ink").setPixelData(lines, 0, 0, *size)
    stage.layer(document, "Colour hints").setPixelData(hints, 0, 0, *size)
    stage.refresh(document)
    presets = stage.krita.activeWindow().qwindow().findChild(QDockWidget, "PresetDocker")
    presets.hide()
    yield 300
    canvas = stage.krita.activeWindow().activeView().canvas()
    canvas.resetZoom()
    canvas.setZoomLevel(0.6)
    yield 500
    document.setBatchmode(True)
    assert document.saveAs(str(stage.root / f"{_EXAMPLE}.kra"))
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.fingerprint(document, skip=["Colours"]) == before
    yield from stage.mouse("mousemove", 900, 10)
    yield 1000
    stage.screenshot("showcase")
    presets.show()
    # Every hint keeps its exact colour, or the colour of a hint that shares its area.
    colours = stage.pixels(document, document.nodeByName("Colours"))
    hinted = bytes(hints)
    palette = {hinted[i : i + 4] for i in range(0, len(hinted), 4) if hinted[i + 3] == 255}
    used = {colours[i : i + 4] for i in range(0, len(colours), 4) if colours[i + 3]}
    assert used <= palette, used - palette
    return {"notice": notice, "colours of hints": len(palette), "colours used": len(used)}
