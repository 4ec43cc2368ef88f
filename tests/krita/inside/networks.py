"""Colours of Nuri's own choice and soft shading, where the artist asks for them."""

from __future__ import annotations

import os
from pathlib import Path

from nuri_test_hook.pictures import Rooms
from PyQt5.QtWidgets import QApplication

_HAS_NETWORKS = (Path(os.environ["NURI_WEIGHTS"]) / "manifest.toml").exists()
_NO_TORCH = {"left out": "no PyTorch, so no networks"}


def check_nuri_chooses_when_there_are_no_hints(stage):
    """Without a hint layer the docker offers it; both rooms get a colour in one undo step."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    document = stage.document(320, 240)
    stage.draw(document, stage.layer(document, "Ink"))
    stage.refresh(document)
    yield 200
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "advice" and "no hint layer" in notice[1], notice
    button = stage.widget("nuri_offer_let_nuri_choose")
    assert button.isVisible()
    button.click()
    desk = stage.actions().desk()
    yield from stage.until(lambda: desk.job is None, 60, "the colours")
    yield 300
    assert stage.notice()[0] == "done", stage.notice()
    assert "guess" in desk.notice.detail
    rooms, colours = Rooms(320, 240), document.nodeByName("Colours")
    for place in (rooms.first, rooms.second):
        assert stage.pixel(colours, *place)[3] == 255
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    stage.screenshot("networks-own-choice")
    yield from stage.undo(document)
    assert stage.fingerprint(document) == before


def check_soft_shading(stage):
    """With the box ticked the gradient of a reference comes along; else a room has one colour."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    document, ink, _, rooms = yield from stage.drawing(paint_hints=False)
    sample = stage.layer(document, "Painted")
    high = rooms.bottom - rooms.top
    for step, x in enumerate(range(rooms.left, rooms.right, 2)):
        base = (40, 150, 240) if x < rooms.middle else (220, 120, 60)
        shade = bytes((*(max(0, part - step // 3) for part in base), 255))
        stage.fill(document, sample, shade, x, rooms.top, 2, high)
    stage.draw(document, sample)
    sample.setVisible(False)
    stage.refresh(document)
    stage.actions().desk().line = str(ink.uniqueId().toString())
    menu = next(w for w in QApplication.allWidgets() if w.objectName() == "nuri_add_reference_menu")
    menu.aboutToShow.emit()
    next(entry for entry in menu.actions() if entry.text().strip() == "Painted").trigger()
    yield 100
    flat = yield from _colours(stage, document, rooms)
    assert len(flat) == 1, flat
    stage.docker().refresh()
    yield 200
    stage.widget("nuri_soft").click()
    try:
        soft = yield from _colours(stage, document, rooms)
    finally:
        stage.actions().set_flag("soft", False)
    assert len(soft) > 4, soft
    return {"flat": len(flat), "soft": len(soft)}


def _colours(stage, document, rooms):
    """Colorize layer; returns the colours in the middle of the first room, and undoes it."""
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    x, y = rooms.first
    raw = bytes(document.nodeByName("Colours").pixelData(x - 16, y - 16, 32, 32))
    assert stage.fingerprint(document, skip=["Colours"]) == before
    yield from stage.undo(document)
    return {raw[i : i + 4] for i in range(0, len(raw), 4)}
