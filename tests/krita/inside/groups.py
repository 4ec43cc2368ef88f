"""Groups that pass through, which Krita gives no picture of their own, are read like any other."""

from __future__ import annotations

from nuri_test_hook.pictures import SPACES
from nuri_test_hook.shot import colorize, make

_INK = SPACES["rgba8"][1]
_FIRST, _SECOND = SPACES["rgba8"][2:]


def _group(stage, document, name, node, *, above=None):
    """``node`` and an empty layer in a group that passes through; returns (group, node, layer)."""
    group = document.createGroupLayer(name)
    document.rootNode().addChildNode(group, above or node)
    inner = node.duplicate()
    node.remove()
    group.addChildNode(inner, None)
    more = stage.layer(document, "More", group)
    group.setPassThroughMode(True)
    stage.refresh(document)
    yield 300
    return group, inner, more


def check_lines(stage):
    document, line, _, rooms = yield from stage.drawing()
    group, _, more = yield from _group(stage, document, "Lines", line)
    # Parts the first room in two, from a group that passes through in there.
    inner = document.createGroupLayer("Inner")
    group.addChildNode(inner, None)
    part = more.duplicate()
    inner.addChildNode(part, None)
    inner.setPassThroughMode(True)
    half = (rooms.first[1] + rooms.bottom) // 2
    stage.fill(document, part, _INK, rooms.left, half, rooms.middle - rooms.left, 4)
    stage.refresh(document)
    yield 200
    before, steps = stage.fingerprint(document), stage.history()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    assert group.passThroughMode() and inner.passThroughMode()
    assert stage.fingerprint(document, skip=["Colours"]) == before
    assert stage.history() == [*steps, "Add Layer"]
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == _FIRST
    assert stage.pixel(colours, *rooms.second) == _SECOND
    below = rooms.first[0], (half + rooms.bottom) // 2
    assert stage.pixel(colours, *below) != _FIRST, "the line in the inner group is missing"


def check_hints_and_their_preview(stage):
    document, line, hints, rooms = yield from stage.drawing(paint_hints=False)
    stage.fill(document, hints, _FIRST, *rooms.dots()[0])
    group, _, more = yield from _group(stage, document, "Dots", hints, above=line)
    stage.fill(document, more, _SECOND, *rooms.dots()[1])
    stage.refresh(document)
    stage.actions().desk().hints = group.uniqueId().toString()
    notice = yield from stage.colorize()
    assert notice[0] == "done", notice
    colours = document.nodeByName("Colours")
    assert stage.pixel(colours, *rooms.first) == _FIRST
    assert stage.pixel(colours, *rooms.second) == _SECOND
    yield from _check_live(stage, document, more, rooms)
    assert group.passThroughMode()


def _check_live(stage, document, layer, rooms):
    """A dot in the group changes the preview, in place of another of the same size."""
    live, asked = stage.actions().live, []
    begin = live._begin
    live._begin = lambda desk, request: (asked.append(request), begin(desk, request))
    box = stage.widget("nuri_live")
    box.click()
    try:
        yield from stage.until(lambda: asked and not live.is_busy, 30, "the first preview")
        yield 1500
        assert len(asked) == 1
        stage.fill(document, layer, _FIRST, *rooms.dots()[1])
        stage.refresh(document)
        yield from stage.until(lambda: len(asked) > 1 and not live.is_busy, 30, "another preview")
        yield 100
        assert stage.actions().desk().live_note == ""
    finally:
        box.click()
        del live._begin


def check_animated_lines(stage):
    shot = yield from make(stage, times=(0, 2, 4, 6))
    document = shot.document
    background = document.nodeByName("Background")
    group, inner, more = yield from _group(stage, document, "Lines", shot.line, above=background)
    shot.line = inner
    stage.fill(document, more, _INK, 30, 60, 3, 3)
    stage.refresh(document)
    notice = yield from colorize(stage)
    assert notice[:2] == ("done", "2 frames coloured from 2"), notice
    assert group.passThroughMode()
    return {"right": shot.check_rooms(document.nodeByName("Colours"), (0, 2, 4, 6))}


def check_picture_to_extract_lines_of(stage):
    document, line, _, _ = yield from stage.drawing()
    group, _, more = yield from _group(stage, document, "Picture", line)
    stage.fill(document, more, _FIRST, 60, 60, 100, 100)
    stage.refresh(document)
    yield from stage.activate(document, group)
    notice = yield from stage.perform("nuri_extract_lines")
    assert notice[0] == "done", notice
