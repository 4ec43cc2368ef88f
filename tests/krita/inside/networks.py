"""Colours of a network's own choice and soft shading, where the artist asks for them."""

from __future__ import annotations

import os
from pathlib import Path

from nuri_test_hook.pictures import SPACES, Rooms

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
    """With the box ticked the colours vary inside a room; without it they are the hints' own."""
    if not _HAS_NETWORKS:
        return _NO_TORCH
    document, _, _, rooms = yield from stage.drawing()
    stage.docker().refresh()
    yield 200
    flat = yield from _colours(stage, document, rooms)
    assert flat == {SPACES["rgba8"][2]}
    stage.widget("nuri_soft").click()
    try:
        soft = yield from _colours(stage, document, rooms)
    finally:
        stage.actions().set_flag("soft", False)
    assert len(soft) > 5, soft


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
