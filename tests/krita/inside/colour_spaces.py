"""Colorize layer in documents of every kind: exact colours, one undo step, nothing else changed."""

from __future__ import annotations

from nuri_test_hook.pictures import SPACES


def _colour_space(stage, space):
    _, _, first, second = SPACES[space]
    document, _, _, rooms = yield from stage.drawing(space)
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done" and "2 areas coloured" in notice[1], notice
    assert stage.names(document.rootNode()) == ["Background", "Colours", "Ink", "Nuri hints"]
    colours = document.nodeByName("Colours")
    assert colours.blendingMode() == "normal"
    assert stage.pixel(colours, *rooms.first) == first
    assert stage.pixel(colours, *rooms.second) == second
    nothing = stage.pixel(colours, *rooms.outside)
    assert nothing == bytes(len(nothing)), nothing
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert document.activeNode().name() == "Nuri hints"
    assert stage.history() == [*steps, "Add Layer"]
    pixels = stage.pixels(document, colours)
    yield from stage.undo(document)
    assert stage.fingerprint(document) == before
    yield from stage.redo(document)
    assert stage.pixels(document, document.nodeByName("Colours")) == pixels


def check_rgba8(stage):
    yield from _colour_space(stage, "rgba8")


def check_rgba16(stage):
    yield from _colour_space(stage, "rgba16")


def check_rgbaf32(stage):
    yield from _colour_space(stage, "rgbaf32")


def check_graya8(stage):
    yield from _colour_space(stage, "graya8")


def check_grayaf16(stage):
    yield from _colour_space(stage, "grayaf16")


def check_cmyka8(stage):
    yield from _colour_space(stage, "cmyka8")


def check_laba16(stage):
    yield from _colour_space(stage, "laba16")


def check_hints_in_another_space(stage):
    """A hint layer that was converted on its own: Krita brings its colours into the document's."""
    document, _, hints, rooms = yield from stage.drawing("rgba16", paint_hints=False)
    hints.setColorSpace(*SPACES["rgba8"][0])
    stage.hint(document, hints, rooms)
    stage.refresh(document)
    before = stage.fingerprint(document)
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    assert (colours.colorModel(), colours.colorDepth()) == ("RGBA", "U16")
    # 8 bits become 16 by repeating them; the conversion between equal profiles is exact.
    expected = b"".join(bytes((value, value)) for value in SPACES["rgba8"][2])
    assert stage.pixel(colours, *rooms.first) == expected
    assert stage.fingerprint(document, skip=["Colours"]) == before
