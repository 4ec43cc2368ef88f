"""A drawing as an artist would colour it; its screenshot is the one for the README."""

from __future__ import annotations

from PyQt5.QtWidgets import QDockWidget

NAME = "witch"


def _open(stage, name):
    """The pixels (BGRA) and size of an example picture, read by Krita itself."""
    picture = stage.krita.openDocument(str(stage.project / "docs" / "examples" / name))
    picture.setColorSpace("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
    picture.waitForDone()
    size = picture.width(), picture.height()
    data = picture.rootNode().childNodes()[0].pixelData(0, 0, *size)
    picture.setModified(False)
    picture.close()
    return data, size


def check_witch(stage):
    yield from stage.resize_window(1400, 900)
    lines, size = _open(stage, f"{NAME}-line.png")
    hints, _ = _open(stage, f"{NAME}-hints.png")
    document = stage.document(*size)
    document.setName(NAME.capitalize())
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
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert stage.fingerprint(document, skip=["Colours"]) == before
    yield from stage.mouse("mousemove", 400, 894)
    yield 800
    stage.screenshot("showcase")
    presets.show()
    # Every hint keeps its exact colour, or the colour of a hint that shares its area.
    colours = stage.pixels(document, document.nodeByName("Colours"))
    hinted = bytes(hints)
    palette = {hinted[i : i + 4] for i in range(0, len(hinted), 4) if hinted[i + 3] == 255}
    used = {colours[i : i + 4] for i in range(0, len(colours), 4) if colours[i + 3]}
    assert used <= palette, used - palette
    return {"notice": notice, "colours of hints": len(palette), "colours used": len(used)}
